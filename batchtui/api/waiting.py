"""Waiting for a batch: when it is over, when it never will be, and what is told meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from batchtui.api import figures
from batchtui.api.following import Followed
from batchtui.api.stops import label, stopped
from batchtui.engine.manage.waiting import Patience, all_submitted
from batchtui.errors import BatchtuiError, StoreDamaged, Unreachable
from batchtui.model import ENDED_BATCH_STATES, LIVE_REMOTELY, BatchStatus, Json

OnProgress: TypeAlias = Callable[[dict[str, Json], float, dict[str, dict[str, Json]]], object]
OnPoll: TypeAlias = Callable[[int, int, int], object]

TICK_SECONDS = 0.2


def pauses(timeout: float | None) -> Iterator[float]:
    """How long to wait each time, in seconds, until the time is up."""
    end = None if timeout is None else time.monotonic() + timeout
    while (left := TICK_SECONDS if end is None else min(TICK_SECONDS, end - time.monotonic())) > 0:
        yield left


class Waiter:
    """One caller's wait for one batch; having it driven is part of it."""

    def __init__(self, followed: Followed) -> None:
        self._followed = followed
        self._patience = Patience()
        self._let_go = False

    def is_over(self) -> bool:
        """Whether every job has its last word, and what is done at the end is done.

        Raises LimitHit, ConfigError, Unreachable, NeedsPerson where it never will, StoreDamaged.
        """
        status = self._followed.status()
        if status.status in ENDED_BATCH_STATES and status.ended:
            return True
        batch_id, engine = self._followed.id, self._followed.engine()
        try:
            busy = not engine.worker.wait({batch_id}, timeout=0)
        except BatchtuiError:  # it was replaced by one with a newer configuration
            return False
        status = self._followed.status()
        if status.status in ENDED_BATCH_STATES and (status.ended or not busy):
            return True
        if self._followed.folder.damage:
            raise StoreDamaged(self._followed.folder.damage[0])
        ours = engine.worker.drives(batch_id)
        if busy and (ours or status.driver is None):
            self._lose_patience(status)
            return False
        in_flight = any(part.status in LIVE_REMOTELY for part in status.submissions or ())
        given_up = not (busy or ours or status.paused)
        if status.attention and (given_up or not (in_flight or status.processing)):
            raise stopped(status, status.attention)
        if given_up:
            told = [
                line.text
                for line in engine.worker.log()
                if line.batch_id == batch_id and line.level == "error"
            ]
            raise BatchtuiError(
                f"{label(status)} cannot be driven: {told[-1] if told else 'no reason is known'}"
            )
        return False

    def rest(self, seconds: float) -> None:
        """So many seconds, or until this process first lets go of the batch, which is when it ends."""
        worker, ids = self._followed.engine().worker, {self._followed.id}
        with contextlib.suppress(BatchtuiError):  # it was replaced by one with a newer configuration
            if not (self._let_go or worker.wait(ids, timeout=0)):
                self._let_go = worker.wait(ids, timeout=seconds)
                return
        time.sleep(seconds)  # what another process does is seen by the batch's files

    def _lose_patience(self, status: BatchStatus) -> None:
        """Raises Unreachable where a backend takes nothing at all for a minute."""
        with self._followed.lock:
            over = self._patience.is_over(self._followed.folder)
        if over:
            raise Unreachable(
                f"{label(status)}: {status.backend} has taken nothing for a minute: {self._patience.reason}"
            )

    def is_submitted(self) -> bool:
        """Whether everything that may go is at its backend (see `all_submitted`)."""
        with self._followed.lock:
            folder = self._followed.fresh()
            return folder.header.remote and all_submitted(folder)


class Teller:
    """Calls something every so many seconds, and once at the end."""

    def __init__(self, call: Callable[[], object] | None, interval: float) -> None:
        self._call, self._interval, self._due = call, interval, time.monotonic()

    def tell(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if self._call and (last or now >= self._due):
            self._due = now + self._interval
            self._call()


def progress_call(followed: Followed, on_progress: OnProgress) -> Callable[[], object]:
    """Tells `(stats, elapsed seconds, batch_data)`."""

    def call() -> None:
        with followed.lock:
            status = followed.status()
            folder = followed.folder
            stats = figures.stats(status, folder.header.spec.limits.jobs_per_submission)
            data = figures.batch_data(folder, status)
        on_progress(stats, figures.elapsed(status, time.time()), data)

    return call
