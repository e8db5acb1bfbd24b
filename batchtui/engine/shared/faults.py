"""Faults of ours, and a disk that refuses: told, rested, and tried again, so that neither stops a batch for good.

Every round and every task of a batch ends here when it meets what it was not made for. A full disk is known to the
batch as a whole: nothing new is sent, and once a second it is tried whether there is space, by the line of the
journal that says so. Any other fault holds back what met it alone, with pauses that grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from batchtui.engine.shared.pauses import Pauses
from batchtui.engine.shared.services import Level, Services
from batchtui.errors import BatchtuiError
from batchtui.model import Attention, SubmissionState
from batchtui.store.disk import clock
from batchtui.store.disk.lines import disk_words, is_disk, try_space
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter

PROBE_SECONDS = 1.0
LONGEST_PAUSE = 300.0
_QUIET_SECONDS = 60.0
"""A disk that fails now and then is told of once in this time, not each time."""


def disk_attention(fault: BaseException) -> Attention:
    """That there is no space, with the path; it goes on by itself."""
    return Attention(kind="disk", text=disk_words(fault)[:400], since=clock.now())


class Faults:
    """What stands in the way of one batch's own work, and since when."""

    def __init__(
        self, folder: BatchFolder, writer: BatchWriter, services: Services, wake_in: Callable[[float], None]
    ) -> None:
        """`wake_in` has the batch looked at again after so many seconds."""
        self._folder, self._writer, self._services, self._wake_in = folder, writer, services, wake_in
        self._pauses: Pauses[int | None] = Pauses()
        self._space = asyncio.Event()
        self._probe_due = 0.0
        self._told_full = -_QUIET_SECONDS

    def _log(self, level: Level, text: str, *, told: bool = False) -> None:
        self._services.log(self._folder.id, level, text, told=told)

    # ---- asked

    @property
    def full(self) -> bool:
        """Whether the disk takes nothing: nothing new is sent meanwhile."""
        return "disk" in self._folder.standing

    @property
    def resting(self) -> bool:
        """Whether something rests that will be tried again by itself."""
        known = self._folder.progress.submissions
        return self.full or any(
            sub is None or (sub in known and known[sub].state is not SubmissionState.COLLECTED)
            for sub in self._pauses
        )

    def left(self, sub: int | None = None) -> float:
        """Seconds that a submission's next step, or the batch's next round, has still to wait; 0 or less: none."""
        return self._pauses.left(sub)

    # ---- told

    def met(self, fault: BaseException, sub: int | None = None) -> None:
        """The round, or the step of a submission, ended with this. Never raises."""
        if is_disk(fault):
            self._is_full(fault)
            return
        wait = self._pauses.hold(sub, most=LONGEST_PAUSE)
        text = f"internal fault: {type(fault).__name__}: {fault}"[:300]
        place = f"submission {sub}: " if sub is not None else ""
        self._log("error", f"{place}{text}; again in {wait:.0f} s")
        self._wake_in(wait)
        if ("fault", sub) in self._folder.progress.attention or "fault" in self._folder.standing:
            return
        text = (
            f"{place}{text}; what is stored stays, it is tried again by itself, with growing pauses, "
            f"and batchtui resume {self._folder.id} tries at once"
        )
        self._log("error", text, told=True)
        try:
            self._writer.record("attention", kind="fault", sub=sub, text=text, actions=["resume"])
        except Exception:  # then the journal is what is at fault
            known = Attention(kind="fault", text=text, since=clock.now(), actions=("resume",))
            self._folder.standing["fault"] = known

    def over(self, sub: int | None = None) -> None:
        """It worked."""
        self._pauses.over(sub)
        if sub is None:
            self._folder.standing.pop("fault", None)
        if ("fault", sub) in self._folder.progress.attention:
            with contextlib.suppress(BatchtuiError):  # then it is settled the next time
                self._writer.record("settled", kind="fault", sub=sub)

    def hurry(self) -> None:
        """A person wants all of it tried now."""
        for sub in self._pauses:
            self._pauses.over(sub)
        self._probe_due = 0.0

    # ---- the disk

    def _is_full(self, fault: BaseException) -> None:
        if self.full:
            return
        self._space.clear()
        self._probe_due = time.monotonic() + PROBE_SECONDS
        known = disk_attention(fault)
        self._folder.standing["disk"] = known
        told = time.monotonic() - self._told_full >= _QUIET_SECONDS
        if told:
            self._told_full = time.monotonic()
        self._log("error", f"{known.text}; it goes on by itself then", told=told)
        self._writer.heartbeat()
        self._wake_in(PROBE_SECONDS)

    async def probe(self) -> None:
        """Each round: whether there is space again, and not in a last block alone, by writing down that there was none."""
        if not self.full or time.monotonic() < self._probe_due:
            return
        self._probe_due = time.monotonic() + PROBE_SECONDS
        known = self._folder.standing["disk"]
        try:
            await asyncio.to_thread(try_space, self._folder.path)
            await self._writer.record_durably("disk", text=known.text, since=known.since)
        except Exception:
            self._wake_in(PROBE_SECONDS)
            return
        self._folder.standing.pop("disk", None)
        self._writer.heartbeat()
        self._space.set()
        self._log("info", "there is space again; it goes on")

    async def space(self) -> None:
        """Until there is space again, or for a moment: whoever waits tries then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PROBE_SECONDS):
                await self._space.wait()
