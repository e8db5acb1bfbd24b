"""Asks one backend how its submissions fare: all of them in as few calls as it allows, slower while nothing moves."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from batchtui.backends.base import (
    Backend,
    NeedsPerson,
    Progress,
    Refused,
    Remote,
    Submission,
    Transient,
    TryLater,
)
from batchtui.engine.shared.backoff import delay
from batchtui.store.disk import clock

Contact = Callable[[str | None, str, Exception | None], None]
"""Told after every round: when the backend last answered, when it is asked again, what went wrong."""
BACKOFF_CAP = 300.0
TOGETHER = 1.0
"""Seconds between wishes within which submissions are waited for, so that one call asks for all of them."""
UNTOLD_MOST = 2
"""Rounds in a row after which it is said that a submission alone cannot be told: one may be a bad moment."""


@dataclass(slots=True)
class Watch:
    """One submission being watched, and who wants to know."""

    submission: Submission
    progress: Callable[[Progress], None]
    contact: Contact
    trouble: Callable[[NeedsPerson], None]
    broke: Callable[[BaseException], None]
    """Told of a fault of ours in what is done with the answer, or of a full disk. Never raises."""
    last: str | None = None
    seen: tuple[object, ...] = ()
    due: float = 0.0
    """By the monotonic clock: not asked for before, as its backend wished."""
    untold: int = 0
    """Rounds in a row in which it alone could not be told."""

    @property
    def left(self) -> float:
        """Seconds until it may be asked for."""
        return max(0.0, self.due - time.monotonic())


class Poller:
    """A task that lives while anything is watched. A transport error is never a state: it only delays the next round."""

    def __init__(self, backend: Backend[msgspec.Struct]) -> None:
        assert isinstance(backend, Remote)
        self._backend = backend
        self._watched: dict[str, Watch] = {}
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._interval = backend.limits.poll_interval
        self._failures = 0
        self._asked = 0.0
        """Seconds that the backend asked to wait, in its last answer."""

    def watch(self, key: str, watch: Watch) -> None:
        """Start to watch, or go on; the next round comes after the shortest interval at most."""
        if key in self._watched:
            return
        self._watched[key] = watch
        self._interval = self._backend.limits.poll_interval
        if time.time() - watch.submission.created > self._interval:
            self._hurry.set()  # taken up again: what ended meanwhile is fetched at once
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def unwatch(self, key: str) -> None:
        self._watched.pop(key, None)

    def hurry(self) -> None:
        """Poll now."""
        self._hurry.set()

    async def close(self) -> None:
        self._watched.clear()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._watched:
            await self._pause()
            if self._watched:
                await self._round()

    def _tell(self, watch: Watch, call: Callable[[], None]) -> None:
        """One submission's trouble ends neither the round of the others nor ours."""
        try:
            call()
        except Exception as fault:
            watch.broke(fault)

    def _wait(self) -> float:
        """Seconds until the next round, a little more or less so that many clients do not ask in step."""
        if self._asked:
            return delay(self._failures, self._asked)
        wait = self._interval
        if self._failures:
            wait = min(BACKOFF_CAP, self._backend.limits.backoff, wait * 2**self._failures)
        wait *= random.uniform(0.9, 1.1)
        wishes = [watch.left for watch in self._watched.values()]
        if self._failures or not all(wishes) or not wishes:
            return wait
        soon = min(wishes) + TOGETHER
        return max(left for left in wishes if left <= soon)

    async def _pause(self) -> None:
        wait = self._wait()
        for watch in self._watched.values():
            watch.contact(watch.last, clock.stamp(time.time() + max(wait, watch.left)), None)
        if self._asked:  # nothing makes us ask sooner
            await asyncio.sleep(wait)
            return
        try:
            async with asyncio.timeout(wait):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()

    async def _round(self) -> None:
        watches = {key: watch for key, watch in self._watched.items() if not watch.left}
        if not watches:
            return
        by_id = {index: (key, watch) for index, (key, watch) in enumerate(watches.items())}
        # Submission ids are unique in a batch only; the backend sees them numbered anew.
        asked = [_renumbered(watch.submission, index) for index, (_, watch) in by_id.items()]
        try:
            answers = await self._ask(asked, [watch for _, watch in by_id.values()])
        except NeedsPerson as fault:
            self._failures, self._asked = self._failures + 1, 0.0
            for watch in watches.values():
                self._tell(watch, partial(watch.trouble, fault))
            return
        except (Transient, TryLater, Refused) as fault:
            self._failures += 1
            self._asked = getattr(fault, "after", None) or 0.0
            for watch in watches.values():
                watch.contact(watch.last, clock.stamp(time.time() + self._asked), fault)
            return
        self._failures, self._asked = 0, 0.0
        now = clock.now()
        moved = False
        for index, progress in answers.items():
            key, watch = by_id[index]
            if isinstance(progress, Transient):
                self._untold(watch, progress, now)
                continue
            watch.last, watch.untold = now, 0
            watch.due = time.monotonic() + progress.after if progress.after else 0.0
            if key in self._watched:
                seen = (progress.state, progress.completed, progress.failed)
                moved |= watch.seen != seen
                watch.seen = seen
                self._tell(watch, partial(watch.progress, progress))
        limits = self._backend.limits
        self._interval = (
            limits.poll_interval
            if moved
            else min(self._interval * 1.3, max(limits.poll_interval_max, limits.poll_interval))
        )

    def _untold(self, watch: Watch, fault: Transient, now: str) -> None:
        """It is asked for again with all the others; what was said of it does not slow them down."""
        watch.untold += 1
        if fault.answered:
            watch.last = now
        if watch.untold >= UNTOLD_MOST:
            watch.contact(watch.last, now, fault)

    async def _ask(
        self, asked: Sequence[Submission], watches: Sequence[Watch]
    ) -> Mapping[int, Progress | Transient]:
        """The answers; a fault of ours is that of the submission alone which cannot be asked for."""
        try:
            return await self._backend.poll(asked)
        except (NeedsPerson, Transient, TryLater, Refused):
            raise
        except Exception as fault:
            if len(asked) == 1:
                watches[asked[0].id].broke(fault)
                return {}
        answers: dict[int, Progress | Transient] = {}
        for one in asked:
            answers |= await self._ask([one], watches)
        return answers


def _renumbered(submission: Submission, index: int) -> Submission:
    return Submission(
        id=index,
        token=submission.token,
        batch_name=submission.batch_name,
        created=submission.created,
        remote_id=submission.remote_id,
        facts=submission.facts,
        jobs=submission.jobs,
    )
