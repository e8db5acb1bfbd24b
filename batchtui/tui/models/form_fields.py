"""The fields of the compose form: how each is shown as text and read back. No Textual here."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from batchtui.errors import nearest
from batchtui.limit_ranges import ERROR_POLICIES
from batchtui.model import Json, seconds
from batchtui.text import clean
from batchtui.tui.models.sweep_text import read_sweep, show_sweep
from batchtui.work.job import DC_MODELS, TASKS
from batchtui.work.job import Form as Work

_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
LANGUAGE_KINDS = frozenset({"chat", "openai", "anthropic", "gemini", "mistral", "together"})
"""Kinds whose job is a prompt to a model."""
PROGRAM_KINDS = frozenset({"local", "slurm"})
TASK_KINDS = PROGRAM_KINDS | {"gat"}
"""Kinds that do tasks on grids."""


@dataclass(frozen=True)
class Field:
    """One key of the batch file as a line of text. `read` raises ValueError with what is wrong.

    `write` gives the text of a value, or None; without it a value is written as usual.
    """

    key: str
    label: str
    hint: str
    read: Callable[[str], Json]
    lines: bool = False
    """Whether it may hold several lines."""
    path: bool = False
    """Whether it names a file or folder."""
    about: str = ""
    """What stands below it while there is nothing else to say."""
    write: Callable[[Json], str | None] | None = None

    def show(self, value: Json) -> str | None:
        """The text that reads back as exactly `value`; None where no text of this field does."""
        texts = _texts(value) if self.write is None else [self.write(value) or ""]
        return next((text for text in texts if self._holds(text, value)), None)

    def _holds(self, text: str, value: Json) -> bool:
        if not text.strip() or clean(text) != text or ("\n" in text and not self.lines):
            return False
        try:
            back = self.read(text)
        except ValueError:
            return False
        return bool(back == value) and type(back) is type(value)


def read_text(text: str) -> str:
    return text


def read_whole(text: str) -> Json:
    """A whole number, or a template that gives one."""
    if "{{" in text:
        return text
    try:
        return int(text.strip())
    except ValueError:
        raise ValueError(f'expected a whole number, got "{text.strip()[:40]}"') from None


def read_number(text: str) -> Json:
    """A number, or a template that gives one."""
    if "{{" in text:
        return text
    try:
        return int(text) if text.strip().lstrip("-").isdigit() else float(text)
    except ValueError:
        raise ValueError(f'expected a number, got "{text.strip()[:40]}"') from None


def read_amount(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'expected a number, got "{text.strip()[:40]}"') from None


def read_duration(text: str) -> Json:
    """Seconds as a number, or text such as `90s`, `2h`."""
    seconds(text)
    try:
        return read_amount(text)
    except ValueError:
        return text


def read_truth(text: str) -> Json:
    """yes or no, or a template that gives one."""
    if "{{" in text:
        return text
    word = text.strip().lower()
    if word not in _TRUTHS:
        raise ValueError(f'expected yes or no, got "{text.strip()[:40]}"')
    return _TRUTHS[word]


def read_table(text: str) -> dict[str, Json]:
    """A JSON object, its strings templates."""
    try:
        value = json.loads(text)
    except ValueError as fault:
        raise ValueError(f'expected a JSON object such as {{"key": 1}}: {fault}') from None
    if not isinstance(value, dict):
        raise ValueError('expected a JSON object such as {"key": 1}')
    return value


def read_input(text: str) -> Json:
    """JSON, its strings templates, or a text as it stands."""
    try:
        value: Json = json.loads(text)
    except ValueError as fault:
        if text.lstrip()[:1] in ("[", '"') or (text.lstrip()[:1] == "{" and text.lstrip()[:2] != "{{"):
            raise ValueError(f'expected JSON such as {{"key": 1}}: {fault}') from None
        return text
    return value


def show_input(value: Json) -> str | None:
    """The text that `read_input` reads back."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_policy(text: str) -> str:
    if text.strip() not in ERROR_POLICIES:
        raise ValueError(f'expected "continue" or "stop", got "{text.strip()[:40]}"')
    return text.strip()


def read_task(text: str) -> str:
    """A task, or a template that gives one."""
    return _one_of(text, TASKS)


def read_dc_model(text: str) -> str:
    return _one_of(text, DC_MODELS)


def _one_of(text: str, known: tuple[str, ...]) -> str:
    word = text.strip()
    if "{{" not in word and word not in known:
        raise ValueError(f'expected one of {", ".join(known)}, got "{word[:40]}"{nearest(word, known)}')
    return word


def read_words(text: str) -> list[str]:
    """A program and its arguments, split as a shell would, each `{{ … }}` kept in one piece."""
    held, templates, mark = _held(text)
    try:
        words = shlex.split(held)
    except ValueError as fault:
        raise ValueError(f"{str(fault).lower()}: close the quote") from None
    return [_restored(word, templates, mark) for word in words]


def show_words(value: Json) -> str | None:
    """The line that `read_words` reads back; None for what is no list of texts."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return None
    shown = []
    for word in value:
        held, templates, mark = _held(word)
        shown.append(_restored(shlex.quote(held), templates, mark))
    return " ".join(shown)


def _held(text: str) -> tuple[str, list[str], str]:
    """The text with each template held by `mark number mark`, the templates, and a mark the text does not hold."""
    mark, templates = "__", list[str]()
    while mark in text:
        mark += "_"

    def hold(match: re.Match[str]) -> str:
        templates.append(match[0])
        return f"{mark}{len(templates) - 1}{mark}"

    return _TEMPLATE.sub(hold, text), templates, mark


def _restored(word: str, templates: list[str], mark: str) -> str:
    for number, template in enumerate(templates):
        word = word.replace(f"{mark}{number}{mark}", template)
    return word


def _texts(value: Json) -> list[str]:
    """Ways to write the value, the shortest first."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, dict):
        return [json.dumps(value, ensure_ascii=False)]
    if not isinstance(value, int | float):
        return []
    short = [str(int(value))] if isinstance(value, float) and value.is_integer() else []
    return [*short, str(value)]


SOURCE = Field("source.file", "Source", "a file or a folder; Tab completes", read_text, path=True)
JOB_LANGUAGE = (
    Field("job.model", "Model", "the model's name", read_text),
    Field("job.system", "System", "what holds for every job", read_text, lines=True),
    Field("job.prompt", "Prompt", "Summarise {{ text }}", read_text, lines=True),
    Field("job.max_tokens", "Max tokens", "the provider's default", read_whole),
    Field("job.temperature", "Temperature", "the provider's default", read_number),
    Field("job.file", "File", "sent beside the prompt: a path, {{ column }}", read_text, path=True),
    Field("job.schema", "Schema", "JSON Schema of the answer: a file, {{ column }}", read_text, path=True),
)
JOB_CITING = (Field("job.citations", "Citations", "yes: the passages that an answer rests on", read_truth),)
"""Only where the provider cites."""
JOB_COMMAND = (
    Field("job.command", "Command", "echo {{ column }}", read_words, write=show_words),
    Field("job.cwd", "Folder", "where it runs: the batch file's", read_text),
    Field("job.stdin", "Stdin", "text given to the program", read_text),
)
JOB_CALL = (
    Field("job.call", "Call", "package.module:function", read_text),
    Field("job.arguments", "Arguments", 'by keyword: {"site": "{{ column }}"}', read_table, lines=True),
    Field("job.chunk", "Chunk", "a job a call, or a list of at most n jobs", read_whole),
)
JOB_GRID = (
    Field("job.task", "Task", "what is solved", read_task, about="ctrl+t steps: dc, ac, n1, dcopf, acopf"),
    Field("job.grid", "Grid", "the manifest's, or a file such as case14.m", read_text, path=True),
    Field("job.loads", "Loads", "the manifest's, or a CSV: {{ column }}", read_text, path=True),
)
JOB_TASK = (*JOB_GRID, Field("job.dc_model", "DC model", "matpower, or powermodels", read_dc_model))
JOB_PROGRAM: dict[Work, tuple[Field, ...]] = {"command": JOB_COMMAND, "call": JOB_CALL, "task": JOB_TASK}
WORKS: dict[Work, str] = {
    "command": "a program for each job",
    "call": "a Python function, in warm processes",
    "task": "power flow, contingencies and OPF on a grid",
}
TASK_STEPS = ("dc", "ac", "n1", "dcopf", "acopf")
"""The tasks in the order in which they are stepped through."""
JOB_DALY = (
    Field("job.input_file", "Input file", "the energy model's JSON; Tab completes", read_text, path=True),
    Field("job.input", "Input", 'laid over it: {"locationId": "{{ column }}"}', read_table, lines=True),
    Field("job.name", "Run name", "Site {{ column }}, else the job's id", read_text),
    Field("job.timeout", "Timeout", "of the call that submits a run: 120s", read_duration),
)
JOB_REST = (
    Field(
        "job.input",
        "Input",
        'what goes to the API: {"text": "{{ column }}"}',
        read_input,
        lines=True,
        write=show_input,
    ),
    Field("job.name", "Name of job", "{{ column }}, else the job's id", read_text),
)
JOB_FLOW = (
    Field("job.flow", "Flow", "the flow's name; ctrl+l lists them", read_text),
    Field("job.max_records", "Records", "all, or the first n", read_whole),
    Field("job.shuffle", "Shuffle", "yes", read_truth),
    Field("job.concurrency", "Concurrency", "5 at once on the server", read_whole),
    Field("job.error_policy", "Policy", "continue, or stop", read_policy),
    Field("job.parameters", "Parameters", 'of every run, as {"model": "x"}', read_table),
    Field("job.interactive", "Interactive", "no", read_truth),
)
SWEEP = Field(
    "sweep", "Sweep", "key = [1, 2]: a job for each value", read_sweep, lines=True, write=show_sweep
)
MORE = (
    Field("name", "Name", "the source's name", read_text),
    Field("source.id", "Job id", "the row's own id", read_text),
    Field("source.skip", "Skip", "none, or first n", read_whole),
    Field("source.where", "Where", "as status=open", read_text),
    Field("source.limit", "Rows", "all, or the first n", read_whole),
)
LIMITS = (
    Field("limits.cost_usd", "Cost", "USD, no limit", read_amount),
    Field("limits.time", "Time", "such as 2h, no limit", read_duration),
    Field("limits.concurrency", "At once", "the backend's default", read_whole),
    Field("limits.timeout", "Timeout", "of a job, as 60s", read_duration),
    Field("limits.retries", "Retries", "the backend's default", read_whole),
    Field("limits.error_policy", "On error", "continue, or stop", read_policy),
    Field("limits.canary", "Canary", "all at once, or the first n", read_whole),
)
OUTPUT = (Field("output.dir", "Output dir", "none", read_text),)
BACKEND_KEY, WORK_KEY, OTHER_KEY = "backend", "work", "other"


def job_fields(kind: str | None, work: Work = "command") -> tuple[Field, ...]:
    """The fields of a job's template on a backend of this kind; none for kinds that the form does not know.

    `work` is what a job does where its kind leaves that open.
    """
    if kind in LANGUAGE_KINDS:
        return JOB_LANGUAGE + JOB_CITING if kind == "anthropic" else JOB_LANGUAGE
    if kind in ("buttermilk", "daly"):
        return JOB_FLOW if kind == "buttermilk" else JOB_DALY
    if kind == "rest":
        return JOB_REST
    return JOB_PROGRAM[work] if kind in PROGRAM_KINDS else JOB_GRID if kind in TASK_KINDS else ()


def fields_of(kind: str | None, work: Work = "command") -> tuple[Field, ...]:
    return (SOURCE, *job_fields(kind, work), SWEEP, *MORE, *LIMITS, *OUTPUT)
