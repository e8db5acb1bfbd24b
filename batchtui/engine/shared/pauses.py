"""When what failed is tried again: longer each time in a row, and never sooner than was asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from batchtui.backends.faults import PAUSE_MOST
from batchtui.engine.shared.backoff import delay

Key = TypeVar("Key")


class Pauses(Generic[Key]):
    """By submission, or whatever else is tried again; they grow with each failure in a row."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._fails: dict[Key, int] = {}

    def __iter__(self) -> Iterator[Key]:
        """What has failed and not worked since."""
        return iter(list(self._due))

    def hold(self, key: Key, asked: float | None = None, most: float = PAUSE_MOST) -> float:
        """It failed; seconds until another try may follow."""
        fails = self._fails[key] = self._fails.get(key, 0) + 1
        wait = delay(fails, asked, most)
        self._due[key] = time.monotonic() + wait
        return wait

    def left(self, key: Key) -> float:
        """Seconds that it has still to wait; 0 or less: none."""
        return self._due.get(key, 0.0) - time.monotonic()

    def over(self, key: Key) -> None:
        """It worked."""
        self._due.pop(key, None)
        self._fails.pop(key, None)
