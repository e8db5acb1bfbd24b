"""What Daly's results hold, whatever form a section takes: figures by name, and series as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

from batchtui.errors import NotFound
from batchtui.model import JOB_STATES, JobState, Json
from batchtui.results.views.shapes import Cell
from batchtui.store.folder import BatchFolder

Columns = dict[str, list[Json]]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST_RUNS = 2000
"""Runs that a view over a whole batch reads."""
_LARGEST = 1e300
_SERIES = ("monthlySummary", "blockSummary")
_NESTS = ("results", "result", "data")
_KNOWN = ("summary", "losses", "timeSeries")


@dataclass(frozen=True, slots=True)
class Run:
    """A completed run: its job's id, what it is called, and the sections of its result."""

    job_id: str
    label: str
    sections: dict[str, Json]

    def columns(self, section: str) -> Columns:
        return as_columns(self.sections.get(section))

    def figures(self) -> dict[str, Cell]:
        return summary_figures(self.sections)

    def losses(self) -> dict[str, float]:
        """Every loss by name; those that are told in groups as `group.name`."""
        found = flattened(self.sections.get("losses"))
        return {name: float(value) for name, value in found.items() if is_number(value)}


def runs_of(folder: BatchFolder, most: int = MOST_RUNS, among: frozenset[str] | None = None) -> Iterator[Run]:
    """The first completed runs of a batch, or of these jobs of it, in source order, one at a time: a result may be large."""
    columns = folder.columns()
    completed = JOB_STATES.index(JobState.COMPLETED)
    ids = folder.jobs.ids
    found = (n for n, code in enumerate(columns.states) if code == completed)
    meant = (n for n in found if among is None or ids[n] in among)
    for n in islice(meant, most):
        if run := _run(folder, n):
            yield run


def run_of(folder: BatchFolder, job_id: str) -> Run:
    """Raises NotFound for an id that is none, or whose run has no result."""
    run = _run(folder, folder.number(job_id))
    if run is None:
        raise NotFound(f'job "{job_id}" has no result of an energy model')
    return run


def pair_of(folder: BatchFolder, first: str, second: str) -> tuple[Run, Run]:
    """Two runs whose labels tell them apart. Raises NotFound."""
    one, other = run_of(folder, first), run_of(folder, second)
    if one.label == other.label:
        one, other = (Run(run.job_id, f"{run.label} ({run.job_id})", run.sections) for run in (one, other))
    return one, other


def _run(folder: BatchFolder, n: int) -> Run | None:
    result = folder.result(n)
    found = sections_of(result.output)
    return Run(result.job_id, result.name or result.job_id, found) if found else None


def sections_of(output: Json) -> dict[str, Json]:
    """The sections of a result, which may lie a table deeper; empty for what is no energy model's."""
    for inner in (output, *(output.get(key) for key in _NESTS if isinstance(output, dict))):
        if isinstance(inner, dict) and any(key in _KNOWN or key.endswith("Summary") for key in inner):
            return inner
    return {}


def summary_figures(sections: dict[str, Json]) -> dict[str, Cell]:
    """The figures of `summary`, else of every `*Summary`; named by the section too where two share a name."""
    if isinstance(sections.get("summary"), dict):
        return flattened(sections["summary"])
    parts = {
        key.removesuffix("Summary"): flattened(value)
        for key, value in sections.items()
        if key.endswith("Summary") and key not in _SERIES
    }
    names = [name for part in parts.values() for name in part]
    return {
        name if names.count(name) == 1 else f"{section}.{name}": value
        for section, part in parts.items()
        for name, value in part.items()
    }


def flattened(value: Json, under: str = "") -> dict[str, Cell]:
    """Plain values by their path; lists are left out."""
    if not isinstance(value, dict):
        return {}
    found: dict[str, Cell] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            found |= flattened(inner, f"{under}{key}.")
        elif not isinstance(inner, list):
            found[under + key] = inner
    return found


def as_columns(value: Json) -> Columns:
    """A series as columns: a list of tables, a table of lists, or a table of tables by month."""
    if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
        value = [{"month": key, **inner} for key, inner in value.items() if isinstance(inner, dict)]
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if isinstance(inner, list)}
    if not isinstance(value, list):
        return {}
    rows = [row for row in value if isinstance(row, dict)]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def is_number(value: Json) -> TypeGuard[float]:
    """Whether it can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def numeric(columns: Columns, besides: tuple[str, ...] = ()) -> list[str]:
    """Names of the columns that hold numbers."""
    return [name for name, held in columns.items() if name not in besides and any(map(is_number, held))]


def cell_at(held: list[Json], place: int) -> Cell:
    """The plain value at a place; None where the column is shorter."""
    value = held[place] if place < len(held) else None
    return value if isinstance(value, str | int | float | bool) else None
