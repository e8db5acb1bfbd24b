"""Which rows of a list are marked: one by one, by a stretch from the last mark, or along with the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
"""What a row is known by, wherever it stands."""


@dataclass(frozen=True, slots=True)
class _Stretch(Generic[Key]):
    """What was marked along with the cursor, and what was marked before: it shrinks again on the way back."""

    start: Key
    end: Key
    before: frozenset[Key]


class Marks(Generic[Key]):
    """Only what is shown comes under a stretch: `rows` are the keys of those in their order, `at` is the cursor's place."""

    def __init__(self) -> None:
        self.chosen: set[Key] = set()
        self._last: Key | None = None
        self._stretch: _Stretch[Key] | None = None

    def put(self, keys: Iterable[Key]) -> None:
        """Just these."""
        self.chosen, self._last, self._stretch = set(keys), None, None

    def turn(self, key: Key) -> None:
        """Mark it, or take its mark away."""
        self.chosen ^= {key}
        self._last, self._stretch = (key if key in self.chosen else None), None

    def reach(self, rows: Sequence[Key], at: int) -> bool:
        """Mark all from the last mark to the cursor. False where no mark is shown that was the last."""
        if self._last is None or (start := _place(rows, self._last)) is None:
            return False
        self.chosen |= _between(rows, start, at)
        self._last, self._stretch = rows[at], None
        return True

    def extend(self, rows: Sequence[Key], at: int, to: int) -> None:
        """The cursor goes along from `at` to `to` and marks what it passes; on its way back it takes those marks away."""
        stretch = self._stretch
        if stretch is None or stretch.end != rows[at] or (start := _place(rows, stretch.start)) is None:
            stretch, start = _Stretch(rows[at], rows[at], frozenset(self.chosen)), at
        self.chosen = _between(rows, start, to) | stretch.before
        self._last, self._stretch = rows[to], _Stretch(stretch.start, rows[to], stretch.before)


def _place(rows: Sequence[Key], key: Key) -> int | None:
    try:
        return rows.index(key)
    except ValueError:
        return None


def _between(rows: Sequence[Key], one: int, other: int) -> set[Key]:
    return set(rows[min(one, other) : max(one, other) + 1])
