"""How often the reading of a long source tells where it stands: by the clock, since its rows may be of any size."""

from __future__ import annotations

import time


class Pace:
    """`due` says yes at once, and then again whenever so many seconds have passed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
