"""The input of an energy model: from the batch file, or a JSON file with changes laid over it; checked before it costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import msgspec

from batchtui.backends.answers.said import json_name
from batchtui.backends.base import Job
from batchtui.backends.wire.replies import parse_json
from batchtui.errors import BadInput
from batchtui.model import Json, seconds
from batchtui.text import cell

ROOTS = ("projectId", "locationId", "location")
BLOCK_PARTS = ("inverterId", "shading", "losses", "acSystem", "albedo")
EITHER = (("array", "dcInputs"), ("layout", "layoutRef"))
"""Of each pair a block has at least one."""
LABEL_LIMIT = 200


class DalyWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One energy model. With an `input_file` the `input` is laid over it: tables merge, lists and values replace,

    and a key such as `blocks.0.layout` or `blocks.*.layout.gcr` replaces what it leads to. `name` is what the run is
    called there, by default the input's own name or the job's id; `timeout` is for the call that submits it.
    """

    input: Json = None
    """The energy model, or what is laid over `input_file`; a key with dots replaces what it leads to."""
    input_file: str | None = None
    """A JSON file with the energy model."""
    name: str | None = None
    """What the run is called there; left out: the input's own name, or the job's id."""
    timeout: str | float | None = None
    """Of the call that submits it."""


class InputFault(BadInput):
    """An input that cannot be built. `key` is its place."""

    kind = "input"

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.message, self.key = message, key


def input_of(job: Job[DalyWork]) -> dict[str, Json]:
    """The energy model's input, whole. Raises InputFault."""
    work = job.work
    if work.input is not None and not isinstance(work.input, dict):
        raise InputFault(f"expected a table, got {json_name(work.input)}", "input")
    if work.input_file is None:
        if work.input is None:
            raise InputFault('give input = {...}, or input_file = "model.json"', "input")
        return work.input
    built: dict[str, Json] = _laid(_from_file(job), work.input or {}, "input")
    return built


def label_of(job: Job[DalyWork], given: dict[str, Json] | None = None) -> str:
    """What the run is called there."""
    table = given or job.work.input
    own = table.get("name") if isinstance(table, dict) else None
    return str(job.work.name or (own if isinstance(own, str) and own.strip() else "") or job.id)[:LABEL_LIMIT]


def faults_of(job: Job[DalyWork]) -> list[tuple[str, str]]:
    """What the server would refuse for certain, as (key, message)."""
    faults: list[tuple[str, str]] = []
    if job.work.timeout is not None:
        try:
            seconds(job.work.timeout)
        except ValueError as fault:
            faults.append(("timeout", str(fault)))
    try:
        given = input_of(job)
    except InputFault as fault:
        return [*faults, (fault.key, fault.message)]
    roots = [key for key in ROOTS if given.get(key) is not None]
    if len(roots) != 1:
        got = f"got {' and '.join(roots)}" if roots else "got none"
        faults.append(("input", f"expected exactly one of {', '.join(ROOTS)}; {got}"))
    blocks = given.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        return [*faults, ("input.blocks", "expected a list of at least one block")]
    for place, block in enumerate(blocks):
        where = f"input.blocks[{place}]"
        if not isinstance(block, dict):
            faults.append((where, "expected a table"))
            continue
        faults += [(f"{where}.{part}", "is missing") for part in BLOCK_PARTS if block.get(part) is None]
        faults += [
            (where, f"expected {' or '.join(pair)}")
            for pair in EITHER
            if all(block.get(part) is None for part in pair)
        ]
    return faults


def _from_file(job: Job[DalyWork]) -> dict[str, Json]:
    if not job.files:
        raise InputFault(f"{cell(job.work.input_file, 200)} was not found", "input_file")
    one = job.files[0]
    try:
        text = one.data if one.data is not None else one.path.read_text("utf-8-sig")
        found = _parsed(text)
    except (OSError, ValueError) as fault:
        raise InputFault(f"{cell(one.path, 200)}: {cell(fault, 200)}", "input_file") from None
    if not isinstance(found, dict):
        raise InputFault(f"{cell(one.path, 200)}: expected a JSON object", "input_file")
    return found


@lru_cache(maxsize=4)
def _parsed(text: str) -> Json:
    return parse_json(text)


def _laid(old: Json, value: Json, where: str) -> Json:
    """A table laid over what was there, which is left as it is; a key with dots in it replaces what it leads to."""
    if not isinstance(value, dict) or not isinstance(old, dict | list):
        return _like(old, value)
    for key, inner in value.items():
        path = key.split(".")
        change = partial(_laid if len(path) == 1 else _like, value=inner)
        old = _put(old, path, change, where)
    return old


def _put(node: Json, path: list[str], change: Callable[..., Json], where: str) -> Json:
    if not path:
        return change(node, where=where)
    head, *rest = path
    if isinstance(node, list):
        places = range(len(node)) if head == "*" else [int(head)] if head.isdecimal() else []
        if not places or places[-1] >= len(node):
            raise InputFault(
                f'"{cell(head, 40)}" is no place in a list of {len(node)}; say 0, 1, … or *', where
            )
        made = list(node)
        for place in places:
            made[place] = _put(node[place], rest, change, f"{where}[{place}]")
        return made
    if node is not None and not isinstance(node, dict):
        raise InputFault(f'"{cell(head, 40)}" leads into a plain value', where)
    table = node or {}
    return {**table, head: _put(table.get(head), rest, change, f"{where}.{cell(head, 40)}")}


def _like(old: Json, value: Json, where: str = "") -> Json:
    """A number where a number stood, though a table's cell is text."""
    if isinstance(value, str) and isinstance(old, int | float) and not isinstance(old, bool):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() and isinstance(old, int) else number
    return value
