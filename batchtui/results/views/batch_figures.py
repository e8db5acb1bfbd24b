"""A batch's figures column by column, read once for all views of it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from math import nan

from batchtui.errors import BadInput, nearest
from batchtui.results.views.fields import OF_A_JOB, figures, short_names, texts
from batchtui.results.views.sample import read, sample
from batchtui.results.views.shapes import Cell
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

MOST_COLUMNS = 100
MOST_WORDS, LONGEST = 20, 80
"""Columns of words, and how much of each is kept."""
MOST_KINDS = 60
"""So many different words a column may hold whose distribution tells something."""
MOST_EXACT = 2**53
"""Integers up to this are kept whole as floats."""


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """The batch's figures column by column, NaN where a result has none, and its words, None where it has none.

    `ids` names the job of each place."""

    ids: list[str]
    columns: dict[str, array[float]]
    whole: dict[str, bool]
    """Whether all of a column are integers that are kept whole."""
    words: dict[str, list[str | None]]
    paths: dict[str, str]
    note: str

    @property
    def named(self) -> list[str]:
        """All columns, in their order."""
        return list(self.paths.values())

    def kinds(self) -> list[str]:
        """Columns of words that fall into kinds, as species or a verdict."""
        return [name for name, held in self.words.items() if self._falls_into_kinds(held)]

    def _falls_into_kinds(self, held: list[str | None]) -> bool:
        said = [word for word in held if word is not None]
        found = set(said)
        few = len(found) <= MOST_KINDS and (len(found) < len(said) or len(said) == 1)
        return few and all(len(word) < LONGEST for word in found)

    def cells(self, name: str) -> list[Cell]:
        if name in self.words:
            return list(self.words[name])
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
    words: dict[str, list[str | None]] = {}
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
        for path, said in texts(result).items():
            kept = words.get(path)
            if kept is None:
                if len(words) >= MOST_WORDS:
                    continue
                kept = words[path] = []
            kept.extend([None] * (len(ids) - len(kept)))
            kept.append(cell(said, LONGEST))
        ids.append(result.job_id)
    for kept in words.values():
        kept.extend([None] * (len(ids) - len(kept)))
    words = {path: kept for path, kept in words.items() if path not in columns}
    for held in columns.values():
        held.extend([nan] * (len(ids) - len(held)))
    paths = short_names(_ordered(columns, words))
    notes = [chosen.note, f"the first {MOST_COLUMNS} columns" if dropped else ""]
    return BatchFigures(
        ids,
        {paths[path]: columns[path] for path in paths if path in columns},
        {paths[path]: whole[path] for path in paths if path in columns},
        {paths[path]: words[path] for path in paths if path in words},
        paths,
        "; ".join(note for note in notes if note),
    )


def _ordered(columns: dict[str, array[float]], words: Iterable[str]) -> list[str]:
    """Figures of what came back first, then those of the row, then words, the answer's own last of them, then what any
    job has; attempts only where they differ."""

    said = set(words)

    def rank(path: str) -> int:
        if path in OF_A_JOB:
            return 9
        of_row = path.startswith("row.")
        return (2 if not of_row else 3) + 2 * (path == "raw_response") if path in said else int(of_row)

    place = {path: at for at, path in enumerate([*columns, *words])}
    told = (path for path in columns if path != "attempts" or len(set(columns[path])) > 1)
    return sorted([*told, *said], key=lambda path: (rank(path), place[path]))


def _listed(known: dict[str, array[float]]) -> str:
    words = list(known)
    return ", ".join(words[:12]) + (" …" if len(words) > 12 else "") if words else "none"
