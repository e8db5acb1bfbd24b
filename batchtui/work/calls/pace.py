"""How many jobs of a group go to a worker at a time: found out by how long the last ones took."""

from __future__ import annotations

from dataclasses import dataclass

TARGET = 0.25
"""Seconds of work in a chunk: long beside the way to the worker and back, short beside a person who pauses."""
MOST = 128
_GROWTH = 4
_HELPED = 0.7


@dataclass(slots=True)
class Pace:
    """One group's. `together`: its function takes many jobs at once, and may be quicker so."""

    together: bool
    most: int = MOST
    fixed: bool = False
    """Whether the user said how many."""
    size: int = 1
    _mean: float | None = None

    def __post_init__(self) -> None:
        self.most = max(1, self.most)
        if self.fixed:
            self.size = self.most

    def took(self, jobs: int, seconds: float) -> None:
        """A chunk of so many jobs took so long."""
        if self.fixed or jobs < self.size:
            return
        mean = seconds / jobs
        before, self._mean = self._mean, mean
        fits = max(1, int(TARGET / max(mean, 1e-9)))
        if self.together and (before is None or mean < _HELPED * before):
            fits = max(fits, jobs * _GROWTH)
        self.size = min(fits, jobs * _GROWTH, self.most)
