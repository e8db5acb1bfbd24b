"""A batch on its way from its creation to its end, by the clock, whatever protocol it came through."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from batchtui.demo.world import World

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
VALIDATING, WORKING, FINALIZING = 0.1, 0.75, 0.15
"""Shares of a batch's duration."""
CANCELLING = 3.0
"""Seconds at most from a cancel to its end, however long the batch was to take."""


class Counts(NamedTuple):
    total: int = 0
    completed: int = 0
    failed: int = 0


class Run:
    """States: validating, in_progress, finalizing, cancelling, and those in ENDED.

    `failing` says of each row, in the order of processing, whether it fails (1) or not (0). `write(done, ended_as)` is
    called in a thread once the first `done` rows have been processed and must leave the results where they are read.
    `times` are Unix seconds at which a state was entered.
    """

    def __init__(
        self, world: World, failing: bytes, write: Callable[[int, str], None], *, valid: bool = True
    ) -> None:
        self.world, self.valid = world, valid
        self.times: dict[str, float] = {"created": time.time()}
        self.status = "validating"
        self._write = write
        self._failed = array("I", accumulate(failing, initial=0))
        self._done: int | None = None
        self._cancelled = asyncio.Event()
        faults = world.faults
        self._share = 1.0 if faults.expire is None else faults.expire
        self._expires = faults.expire is not None
        self.seconds = 0.5 + self.total / 20_000 if faults.duration is None else faults.duration
        self._task = world.spawn(self._drive())

    @property
    def total(self) -> int:
        return len(self._failed) - 1

    @property
    def counts(self) -> Counts:
        """How many rows are done by now; all zero while the input is being read."""
        if self.status == "validating" or not self.valid:
            return Counts()
        done = self._so_far() if self._done is None else self._done
        return Counts(self.total, done - self._failed[done], self._failed[done])

    @property
    def expires(self) -> float:
        """When it ends at the latest."""
        return self.times["created"] + (max(1.0, self.seconds) if self._expires else 86_400.0)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def cancel(self) -> bool:
        """Ask it to stop; False where it has ended already."""
        if self.ended:
            return False
        if not self._cancelled.is_set():
            self._cancelled.set()
            self._enter("cancelling")
        return True

    def _enter(self, status: str) -> None:
        self.status = status
        self.times[status] = time.time()

    def _so_far(self) -> int:
        if "in_progress" not in self.times:
            return 0
        share = (time.time() - self.times["in_progress"]) / (self.seconds * WORKING or 1e-9)
        return int(self.total * min(max(share, 0.0), self._share))

    async def _stretch(self, seconds: float) -> None:
        """Lets time pass, less of it when a cancel comes."""
        try:
            async with asyncio.timeout(seconds):
                await self._cancelled.wait()
        except TimeoutError:
            pass

    async def _drive(self) -> None:
        await self._stretch(self.seconds * VALIDATING)
        if not self.valid:
            self._enter("failed")
            return
        if self._cancelled.is_set():
            self._done = 0
        else:
            self._enter("in_progress")
            await self._stretch(self.seconds * WORKING * self._share)
            self._done = self._so_far() if self._cancelled.is_set() else int(self.total * self._share)
        if not self._cancelled.is_set():
            self._enter("finalizing")
        closing = self.seconds * FINALIZING
        await asyncio.sleep(min(closing, CANCELLING) if self._cancelled.is_set() else closing)
        ended = "cancelled" if self._cancelled.is_set() else "expired" if self._expires else "completed"
        await asyncio.to_thread(self._write, self._done, ended)
        self._enter(ended)
