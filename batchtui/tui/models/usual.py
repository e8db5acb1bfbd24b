"""Batches at backends that tell no counts before the end: how long they have taken, and how long others took."""

from __future__ import annotations

from collections.abc import Callable

from batchtui.model import LIVE_REMOTELY, UNSENT, BatchStatus, SubmissionState
from batchtui.tui.look import figures
from batchtui.tui.models.link import Link

KEPT_SECONDS = 10.0


def untold(status: BatchStatus) -> bool:
    """Whether backends hold jobs of the batch and have told nothing of how far they are, so that 0 % would be a guess."""
    if status.finished or not status.processing:
        return False
    held = [one for one in status.submissions or [] if one.status not in UNSENT | {SubmissionState.COLLECTED}]
    return bool(held) and not any(one.completed or one.failed for one in held)


def done(status: BatchStatus) -> int:
    """Jobs with their last word here; before the first of them, those that the backends tell of."""
    return status.finished or sum(one.completed + one.failed for one in status.submissions or [])


def silent_since(status: BatchStatus) -> float | None:
    """Unix seconds at which the oldest submission went out, where the backend has told nothing since; else None."""
    if not untold(status):
        return None
    live = [one for one in status.submissions or [] if one.status in LIVE_REMOTELY]
    return min((when for one in live if (when := figures.unix(one.submitted)) is not None), default=None)


class UsualTimes:
    """The time that a submission to a backend usually takes, by the batches in the library."""

    def __init__(self, link: Link, now: Callable[[], float]) -> None:
        self._link, self._now = link, now
        self._read_at = float("-inf")
        self._times: dict[tuple[str, str], float] = {}

    def of(self, status: BatchStatus) -> float | None:
        """Seconds; the longest where the batch lies with several backends. None while nothing is known."""
        if self._now() - self._read_at >= KEPT_SECONDS:
            self._read_at, self._times = self._now(), _medians(self._link.statuses())
        backends = {one.backend for one in status.submissions or [] if one.status in LIVE_REMOTELY}
        return max(
            (self._times[name, status.kind] for name in backends if (name, status.kind) in self._times),
            default=None,
        )

    def words(self, status: BatchStatus) -> str:
        """`12 min, usually 35 min`; empty where the backend tells more than that."""
        since = silent_since(status)
        if since is None:
            return ""
        taken, usual = figures.spelled(self._now() - since), self.of(status)
        return f"{taken}, usually {figures.spelled(usual)}" if usual is not None else taken

    def short(self, status: BatchStatus) -> str:
        """`12m of ~35m`: the same for a narrow column."""
        since = silent_since(status)
        if since is None:
            return ""
        taken, usual = figures.span(self._now() - since), self.of(status)
        return f"{taken} of ~{figures.span(usual)}" if usual is not None else taken

    def left(self, status: BatchStatus) -> float | None:
        """Seconds that it still has by what is usual; None where that is over, or not known."""
        since = silent_since(status)
        usual = None if since is None else self.of(status)
        if since is None or usual is None:
            return None
        left = since + usual - self._now()
        return left if left > 0 else None


def _medians(statuses: list[BatchStatus]) -> dict[tuple[str, str], float]:
    taken: dict[tuple[str, str], list[float]] = {}
    for status in statuses:
        for one in status.submissions or []:
            began, ended = figures.unix(one.submitted), figures.unix(one.ended)
            if one.status is not SubmissionState.COLLECTED or not one.remote_id or one.reason:
                continue
            if began is not None and ended is not None and ended > began:
                taken.setdefault((one.backend, status.kind), []).append(ended - began)
    # `statistics` is slow to import, and this runs before the first paint.
    return {key: sorted(times)[len(times) // 2] for key, times in taken.items()}
