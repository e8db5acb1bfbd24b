"""The lanes of one batch: one for all its remote backends, and one for each direct one."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

from batchtui.backends.base import Direct
from batchtui.engine.direct import DirectLane
from batchtui.engine.pool import AnyBackend
from batchtui.engine.remote import RemoteLane
from batchtui.model import SubmissionState
from batchtui.store.folder import BatchFolder
from batchtui.store.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.driver import Driver


class Owners:
    """Which backend each job of a batch belongs to."""

    def __init__(self, folder: BatchFolder) -> None:
        self._folder = folder
        self._names = folder.header.backends
        self._codes: array[int] | None = None

    def load(self) -> None:
        """Read every job's backend, once, where there are several."""
        if len(self._names) == 1 or self._codes is not None:
            return
        jobs, default = self._folder.jobs, self._folder.header.backend
        codes = {name: code for code, name in enumerate(self._names)}
        self._codes = array("H", (codes[jobs.record(n).backend or default] for n in range(len(jobs))))

    def forget(self) -> None:
        """There are more jobs: read their backends anew."""
        self._codes = None

    def of(self, name: str, numbers: Iterable[int]) -> list[int]:
        """Those of the jobs that run on this backend."""
        if len(self._names) == 1:
            return list(numbers) if name == self._names[0] else []
        self.load()
        assert self._codes is not None
        code, codes = self._names.index(name), self._codes
        return [n for n in numbers if codes[n] == code]


class Lanes:
    """What a driver sends jobs through, whatever the number of backends."""

    def __init__(self, driver: Driver, backends: list[AnyBackend]) -> None:
        """`backends` are those of the batch; a direct one gets an instance of its own."""
        self._driver = driver
        self.direct: dict[str, DirectLane] = {}
        for backend in backends:
            if not backend.remote:
                own = driver.services.backends.fresh(backend.name)
                assert isinstance(own, Direct)
                self.direct[backend.name] = DirectLane(driver, own)
        remote = [backend.name for backend in backends if backend.remote]
        self.remote = RemoteLane(driver, remote) if remote else None

    def unserved(self) -> str | None:
        """Why a submission that is open cannot be followed: its backend is none of these, or runs jobs here."""
        known = self._driver.services.backends.names()
        for record in self._driver.progress.submissions.values():
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
        return self._driver.services.backends.get(name).kind

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
        await asyncio.to_thread(self._driver.owners.load)
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
            lane.offer(self._driver.sendable(name, numbers))
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
