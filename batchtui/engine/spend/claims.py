"""What one batch has reserved in the file that all processes share, kept in line with what it has in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING

from batchtui.backends.base import NeedsPerson
from batchtui.engine.spend.direct_money import DirectMoney
from batchtui.engine.spend.spending import DIRECT, Ask, Refusal
from batchtui.errors import StoreDamaged
from batchtui.prices import nano
from batchtui.store.files.spend import Claim
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

AGAIN_SECONDS = 10.0
"""Seconds after which settling that failed is tried again."""


class Claims:
    """Reserves, and settles what is over. Lock and disk are waited for in threads, one write at a time."""

    def __init__(
        self,
        context: BatchContext,
        direct: DirectMoney,
        in_flight: Callable[[], Mapping[str, SubmissionRecord]],
    ) -> None:
        """`direct` is what direct jobs hold; `in_flight` tells the submissions whose money is to stay reserved, by key."""
        self._context, self._direct = context, direct
        self._spending = context.services.spending
        self._in_flight = in_flight
        self._known: dict[str, Claim] = {}
        self.loaded = False
        """Whether it is known what an earlier run left reserved."""
        self._reserving: set[str] = set()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._again = 0.0

    @property
    def busy(self) -> bool:
        return self._task is not None

    async def reserve(
        self, key: str, ask: Callable[[], Ask | None], pool_size: int | None = None
    ) -> int | Refusal | None:
        """The amount that is reserved now under `key`, on the disk; what is over is settled with it.

        `ask` is called when it is our turn; None: it is not needed any more. Raises StoreFull; a file that cannot be
        relied on needs a person.
        """
        self._reserving.add(key)
        try:
            async with self._turn:
                wanted = ask()
                if wanted is None:
                    return None
                await self._load()
                gone = self._difference()[0] - {DIRECT}
                answer = await asyncio.to_thread(self._spending.reserve, wanted, pool_size, gone)
                self._take_out(gone)
                if not isinstance(answer, Refusal):
                    self._known[key] = Claim(nano=answer, pool=wanted.pool, tokens=wanted.tokens)
            return answer
        except StoreDamaged as fault:
            self._reserving.discard(key)
            self._context.need_person(NeedsPerson("money", f"nothing can be reserved: {fault}"))
            return Refusal("day", str(fault), wait=True)
        except BaseException:
            self._reserving.discard(key)
            raise

    def reserved(self, key: str) -> None:
        """What was reserved is in flight by now, or is not needed."""
        self._reserving.discard(key)

    # ---- settling

    def balance(self) -> None:
        """Settle what is over, after a crash too. Called every round."""
        if time.monotonic() < self._again:
            return
        if self._task is None and (not self.loaded or any(self._difference())):
            self.start(self._settle())

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Do this in the background; the batch is looked at again after it."""
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (fault := task.exception()):
            self._again = time.monotonic() + AGAIN_SECONDS
            self._context.faults.met(fault)
        self._context.wake()

    def _difference(self) -> tuple[set[str], dict[str, Claim]]:
        """Claims that are over, and those that are missing."""
        known, live = self._known, self._in_flight()
        gone = {key for key in known if key not in live and key != DIRECT and key not in self._reserving}
        if DIRECT in known and self._direct.is_over():
            gone.add(DIRECT)
        missing = {
            key: Claim(nano=nano(record.estimated_usd))
            for key, record in live.items()
            if key not in known and record.estimated_usd
        }
        return gone, missing

    async def _settle(self) -> None:
        async with self._turn:
            await self._load()
            gone, missing = self._difference()
            if gone or missing:
                await self._write(gone, missing)

    async def _write(self, gone: set[str], missing: dict[str, Claim]) -> None:
        if DIRECT in gone:
            self._direct.drop()  # at once: nothing may be taken from it while it is given back
        batch, total = self._context.folder.id, self._context.progress.cost_nano
        await asyncio.to_thread(self._spending.settle, batch, total, gone, missing)
        self._take_out(gone)
        self._known |= missing

    async def _load(self) -> None:
        if not self.loaded:
            self._known = await asyncio.to_thread(self._spending.claims, self._context.folder.id)
            self.loaded = True

    def _take_out(self, gone: set[str]) -> None:
        for key in gone:
            self._known.pop(key, None)

    async def close(self) -> None:
        """Settle what is over before the batch is let go. Raises StoreDamaged, StoreFull."""
        if self._task:
            await asyncio.wait([self._task])
        async with self._turn:
            if self.loaded and (self._known or self._context.progress.cost_nano):
                await self._write(*self._difference())
