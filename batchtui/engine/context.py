"""What a step of the engine may touch of the batch that it works on, and nothing above it.

Every helper takes this in place of the round that runs it, so that arrows inside the engine point down: the round knows
its helpers, and none of them knows the round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from batchtui.backends.base import NeedsPerson
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.shared.contacting import Contacting
from batchtui.engine.shared.faults import Faults
from batchtui.engine.shared.owners import Owners
from batchtui.engine.shared.services import Level, Services
from batchtui.model import Json
from batchtui.store.disk.lines import StoreFull
from batchtui.store.files import contacts
from batchtui.store.fold.progress import Progress, SubmissionRecord
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter


class OpenLanes(Protocol):
    """What jobs go out through, as far as a helper asks anything of it."""

    @property
    def in_flight(self) -> int:
        """Direct jobs that run now."""

    @property
    def idle(self) -> bool:
        """Nothing runs, is sent, looked up, watched or collected."""

    @property
    def busy(self) -> set[int]:
        """Submissions that are being sent, looked up or collected this moment."""

    def offer(self, numbers: Iterable[int]) -> None:
        """These jobs went back to pending, or others may be sent than before."""

    def cancel(self, numbers: Iterable[int]) -> None:
        """End the direct attempts of these jobs that are in flight, and submissions that hold no others."""

    def withdraw(self, record: SubmissionRecord) -> None:
        """Drop a submission that waits to be sent."""

    def hurry(self, sub: int) -> None:
        """A person asks: look at what this submission gave now."""

    def use_output(self, folder: Path, earlier: Sequence[Path]) -> None:
        """Where direct jobs write to, and where results of the same inputs may be."""

    async def recover_direct(self) -> None:
        """Put direct jobs back that were in flight when the last run ended."""


class BatchContext:
    """One batch that this process drives. All methods belong to the worker's loop."""

    def __init__(self, folder: BatchFolder, writer: BatchWriter, services: Services) -> None:
        self.folder, self.writer, self.services = folder, writer, services
        self.renderer = Renderer(folder, services.backends)
        self.owners = Owners(folder)
        self.folder.contacts = contacts.read(folder.path)
        self.faults = Faults(folder, writer, services, self.wake_in)
        self.contacting = Contacting(folder, services)
        self.lanes: OpenLanes | None = None
        """None until the batch is opened; and where it has ended, or cannot be opened."""
        self.stopping = False
        """Nothing more is begun."""
        self.letting_go = False
        """Someone waits for the end: a disk that is full is waited for no longer."""
        self.woken = asyncio.Event()
        self._answered = asyncio.Event()

    @property
    def progress(self) -> Progress:
        return self.folder.progress

    def log(self, level: Level, text: str, *, told: bool = False) -> None:
        """`told`: whoever follows the batch is to see it at once."""
        self.services.log(self.folder.id, level, text, told=told)

    # ---- the next round

    def wake(self) -> None:
        """Have the next round now."""
        self.woken.set()

    def wake_in(self, seconds: float) -> None:
        """Have a round in so many seconds, an hour at most."""
        asyncio.get_running_loop().call_later(max(0.0, min(seconds, 3600.0)), self.woken.set)

    # ---- writing

    def attempt(self, step: Callable[[], None]) -> bool:
        """Do something that belongs to the batch as a whole; whether it went well. Never raises."""
        try:
            step()
        except Exception as fault:
            self.faults.met(fault)
            return False
        return True

    async def persist(self, write: Callable[[], object], *, aside: bool = False) -> None:
        """Write, and try again while the disk is full, until we are to let go. Raises StoreFull then.

        `aside`: in a thread of its own, for what takes the disk a while.
        """
        while True:
            try:
                if aside:
                    await asyncio.to_thread(write)
                else:
                    write()
                return
            except StoreFull as fault:
                self.faults.met(fault)
                if self.letting_go:
                    raise
                await self.faults.probe()
                await self.faults.space()

    async def persist_durably(self, event: str, **facts: Json) -> None:
        """Journal what happened elsewhere and can be known by nobody but us, and wait until it is on the disk."""
        await self.persist(lambda: self.writer.record(event, **facts))
        await self.writer.commit()

    # ---- attention

    def need_person(self, fault: NeedsPerson) -> None:
        """Stop sending and say why; `resume` goes on."""
        if (fault.kind, None) not in self.progress.attention:
            self.writer.record("attention", kind=fault.kind, text=fault.message[:300], actions=["resume"])
            self.log("error", fault.message)
        self._answered.clear()

    async def person_answered(self) -> None:
        await self._answered.wait()

    def settle_attention(self, *kinds: str) -> None:
        """A person has answered what is of these kinds, or nobody needs to any more."""
        for kind, sub in list(self.progress.attention):
            if kind in kinds:
                self.writer.record("settled", kind=kind, sub=sub)
        if "fault" in kinds:
            self.faults.hurry()
        self._answered.set()
