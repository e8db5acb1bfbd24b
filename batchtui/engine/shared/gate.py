"""One gate a backend: a rate limit is shared by all who use its key, so it holds back every batch."""

from __future__ import annotations

import time


class Gate:
    """Closed until a moment of the monotonic clock."""

    def __init__(self) -> None:
        self._until = 0.0

    def close_for(self, seconds: float) -> None:
        self._until = max(self._until, time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds until it opens."""
        return max(0.0, self._until - time.monotonic())
