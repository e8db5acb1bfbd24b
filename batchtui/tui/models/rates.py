"""How fast batches go: computed over recent completions, since polls bring them in lumps."""

from __future__ import annotations

from collections import deque

from batchtui.model import BatchStatus
from batchtui.tui.look import figures

WINDOW = 300.0
"""Seconds that count as recent."""
SAMPLES = 240


class Rates:
    """Remembers when how many jobs of each batch had ended."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[tuple[float, int]]] = {}

    def note(self, status: BatchStatus, now: float) -> None:
        """Take a status in; a retry that puts jobs back starts the measurement anew."""
        samples = self._samples.setdefault(status.id, deque(maxlen=SAMPLES))
        if samples and samples[-1][1] > status.finished:
            samples.clear()
        if not samples or samples[-1][1] != status.finished:
            samples.append((now, status.finished))

    def per_second(self, status: BatchStatus, now: float) -> float:
        """Jobs a second, over the recent window; from the start of the batch where nothing was seen to end yet."""
        samples = self._samples.get(status.id, ())
        recent = [sample for sample in samples if now - sample[0] <= WINDOW]
        if len(recent) >= 2 and recent[-1][1] > recent[0][1]:
            return (recent[-1][1] - recent[0][1]) / max(now - recent[0][0], 0.25)
        if samples and now - samples[0][0] > WINDOW:
            return 0.0  # it was watched all the while, and nothing ended
        started = figures.unix(status.started)
        if started is None or not status.finished or now - started < 1:
            return 0.0
        return status.finished / (now - started)

    def eta(self, status: BatchStatus, now: float) -> float | None:
        """Seconds until its last job ends at this rate; None where nobody can say."""
        speed = self.per_second(status, now)
        if not status.total or speed <= 0 or status.paused:
            return None
        return (status.total - status.finished) / speed

    def spark(self, batch_id: str, now: float, buckets: int, seconds: float) -> list[int]:
        """Jobs that ended in each of the last `buckets` stretches of `seconds`, oldest first."""
        counts = [0] * buckets
        previous: int | None = None
        for at, finished in self._samples.get(batch_id, ()):
            if previous is not None:
                index = buckets - 1 - int((now - at) / seconds)
                if 0 <= index < buckets:
                    counts[index] += finished - previous
            previous = finished
        return counts


def sparkline(counts: list[int], steps: str) -> str:
    """The counts as one line of bars; empty where nothing happened at all."""
    top = max(counts, default=0)
    if top <= 0:
        return ""
    return "".join(steps[min(len(steps) - 1, count * (len(steps) - 1) // top)] for count in counts)
