"""Which of many folders are worth a look: one that rests costs nothing until somebody stirs it.

A look at every batch each second would cost by how many there are. Instead whoever begins or ends to change a batch, or
leaves a wish in its inbox, stirs it: the folder that all batches lie in then has another time of change, as it has when
a batch comes or goes. While it has not, only those are looked at that do not rest.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROUND = 30
"""Looks after which each resting folder was looked at once: a hand or an older version changes files and stirs nothing."""
SETTLED_NS = 2_000_000_000
"""What changed less long ago may change once more at what its disk takes for the same time."""


def stir(folder: Path) -> None:
    """Tell other processes that this batch is worth a look. A folder that cannot be written to is no reason to complain."""
    for path in (folder, folder.parent):
        with contextlib.suppress(OSError):
            os.utime(path)


class Watch:
    """Of one process that looks again and again. For one thread."""

    def __init__(self, place: Path, ids: Callable[[], list[str]]) -> None:
        """`ids` lists what there is in `place`."""
        self._place = place
        self._ids = ids
        self._all: list[str] = []
        self._seen: int | None = None
        """The time of the place's last change, once that is sure to be the last one of that time."""
        self._asleep: dict[str, int] = {}
        """By what rests, its folder's time of change."""
        self._stamps: dict[str, int | None] = {}
        self._rounds: Iterator[str] = iter(())

    def look(self) -> tuple[list[str], list[str]]:
        """All that there are, and those of them to look at now. Raises OSError."""
        now = _changed(self._place)
        if now is None or now != self._seen:
            self._seen = now if now is not None and time.time_ns() - now > SETTLED_NS else None
            self._all = self._ids()
            there = set(self._all)
            self._asleep = {
                one: stamp
                for one, stamp in self._asleep.items()
                if one in there and stamp == self._stamp(one)
            }
        for one in self._next_in_turn():
            self._asleep.pop(one, None)
        due = [one for one in self._all if one not in self._asleep]
        self._stamps = {one: self._stamp(one) for one in due}
        return self._all, due

    def rest(self, one: str) -> None:
        """Nothing is to be seen of it until it is stirred; said after a look at it."""
        stamp = self._stamps.get(one)
        if stamp is not None and time.time_ns() - stamp > SETTLED_NS:
            self._asleep[one] = stamp

    def _next_in_turn(self) -> list[str]:
        count = -(-len(self._asleep) // ROUND)
        found = [one for _, one in zip(range(count), self._rounds, strict=False)]
        if len(found) < count:
            self._rounds = iter(list(self._asleep))
        return found

    def _stamp(self, one: str) -> int | None:
        return _changed(f"{self._place}/{one}")


def _changed(path: str | Path) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
