"""The batch file: what the editor saves and opens, and what `run` takes."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable
from pathlib import Path

import msgspec

from batchtui.decode import faults
from batchtui.errors import BadInput
from batchtui.limit_ranges import limit_problems, number_text
from batchtui.model import BatchSpec, Json, Problem, SourceSpec
from batchtui.text import cell
from batchtui.toml_file import parse_toml, read_text, write_toml


class Misshapen(BadInput):
    """A batch file with keys that are unknown or of the wrong type: `faults` tells every one, `spec` is what is left.

    `limits` are those of its limits that are out of range; whoever plans `spec` is told of them again.
    """

    def __init__(self, faults: list[Problem], limits: list[Problem], spec: BatchSpec | None) -> None:
        told = [*faults, *limits]
        more = f" ({len(told) - 1} more: `batchtui check` tells them all)" if len(told) > 1 else ""
        super().__init__(f"{told[0]}{more}")
        self.faults, self.spec = faults, spec


def is_batch_file(path: str | Path) -> bool:
    """`.toml` is a batch file, everything else a source of jobs."""
    return str(path).lower().endswith(".toml")


def load(path: Path) -> BatchSpec:
    """The batch file, named like the file where it has no name. Raises BadInput with file, line and key."""
    try:
        return _named(loads(read_text(path), cell(path)), path)
    except Misshapen as fault:
        fault.spec = _named(fault.spec, path) if fault.spec else None
        raise


def _named(spec: BatchSpec, path: Path) -> BatchSpec:
    return spec if spec.name else msgspec.structs.replace(spec, name=path.stem)


def loads(text: str, where: str) -> BatchSpec:
    """A batch file's text, types and ranges checked. Raises BadInput with `where`, line and key."""
    return _decode(parse_toml(text, where), where)


def bare_source(path: str) -> BatchSpec:
    """The batch of `run cars.csv --backend B`; `-` is stdin."""
    return BatchSpec(name="stdin" if path == "-" else Path(path).stem, source=SourceSpec(file=path))


def save(spec: BatchSpec, path: Path) -> None:
    """Write it; a file that a person wrote is kept as `.bak`. Raises BadInput for what TOML or the disk refuses."""
    data = _without_null(msgspec.to_builtins(spec), "")
    try:
        write_toml(path, {key: value for key, value in data.items() if value != {}}, keep_bak=True)
    except OSError as fault:
        raise BadInput(f"{cell(path)}: cannot be written ({fault.strerror})") from None


def apply_sets(spec: BatchSpec, sets: Iterable[str]) -> BatchSpec:
    """`spec` with each `key=value` (`job.prompt=…`, `limits.concurrency=5`) over it.

    A value is taken as TOML, or a list as JSON, where it reads as such and fits the key, else as text. Raises BadInput.
    """
    for item in sets:
        key, equals, value = item.partition("=")
        where = f"--set {cell(key)}"
        if not equals:
            raise BadInput(f"{where}: expected key=value, such as job.model=gpt-x")
        data = _without_null(msgspec.to_builtins(spec), "")
        parts = _key_parts(key, where)
        try:
            spec = _decode(_with(data, parts, _toml_value(value), where), where)
        except BadInput as fault:
            try:  # `name=2026` is meant as text
                spec = _decode(_with(data, parts, value, where), where)
            except BadInput:
                raise fault from None
    return spec


def check_limits(spec: BatchSpec, where: str) -> list[Problem]:
    """Limits out of range, for a spec that was built and not read; `loads` has checked its own."""
    problems = limit_problems(spec.limits, where)
    share = spec.notify.budget if spec.notify else None
    if share is not None and not 0 < share <= 1:
        message = f"expected a share from 0 to 1, such as 0.8, got {number_text(share)}"
        problems.append(Problem(message=message, file=where, key="notify.budget"))
    return problems


def _decode(data: dict[str, Json], where: str) -> BatchSpec:
    spec, told = faults(_as_json(data, where, ""), BatchSpec)
    limits = check_limits(spec, where) if spec else []
    if told or limits or spec is None:
        raise Misshapen([Problem(file=where, key=key, message=what) for key, what in told], limits, spec)
    return spec


def _as_json(value: Json, where: str, path: str) -> Json:
    """TOML's dates as ISO text; NaN, infinity and numbers beyond 64 bits refused: JSON readers cannot hold them."""
    if isinstance(value, dict):
        return {key: _as_json(item, where, f"{path}.{key}" if path else key) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item, where, f"{path}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float) and not abs(value) < (2**63 if isinstance(value, int) else math.inf):
        raise BadInput(f"{where}: {cell(path)}: expected a finite number, got {number_text(value)}")
    return value


def _without_null(value: Json, path: str) -> Json:
    """TOML has no null: a key without a value is left out; in a list nothing can stand for it."""
    if isinstance(value, dict):
        return {
            key: _without_null(item, f"{path}.{key}" if path else key)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        if None in value:
            raise BadInput(f"{cell(path)}: a batch file cannot hold null in a list; leave the item out")
        return [_without_null(item, f"{path}[{number}]") for number, item in enumerate(value)]
    return value


def _key_parts(key: str, where: str) -> list[str]:
    """`job."a.b".c` as its parts, by TOML's own rules."""
    try:
        tree: Json = parse_toml(f"{key} = 0", where)
    except BadInput:
        tree = {}
    parts = []
    while isinstance(tree, dict) and len(tree) == 1:
        ((part, tree),) = tree.items()
        parts.append(part)
    if tree != 0:
        raise BadInput(f"{where}: not a key; expected one such as job.model or limits.cost_usd")
    return parts


def _toml_value(text: str) -> Json:
    try:
        data = parse_toml(f"value = {text}", "value")
    except BadInput:
        return _json_list(text)
    return data["value"] if len(data) == 1 else text


def _json_list(text: str) -> Json:
    """A list of objects as JSON writes it, which TOML does not read; any other text stays text."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _with(data: dict[str, Json], parts: list[str], value: Json, where: str) -> dict[str, Json]:
    """A copy of `data` with `value` at that place."""
    head, *rest = parts
    if not rest:
        return data | {head: value}
    inner = data.get(head, {})
    if not isinstance(inner, dict):
        raise BadInput(f"{where}: {cell(head)} is not a table")
    return data | {head: _with(inner, rest, value, where)}
