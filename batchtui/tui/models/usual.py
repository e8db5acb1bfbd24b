"""Batches at backends that tell no counts before the end: how long they have taken, and how long others took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from batchtui.model import LIVE_REMOTELY, UNSENT, BatchStatus, SubmissionState
from batchtui.tui.look import figures
from batchtui.tui.models.link import Link

KEPT_SECONDS = 10.0
TELLING = 4
"""Submissions from which on their spread tells something."""
_Key = tuple[str, str, str]
"""Backend, kind, and model: empty for all of them."""


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


class Usual(NamedTuple):
    """Of past submissions: what half of them took at most, nine in ten of them, and how many they were."""

    half: float
    most: float
    seen: int


class UsualTimes:
    """The time that a submission to a backend usually takes, by the batches in the library: those of the same model first."""

    def __init__(self, link: Link, now: Callable[[], float]) -> None:
        self._link, self._now = link, now
        self._read_at = float("-inf")
        self._times: dict[_Key, Usual] = {}

    def of(self, status: BatchStatus) -> Usual | None:
        """The longest where the batch lies with several backends. None while nothing is known."""
        if self._now() - self._read_at >= KEPT_SECONDS:
            statuses = self._link.statuses()
            self._read_at = self._now()
            self._times = _usual((one, self._model(one)) for one in statuses if one.submissions)
        backends = {one.backend for one in status.submissions or [] if one.status in LIVE_REMOTELY}
        model = self._model(status)
        found = (
            self._times.get((name, status.kind, model)) or self._times.get((name, status.kind, ""))
            for name in backends
        )
        return max((one for one in found if one), default=None)

    def _model(self, status: BatchStatus) -> str:
        folder = self._link.folder(status.id)
        model = folder.header.spec.job.get("model") if folder else None
        return model if isinstance(model, str) else ""

    def words(self, status: BatchStatus) -> str:
        """`12 min, usually 35 min, 9 of 10 within 1 h`, `2 h, slow: usually 35 min`; empty where the backend tells more."""
        since = silent_since(status)
        if since is None:
            return ""
        taken, usual = self._now() - since, self.of(status)
        if usual is None:
            return figures.spelled(taken)
        half = figures.spelled(usual.half)
        if taken > (usual.most if usual.seen >= TELLING else 2 * usual.half):
            return f"{figures.spelled(taken)}, slow: usually {half}"
        spread = f", 9 of 10 within {figures.spelled(usual.most)}" if usual.seen >= TELLING else ""
        return f"{figures.spelled(taken)}, usually {half}{spread}"

    def short(self, status: BatchStatus) -> str:
        """`12m of ~35m`: the same for a narrow column."""
        since = silent_since(status)
        if since is None:
            return ""
        taken, usual = figures.span(self._now() - since), self.of(status)
        return f"{taken} of ~{figures.span(usual.half)}" if usual is not None else taken

    def left(self, status: BatchStatus) -> float | None:
        """Seconds that it still has by what is usual; None where that is over, or not known."""
        since = silent_since(status)
        usual = None if since is None else self.of(status)
        if since is None or usual is None:
            return None
        left = since + usual.half - self._now()
        return left if left > 0 else None


def _usual(statuses: Iterable[tuple[BatchStatus, str]]) -> dict[_Key, Usual]:
    taken: dict[_Key, list[float]] = {}
    for status, model in statuses:
        for one in status.submissions or []:
            began, ended = figures.unix(one.submitted), figures.unix(one.ended)
            if one.status is not SubmissionState.COLLECTED or not one.remote_id or one.reason:
                continue
            if began is not None and ended is not None and ended > began:
                for name in {model, ""}:
                    taken.setdefault((one.backend, status.kind, name), []).append(ended - began)
    # `statistics` is slow to import, and this runs before the first paint.
    return {key: _of(sorted(times)) for key, times in taken.items()}


def _of(times: list[float]) -> Usual:
    return Usual(times[len(times) // 2], times[min(len(times) - 1, len(times) * 9 // 10)], len(times))
