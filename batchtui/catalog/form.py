"""Fields of `[job]` as the compose form shows them: data, so that a kind's card brings its own."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

Reads = Literal[
    "text", "whole", "number", "truth", "duration", "table", "input", "words", "policy", "task", "dc model"
]


class FormField(msgspec.Struct, frozen=True):
    """One key of the batch file as a line of text."""

    key: str
    label: str
    hint: str
    """What stands in the line while it is empty."""
    reads: Reads = "text"
    """What the text is read as."""
    lines: bool = False
    """Whether it may hold several lines."""
    path: bool = False
    """Whether it names a file or folder."""
    about: str = ""
    """What stands below it while there is nothing else to say."""


PROMPT = (
    FormField("job.model", "Model", "the model's name"),
    FormField("job.system", "System", "what holds for every job", lines=True),
    FormField("job.prompt", "Prompt", "Summarise {{ text }}", lines=True),
    FormField("job.max_tokens", "Max tokens", "the provider's default", "whole"),
    FormField("job.temperature", "Temperature", "the provider's default", "number"),
    FormField("job.file", "File", "sent beside the prompt: a path, {{ column }}", path=True),
    FormField("job.schema", "Schema", "JSON Schema of the answer: a file, {{ column }}", path=True),
)
CITATIONS = FormField("job.citations", "Citations", "yes: the passages that an answer rests on", "truth")
"""Only where the provider cites."""
COMMAND = (
    FormField("job.command", "Command", "echo {{ column }}", "words"),
    FormField("job.cwd", "Folder", "where it runs: the batch file's"),
    FormField("job.stdin", "Stdin", "text given to the program"),
)
CALL = (
    FormField("job.call", "Call", "package.module:function"),
    FormField("job.arguments", "Arguments", 'by keyword: {"site": "{{ column }}"}', "table", lines=True),
    FormField("job.chunk", "Chunk", "a job a call, or a list of at most n jobs", "whole"),
)
GRID = (
    FormField("job.task", "Task", "what is solved", "task", about="ctrl+t steps: dc, ac, n1, dcopf, acopf"),
    FormField("job.grid", "Grid", "the manifest's, or a file such as case14.m", path=True),
    FormField("job.loads", "Loads", "the manifest's, or a CSV: {{ column }}", path=True),
)
TASK = (*GRID, FormField("job.dc_model", "DC model", "matpower, or powermodels", "dc model"))


_READS: tuple[tuple[type, Reads], ...] = ((bool, "truth"), (int, "whole"), (float, "number"), (str, "text"))


def derived(work: type[msgspec.Struct]) -> tuple[FormField, ...]:
    """A field for each key of a plug-in's `Work`, read as its type says: `longer_than: int` becomes "Longer than"."""
    hints = get_type_hints(work)
    return tuple(
        FormField(
            f"job.{field.encode_name}",
            field.encode_name.replace("_", " ").capitalize(),
            "left out" if not field.required else "",
            _reads(hints[field.name]),
        )
        for field in msgspec.structs.fields(work)
    )


def _reads(hint: Any) -> Reads:
    """Of `int | None` as of `int`; whatever is no plain value is JSON."""
    kinds = {*get_args(hint)} - {type(None)} if get_origin(hint) in (Union, UnionType) else {hint}
    return next((reads for kind, reads in _READS if kinds == {kind}), "input")
