"""Around the solver, in a worker: scenarios whose result stands are taken as they are, the others solved and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from batchtui.model import Json
from batchtui.results.scenarios.columns import plain
from batchtui.results.scenarios.files import keep, standing, taken_over, value_standing
from batchtui.work.scenarios.inputs import input_hash
from batchtui.work.without import import_pyarrow

Scenario: TypeAlias = dict[str, Json]
"""The arguments of a task: id, task, grid, loads, …, `folder` to write into (None: tables go inline), `earlier` places
of batches that may have solved it, `attempt`."""
Value: TypeAlias = dict[str, Json]


def kept(
    scenarios: Sequence[Scenario], solve: Callable[[list[Scenario]], Iterator[Value | Exception]]
) -> Iterator[Value | Exception]:
    """Values in the order of the scenarios: `{"summary", "files" or "tables", "input_hash"}`.

    `solve` gives `{"summary", "tables"}` or an exception for each, in order; it is not called for a scenario whose
    folder, or that of an earlier batch, holds the result of the same inputs: that has `"reused": True`.
    """
    hashes = [scenario.get("input_hash") or input_hash(scenario) for scenario in scenarios]
    stand = [standing_value(scenario, hash_) for scenario, hash_ in zip(scenarios, hashes, strict=True)]
    rest = [scenario for scenario, value in zip(scenarios, stand, strict=True) if value is None]
    solved = iter(solve(rest)) if rest else iter(())
    import_pyarrow()  # before the first is timed
    for scenario, hash_, value in zip(scenarios, hashes, stand, strict=True):
        if value is not None:
            yield value
            continue
        begin = time.perf_counter()
        found = next(solved)
        if isinstance(found, Exception):
            yield found
            continue
        found["summary"].setdefault("duration_ms", round((time.perf_counter() - begin) * 1000, 3))
        try:
            yield _put(scenario, {**found, "input_hash": hash_})
        except OSError as fault:
            yield NotWritten(
                f"{scenario['folder']}: the result cannot be written ({fault.strerror or fault})"
            )


class NotWritten(Exception):
    """The folder takes no result just now; another try may find it writable again."""

    kind = "output"
    transient = True


def standing_value(scenario: Scenario, hash_: str | None) -> Value | None:
    """The value of a scenario that need not be solved: its folder, or one of `earlier`, holds its result."""
    if not scenario.get("folder"):
        return None
    folder = Path(scenario["folder"])
    result = standing(folder, hash_) or taken_over(folder, map(Path, scenario.get("earlier") or ()), hash_)
    if result is None:
        return None
    return {**value_standing(result), "reused": True}


def _put(scenario: Scenario, value: Value) -> Value:
    """The value with its tables in files, or inline as plain lists where there is no folder. Raises OSError."""
    tables = value.pop("tables")
    if not scenario.get("folder"):
        return {**value, "tables": _inline(tables)}
    facts = {
        "scenario_id": scenario.get("id"),
        "task": scenario.get("task"),
        "status": "ok",
        "attempts": scenario.get("attempt") or 1,
    }
    return {**value, "files": keep(Path(scenario["folder"]), facts | value, tables)}


def _inline(tables: Json) -> Json:
    return {
        table: {name: plain(values) for name, values in columns.items()} for table, columns in tables.items()
    }
