"""Which results a view reads: all of a usual batch, an even choice of a huge one, so that no view takes for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchtui.errors import StoreDamaged
from batchtui.model import JobState, Result
from batchtui.store.folder import BatchFolder

MOST = 20_000
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """The numbers of the jobs that are read, ascending; `of` is how many there were to choose from."""

    numbers: Sequence[int]
    of: int

    @property
    def note(self) -> str:
        """What was left out; empty where nothing was."""
        if len(self.numbers) == self.of:
            return ""
        return f"{len(self.numbers):,} of {self.of:,} results, taken evenly; --where and export read them all"


def sample(folder: BatchFolder, most: int = MOST, among: frozenset[str] | None = None) -> Sample:
    """Completed jobs of a batch, or of these of it, evenly over its source."""
    states = folder.columns().states
    completed = _indexes(states, list(JobState).index(JobState.COMPLETED))
    if among is not None:
        ids = folder.jobs.ids
        completed = [n for n in completed if ids[n] in among]
    try:
        size = (folder.path / "results.jsonl").stat().st_size
    except OSError:
        size = 0
    if size > MOST_BYTES and completed:
        most = min(most, max(1, int(MOST_BYTES * len(completed) / size)))
    if len(completed) <= most:
        return Sample(completed, len(completed))
    return Sample([completed[at * len(completed) // most] for at in range(most)], len(completed))


def _indexes(states: bytes, code: int) -> list[int]:
    return [n for n, state in enumerate(states) if state == code]


def read(folder: BatchFolder, numbers: Sequence[int]) -> Iterator[Result]:
    """Those results, one at a time; one that cannot be read is passed over."""
    return (result for n in numbers if (result := read_one(folder, n)) is not None)


def read_one(folder: BatchFolder, n: int) -> Result | None:
    """None where it cannot be read."""
    try:
        result = folder.result(n)
    except StoreDamaged:
        return None
    return None if result.error_kind == "damaged" else result
