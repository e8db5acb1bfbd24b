"""What the tables and the manifest of a batch say of each scenario. Times are in milliseconds."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from batchtui.model import JobState, Json, Result
from batchtui.results.scenarios.columns import AGGREGATED
from batchtui.results.scenarios.files import folder_name
from batchtui.results.scenarios.tables import FILES

Entry: TypeAlias = dict[str, Json]
MOST_BYTES = 1 << 30
"""Of the tables of one scenario as JSON."""


@dataclass(slots=True)
class Finished:
    """A scenario that has its last word. `value` is the solver's, None for one that failed."""

    scenario_id: str
    task: str
    state: JobState
    attempts: int
    error_kind: str | None = None
    error: str | None = None
    value: dict[str, Json] | None = None
    milliseconds: float | None = None
    """How long the attempt took, where the solver does not say how long its own part did."""


def value_of(*candidates: Json) -> dict[str, Json] | None:
    """The solver's value among what is stored of a result; None where there is none."""
    for found in candidates:
        if isinstance(found, dict):
            value = found.get("value", found)
            if isinstance(value, dict) and isinstance(value.get("summary"), dict):
                return value
    return None


def tables_of(value: dict[str, Json]) -> dict[str, Json] | None:
    """The tables that came with a value, or that lie where it says; None where the worker wrote them by itself.

    `tables_at` is {file, offset, length in bytes}, of a JSON object, packed by zlib where it says so. Raises OSError,
    ValueError.
    """
    if isinstance(value.get("tables"), dict):
        return value["tables"]  # type: ignore[no-any-return]
    at = value.get("tables_at")
    if not isinstance(at, dict):
        return None
    with open(at["file"], "rb") as file:
        file.seek(at["offset"])
        text = file.read(at["length"])
    if at.get("packed") == "zlib":
        text = _unpacked(text)
    try:
        found = msgspec.json.decode(text)  # in a third of the time
    except msgspec.DecodeError:  # `NaN`, which only the other takes
        found = json.loads(text)
    return found if isinstance(found, dict) else None


def _unpacked(data: bytes) -> bytes:
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(data, MOST_BYTES)
    except zlib.error as fault:
        raise ValueError(f"its tables cannot be unpacked ({fault})") from None
    if not unpacking.eof:
        raise ValueError("its tables are cut off, or larger than a gigabyte")
    return text


def tables_gone(value: dict[str, Json]) -> bool:
    """Whether the file that its tables were to be fetched from is no longer there."""
    at = value.get("tables_at")
    return isinstance(at, dict) and not os.path.exists(str(at.get("file")))


def finished(result: Result, task: str) -> Finished:
    """A stored result as the tables know it."""
    state = result.status
    return Finished(
        result.job_id, task, state, result.attempts,
        error_kind=result.error_kind or (None if state is JobState.COMPLETED else state.value),
        error=result.error,
        value=value_of(result.output, result.parsed_response) if state is JobState.COMPLETED else None,
        milliseconds=milliseconds_of(result.output),
    )  # fmt: skip


def milliseconds_of(output: Json) -> float | None:
    """How long the worker was at it, where it says."""
    seconds = output.get("seconds") if isinstance(output, dict) else None
    return round(seconds * 1000, 3) if isinstance(seconds, int | float) else None


def entry(one: Finished) -> Entry:
    """The scenario in `batch_manifest.json`; `output` is its branch table, from the manifest's folder."""
    value = one.value or {}
    summary = value.get("summary") or {}
    ok = one.state is JobState.COMPLETED
    files = value.get("files") or {}
    name = files.get("branch") or next(iter(files.values()), None) or f"{FILES['branch']}.parquet"
    found: Entry = {
        "job_id": f"{one.task}:{one.scenario_id}",
        "scenario_id": one.scenario_id,
        "time": None,
        "status": "ok" if ok else "error",
        "error": None if ok else one.error or one.error_kind or one.state.value,
        "error_kind": None if ok else one.error_kind or one.state.value,
        "output": f"{folder_name(one.scenario_id)}/{name}" if ok else None,
        "duration_ms": summary.get("duration_ms", one.milliseconds),
        "attempts": one.attempts,
        "iterations": summary.get("iterations"),
        "converged": summary.get("converged", False if one.error_kind == "not_converged" else None),
        "input_hash": value.get("input_hash"),
    }
    if value.get("reused"):
        found["reused"] = True
    return found


def aggregated(one: Finished) -> dict[str, Json]:
    """The scenario's row of `aggregated_results`: what the solver found, and how it went."""
    summary = (one.value or {}).get("summary") or {}
    row = {name: summary.get(name) for name in AGGREGATED}
    known = entry(one)
    method = summary.get("method")  # where it is another than the task's name promises
    row["task"] = f"{one.task}, {method}" if method else one.task
    return row | {name: known[name] for name in AGGREGATED if name in known}


def by_column(rows: Sequence[dict[str, Json]], names: Sequence[str]) -> dict[str, list[Json]]:
    return {name: [row.get(name) for row in rows] for name in names}
