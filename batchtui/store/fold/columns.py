"""An immutable picture of all jobs of a batch, for whoever shows them while the driver goes on."""

from __future__ import annotations

from dataclasses import dataclass

from batchtui.model import JOB_STATES, JobState


@dataclass(frozen=True, slots=True)
class Columns:
    """An immutable picture of every job, by number. `states` holds indexes into JOB_STATES."""

    seq: int
    states: bytes
    tries: bytes
    """Attempts, two bytes each in native order; `memoryview(tries).cast("H")`."""
    offsets: bytes
    """Offset of the counting result or -1, eight bytes each; `memoryview(offsets).cast("q")`."""
    errors: dict[int, str]

    def state(self, n: int) -> JobState:
        return JOB_STATES[self.states[n]]
