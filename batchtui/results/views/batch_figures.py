"""A batch's figures column by column, read once for all views of it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from math import nan

from batchtui.errors import BadInput, nearest
from batchtui.results.views.fields import OF_A_JOB, figures, short_names
from batchtui.results.views.sample import read, sample
from batchtui.results.views.shapes import Cell
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

MOST_COLUMNS = 100
MOST_EXACT = 2**53
"""Integers up to this are kept whole as floats."""


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """The batch's figures column by column, NaN where a result has none. `ids` names the job of each place."""

    ids: list[str]
    columns: dict[str, array[float]]
    whole: dict[str, bool]
    """Whether all of a column are integers that are kept whole."""
    paths: dict[str, str]
    note: str

    def cells(self, name: str) -> list[Cell]:
        whole = self.whole[name]
        return [None if value != value else int(value) if whole else value for value in self.columns[name]]

    def column(self, wanted: str | None, otherwise: str | None) -> str | None:
        """The name of the column that is meant by name or path. Raises BadInput."""
        if wanted is None:
            return otherwise
        name = self.paths.get(wanted, wanted)
        if name not in self.columns:
            hint = nearest(wanted, [*self.columns, *self.paths]) or f"; there is {_listed(self.columns)}"
            raise BadInput(f'no column of numbers "{cell(wanted, 60)}"{cell(hint, 400)}')
        return name


_latest: dict[tuple[str, int, frozenset[str] | None], BatchFigures] = {}
"""What was read last, by the batch's path, its journal and the jobs meant: going from view to view reads nothing again."""


def batch_figures(folder: BatchFolder, among: frozenset[str] | None = None) -> BatchFigures:
    """Those of its completed jobs, of an even choice where they are very many."""
    key = (str(folder.path), folder.progress.seq, among)
    found = _latest.get(key)
    if found is None:
        found = _read(folder, among)
        _latest.clear()
        _latest[key] = found
    return found


def _read(folder: BatchFolder, among: frozenset[str] | None) -> BatchFigures:
    chosen = sample(folder, among=among)
    ids: list[str] = []
    columns: dict[str, array[float]] = {}
    whole: dict[str, bool] = {}
    dropped = False
    for result in read(folder, chosen.numbers):
        for path, value in figures(result).items():
            held = columns.get(path)
            if held is None:
                if len(columns) >= MOST_COLUMNS:
                    dropped = True
                    continue
                held = columns[path] = array("d")
                whole[path] = True
            held.extend([nan] * (len(ids) - len(held)))
            held.append(value)
            whole[path] &= isinstance(value, int) and abs(value) <= MOST_EXACT
        ids.append(result.job_id)
    for held in columns.values():
        held.extend([nan] * (len(ids) - len(held)))
    paths = short_names(_ordered(columns))
    notes = [chosen.note, f"the first {MOST_COLUMNS} columns" if dropped else ""]
    return BatchFigures(
        ids,
        {paths[path]: columns[path] for path in paths},
        {paths[path]: whole[path] for path in paths},
        paths,
        "; ".join(note for note in notes if note),
    )


def _ordered(columns: dict[str, array[float]]) -> list[str]:
    """What came back first, then the row, then what any job has, and among them attempts only where they differ."""

    def rank(path: str) -> int:
        return 2 if path in OF_A_JOB else 1 if path.startswith("row.") else 0

    return sorted((path for path in columns if path != "attempts" or len(set(columns[path])) > 1), key=rank)


def _listed(known: dict[str, array[float]]) -> str:
    words = list(known)
    return ", ".join(words[:12]) + (" …" if len(words) > 12 else "") if words else "none"
