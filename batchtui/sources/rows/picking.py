"""Which rows of a source become jobs: not the skipped ones, not the empty ones of a table, only those `where` wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from batchtui.errors import nearest
from batchtui.model import Json, Problem, Row
from batchtui.sources.rows.where import Where, column_of
from batchtui.text import cell

_LISTED = 12


@dataclass(frozen=True)
class Picking:
    """What `[source]` says of the choice. `table`: a row in which every cell is empty is none."""

    skip: int = 0
    where: Where | None = None
    table: bool = False


@dataclass
class Picked:
    """One pass over the rows; counts what it leaves out."""

    picking: Picking
    columns: list[str]
    read: int = 0
    empty: int = 0
    outside: int = 0
    _lines: list[int] = field(default_factory=list)
    _unseen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = self.picking.where
        self._unseen = (
            [path for path in where.paths if column_of(path, self.columns) is None] if where else []
        )

    def of(self, items: Iterable[Row | Problem]) -> Iterator[Row | Problem]:
        """The wanted rows and their problems: warnings about a row that is left out are left out with it."""
        held: list[Problem] = []
        for item in items:
            number = item.number if isinstance(item, Row) else item.row
            if number is not None and number <= self.picking.skip:
                continue
            if isinstance(item, Problem):
                held.append(item)
                if item.fatal or number is None:
                    yield from held
                    held.clear()
                continue
            if self._wanted(item):
                yield from held
                yield item
            held.clear()
        yield from held

    def _wanted(self, row: Row) -> bool:
        self.read += 1
        if self.picking.table and all(_is_blank(value) for value in row.values.values()):
            self.empty += 1
            if len(self._lines) <= _LISTED:
                self._lines.append(row.line or row.number)
            return False
        if self._unseen:
            self._unseen = [path for path in self._unseen if column_of(path, row.values) is None]
        where = self.picking.where
        if where is not None and not where.matches(row.values):
            self.outside += 1
            return False
        return True

    def told(self, name: str, *, cut: bool) -> Iterator[Problem]:
        """What was left out, in words. `cut`: a limit ended the reading."""
        if self.empty:
            shown = ", ".join(map(str, self._lines[:_LISTED])) + (" …" if len(self._lines) > _LISTED else "")
            text = f"{_rows(self.empty, 'empty ')} left out (line{'s' * (self.empty > 1)} {shown})"
            yield Problem(file=name, message=text, fatal=False)
        where = self.picking.where
        if where is None:
            return
        for path in self._unseen if self.read > self.empty else ():
            hint = nearest(path, self.columns) or f"; columns: {', '.join(map(cell, self.columns[:_LISTED]))}"
            text = f'no row has a column "{cell(path, 60)}"{hint}'
            yield Problem(file=name, key="source.where", message=text, fatal=not cut)
        if self.outside:
            first = "the first " if cut else ""
            text = f"{self.outside:,} of {first}{_rows(self.read - self.empty)} left out by where"
            yield Problem(file=name, key="source.where", message=text, fatal=False)

    def nothing(self, name: str) -> Problem:
        """Why there is no row at all."""
        text = "no rows here, so there is nothing to make jobs of"
        where = self.picking.where
        if self.outside and where:
            text = f"no row is left: none of {_rows(self.outside)} fits {cell(where.text, 100)}"
            if not where.paths:
                text += "; a column is compared with =, as in status=open"
        elif self.empty:
            text = f"no row is left: all {self.empty:,} are empty"
        elif self.picking.skip:
            text = f"no rows behind the {self.picking.skip:,} that skip leaves out"
        return Problem(file=name, message=text)


def _rows(count: int, what: str = "") -> str:
    return f"{count:,} {what}row{'s' * (count != 1)}"


def _is_blank(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
