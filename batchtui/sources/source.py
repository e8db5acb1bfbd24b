"""What every form of source becomes: columns, a template it implies, and a stream of rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from batchtui.model import Json, LimitsSpec, Problem, Row
from batchtui.sources.inputs import READ_FAULTS, read_fault
from batchtui.sources.rows.picking import Picked, Picking

ID_COLUMNS = ("custom_id", "id", "key")
Rows: TypeAlias = Iterator[Row | Problem]


@dataclass(frozen=True)
class Implied:
    """What a form of source says beside its rows; a batch file's own words stand over it."""

    limits: LimitsSpec = field(default_factory=LimitsSpec)
    kinds: tuple[str, ...] = ()
    """Kinds of backend that can do its jobs, the usual one first."""
    output: str | None = None
    """Folder, from the working directory, in which a batch of this form gets its output folder."""
    unless: tuple[tuple[frozenset[str], Problem], ...] = ()
    """Problems, each told unless the batch says one of these keys of `[job]` itself."""
    no_jobs: Problem | None = None
    """Why its rows are no jobs by themselves; told once in their place unless the batch says what to do with them."""


@dataclass(frozen=True)
class Source:
    """Rows of a file, a folder or standard input. Nothing is held open between calls."""

    name: str
    """As messages call it: the path as the user wrote it."""
    columns: list[str]
    """Known names, in order; of JSON forms those of the first rows, later rows may hold others."""
    read: Callable[[], Rows]
    """All rows in the file's order; `rows` is what callers want."""
    id_column: str | None = None
    """The column that names each row where `[source] id` does not."""
    own_id: str | None = None
    """The template of a row's id in this form, where no column holds it."""
    native: str | None = None
    """The form of a known file: `openai-batch`, `messages`, `scenarios` and the like; None for plain rows."""
    default_job: dict[str, Json] = field(default_factory=dict)
    """The `[job]` template this form implies, for a source that is given without a batch file."""
    implied: Implied = field(default_factory=Implied)
    count_hint: int | None = None
    """About how many rows `rows` gives; None where only reading would tell."""
    made: bool = False
    """Whether the columns are ours and not the user's, as those of a folder."""
    picking: Picking = field(default_factory=Picking)
    limit: int | None = None
    shuffle: bool = False
    seed: int = 0
    zipped: bool = False

    def rows(self) -> Rows:
        """Streams rows, and a Problem in place of each row that cannot be used; a warning precedes its row.

        May be called again, with the same answer while the file stays the same. Row numbers are those of the
        file, shuffled or not. Holds one row at a time, all of them only for a shuffle. What was left out is told
        at the end. Never raises for what the file holds.
        """
        picked = Picked(self.picking, self.columns)
        rows = picked.of(self._readable())
        seen, told, cut = 0, False, False
        for item in self._shuffled(rows) if self.shuffle else rows:
            told = told or not isinstance(item, Row)
            yield item
            if isinstance(item, Row):
                seen += 1
                if seen == self.limit:
                    cut = True
                    break
        for problem in picked.told(self.name, cut=cut and not self.shuffle):
            told = told or problem.fatal
            yield problem
        if not seen and not told:
            yield picked.nothing(self.name)

    def _readable(self) -> Rows:
        try:
            yield from self.read()
        except READ_FAULTS as fault:
            yield Problem(file=self.name, message=read_fault(fault, zipped=self.zipped))

    def _shuffled(self, items: Rows) -> Rows:
        rows: list[Row] = []
        for item in items:
            if isinstance(item, Row):
                rows.append(item)
            else:
                yield item
        random.Random(self.seed).shuffle(rows)
        yield from rows


def id_column(columns: list[str]) -> str | None:
    return next((name for name in ID_COLUMNS if name in columns), None)
