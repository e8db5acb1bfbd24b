"""The lanes of one batch: one for all its remote backends, and one for each direct one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.backends.base import Direct
from batchtui.engine.send.direct import DirectLane
from batchtui.engine.send.remote import RemoteLane
from batchtui.engine.shared.pool import AnyBackend
from batchtui.model import SubmissionState
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch


class Lanes:
    """What a batch sends jobs through, whatever the number of backends."""

    def __init__(self, batch: LiveBatch, backends: list[AnyBackend]) -> None:
        """`backends` are those of the batch; a direct one gets an instance of its own."""
        self._batch = batch
        self.direct: dict[str, DirectLane] = {}
        for backend in backends:
            if not backend.remote:
                own = batch.services.backends.fresh(backend.name)
                assert isinstance(own, Direct)
                self.direct[backend.name] = DirectLane(batch, own)
        remote = [backend.name for backend in backends if backend.remote]
        self.remote = RemoteLane(batch, remote) if remote else None

    def unserved(self) -> str | None:
        """Why a submission that is open cannot be followed: its backend is none of these, or runs jobs here."""
        known = self._batch.services.backends.names()
        for record in self._batch.progress.submissions.values():
            if record.state is SubmissionState.COLLECTED or (
                self.remote and record.backend in self.remote.backends
            ):
                continue
            told = f'submission {record.id} is at backend "{record.backend}", '
            if record.backend in self.direct:
                return f"{told}which is of kind {self._kind(record.backend)} now; restore it in the config"
            if record.backend in known:
                return f"{told}which is none of this batch's; its journal is not that of this batch"
            return f"{told}which the config does not have; restore it there"
        return None

    def _kind(self, name: str) -> str:
        return self._batch.services.backends.get(name).kind

    def _all(self) -> list[DirectLane | RemoteLane]:
        return [*self.direct.values(), *([self.remote] if self.remote else [])]

    @property
    def in_flight(self) -> int:
        """Direct jobs that run now."""
        return sum(lane.in_flight for lane in self._all())

    @property
    def idle(self) -> bool:
        """Nothing runs, is sent, looked up, watched or collected."""
        return all(lane.idle for lane in self._all())

    @property
    def busy(self) -> set[int]:
        """Submissions that are being sent, looked up or collected this moment."""
        return self.remote.busy if self.remote else set()

    async def recover(self) -> None:
        await asyncio.to_thread(self._batch.owners.load)
        for lane in self._all():
            await lane.recover()

    def pump(self) -> None:
        """Send what may be sent, and give every submission its next step."""
        for lane in self._all():
            lane.pump()

    def offer(self, numbers: Iterable[int]) -> None:
        """These jobs went back to pending, or others may be sent than before."""
        numbers = list(numbers)
        for name, lane in self.direct.items():
            lane.offer(self._batch.sendable(name, numbers))
        if self.remote:
            self.remote.offer(numbers)

    def cancel(self, numbers: Iterable[int]) -> None:
        """End the direct attempts of these jobs that are in flight, and submissions that hold no others."""
        wanted = set(numbers)
        for lane in self._all():
            lane.cancel(wanted)

    def withdraw(self, record: SubmissionRecord) -> None:
        """Drop a submission that waits to be sent."""
        if self.remote:
            self.remote.withdraw(record)

    async def stop(self) -> None:
        await asyncio.gather(*(lane.stop() for lane in self._all()))

    # ---- one sort of them

    def hurry(self, sub: int) -> None:
        """A person asks: look at what this submission gave now."""
        if self.remote:
            self.remote.hurry(sub)

    def use_output(self, folder: Path, earlier: Sequence[Path]) -> None:
        """Where direct jobs write to, before `recover`; and where results of the same inputs may be."""
        for lane in self.direct.values():
            lane.use_output(folder, earlier)

    async def recover_direct(self) -> None:
        """Put direct jobs back that were in flight when the last run ended."""
        for lane in self.direct.values():
            await lane.recover()
