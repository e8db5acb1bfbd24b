"""Columns of the lists: which there are, which of them a person wants and in what order, and which of those have room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchtui.model import Json

HIDDEN = "-"
"""Before the key of a column that is not wanted, where the choice is kept."""


@dataclass(frozen=True, slots=True)
class Column:
    """`drop` orders which columns go first when the width runs out: the highest; 0 never goes."""

    key: str
    title: str
    width: int
    drop: int = 0
    right: bool = False
    about: str = ""
    """What it tells; without it the column is always there, in its place, and not one to choose."""


def chosen(columns: Sequence[Column], kept: Json) -> list[tuple[Column, bool]]:
    """The columns to choose from in the order of the choice that was kept, and whether each is wanted.

    What is kept may be of another version, or written by hand: what it does not name stands behind, as it does by itself.
    """
    words = [word for word in kept if isinstance(word, str)] if isinstance(kept, list) else []
    there = {column.key: column for column in columns if column.about}
    found: dict[str, bool] = {}
    for word in words:
        found.setdefault(word.removeprefix(HIDDEN), not word.startswith(HIDDEN))
    named = [(there.pop(key), wanted) for key, wanted in found.items() if key in there]
    choice = [*named, *((column, True) for column in there.values())]
    return choice if any(wanted for _, wanted in choice) else [(column, True) for column, _ in choice]


def to_keep(choice: Sequence[tuple[Column, bool]]) -> list[Json]:
    """The choice as it is kept."""
    return [column.key if wanted else HIDDEN + column.key for column, wanted in choice]


def wanted(columns: Sequence[Column], kept: Json) -> list[Column]:
    """All that are to be shown where there is room, in their order."""
    always = [column for column in columns if not column.about]
    return always + [column for column, shown in chosen(columns, kept) if shown]


def fitting(columns: Sequence[Column], width: int) -> tuple[Column, ...]:
    """Those of them that have room."""
    left = list(columns)
    while sum(column.width for column in left) > width and any(column.drop for column in left):
        left.remove(max(left, key=lambda column: column.drop))
    return tuple(left)
