"""The columns of a table laid out in cells of a terminal: as wide as what they hold, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from batchtui.results.views.drawings.cells import fit
from batchtui.results.views.figures import heading, number, shown
from batchtui.results.views.shapes import Cell, Column, Table

WIDEST, LOOKED_AT = 32, 1000
GAP = 2
LEAST = 8
"""Cells that a column of words keeps where it gives way."""
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands: its index, how wide it is, and whether it is set to the right."""

    at: int
    column: Column
    width: int
    right: bool

    def text(self, row: Sequence[Cell]) -> str:
        return fit(shown(row[self.at], self.column), self.width, right=self.right)

    @property
    def head(self) -> str:
        return fit(heading(self.column), self.width, right=self.right)


@dataclass(frozen=True, slots=True)
class Layout:
    places: tuple[Place, ...]
    left_out: int

    @property
    def head(self) -> str:
        return (" " * GAP).join(place.head for place in self.places).rstrip()

    def line(self, row: Sequence[Cell]) -> str:
        return (" " * GAP).join(place.text(row) for place in self.places).rstrip()


def places(table: Table) -> tuple[Place, ...]:
    """Every column, as wide as its first LOOKED_AT rows ask for."""
    return tuple(_place(at, column, table.rows[:LOOKED_AT]) for at, column in enumerate(table.columns))


def _place(at: int, column: Column, rows: Sequence[tuple[Cell, ...]]) -> Place:
    held = [row[at] for row in rows]
    if column.digits is None:
        column = replace(column, digits=_digits(held))
    widths = [cell_len(shown(value, column)) for value in held]
    right = any(isinstance(value, int | float) for value in held) and not any(
        isinstance(v, str) for v in held
    )
    return Place(at, column, min(WIDEST, max([cell_len(heading(column)), 1, *widths])), right)


def _digits(held: Sequence[Cell]) -> int | None:
    """Digits after the point that tell all of them, so that the points stand below one another; None where sizes differ."""
    words = [number(value) for value in held if isinstance(value, float)]
    if not words or any("e" in word or "n" in word for word in words):
        return None
    digits = max(len(word.partition(".")[2]) for word in words)
    return digits if digits <= _MOST_DIGITS else None


def laid_out(table: Table, width: int, first: int = 1) -> Layout:
    """The columns that fit `width`: the first one always, then those from number `first` on."""
    return chosen(narrowed(places(table), width, table.beside), width, first)


def narrowed(every: Sequence[Place], width: int, beside: int) -> Sequence[Place]:
    """With the first `beside` columns no wider than `width` together: the widest words give way, down to LEAST cells."""
    found = list(every)
    while sum(place.width + GAP for place in found[:beside]) - GAP > width:
        at = max(
            (at for at in range(1, beside) if not found[at].right), key=lambda at: found[at].width, default=0
        )
        if not at or found[at].width <= LEAST:
            break
        found[at] = replace(found[at], width=found[at].width - 1)
    return found


def chosen(every: Sequence[Place], width: int, first: int = 1) -> Layout:
    """`laid_out` over columns that were measured before."""
    kept = list(every[:1])
    used = kept[0].width if kept else 0
    for place in every[max(1, first) :]:
        if used + GAP + place.width > width:
            break
        kept.append(place)
        used += GAP + place.width
    if len(kept) == 1 and len(every) > 1 and first < len(every):  # at least one beside the first
        room = max(1, width - GAP - min(kept[0].width, width // 2))
        head = kept[0]
        narrow = every[max(1, first)]
        kept = [
            Place(head.at, head.column, min(head.width, width // 2), head.right),
            Place(narrow.at, narrow.column, min(narrow.width, room), narrow.right),
        ]
    return Layout(tuple(kept), len(every) - len(kept))
