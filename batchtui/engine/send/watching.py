"""Submissions that run remotely: watched by their backend's poller, cancelled where that was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchtui.backends.base import NeedsPerson, Progress, Refused, Transient, TryLater
from batchtui.engine.send.feeding import can_be_fed, feed_later
from batchtui.engine.shared.backoff import delay
from batchtui.engine.shared.poller import Watch
from batchtui.model import LIVE_REMOTELY, SubmissionState
from batchtui.store.files.contacts import Contact
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.collect.growing import Growing
    from batchtui.engine.live_batch import LiveBatch
    from batchtui.engine.submissions import Submissions

BELIEVED = 3
"""How often in a row a backend must say that it does not know a submission before a person is asked."""
_ASKING = 0.5
"""Seconds that a cancel under way has left when we let go."""


class Watching:
    """What is watched and cancelled of one batch."""

    def __init__(self, submissions: Submissions, growing: Growing, batch: LiveBatch) -> None:
        self._submissions, self._growing, self._batch = submissions, growing, batch
        self._watched: set[int] = set()
        self._missed: dict[int, int] = {}
        """By submission, how often in a row its backend said that it does not know it."""
        self._cancelling: dict[int, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        return bool(self._watched)

    async def stop(self) -> None:
        for record in self._submissions:
            if record.id in self._watched:
                self.end(record)
        tasks = [*self._cancelling.values(), *self._ending]
        if tasks:
            await asyncio.wait(tasks, timeout=_ASKING)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cancel(self, record: SubmissionRecord) -> None:
        """Ask the backend to stop it, unless that was done."""
        if not record.cancel_asked and record.id not in self._cancelling:
            self._cancelling[record.id] = asyncio.create_task(self._cancel(record))

    def cancel_jobs(self, record: SubmissionRecord, numbers: Sequence[int]) -> None:
        """Ask the backend to stop some of its jobs."""
        task = asyncio.create_task(self._cancel_jobs(record, numbers))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def begin(self, record: SubmissionRecord) -> None:
        """Watch it, or go on."""
        if record.id in self._watched:
            return
        self._watched.add(record.id)
        folder = self._batch.folder

        def contact(last: str | None, following: str, fault: Exception | None) -> None:
            self._batch.contacting.asked(record.id, record.backend, last, following, fault)

        watch = Watch(
            submission=self._submissions.told(record),
            progress=lambda progress: self._answered(record, progress),
            contact=contact,
            trouble=self._batch.need_person,
            broke=lambda fault: self._batch.faults.met(fault, record.id),
            last=folder.contacts.get(record.id, Contact(record.submitted)).last,
        )
        self._batch.services.poller(record.backend).watch(self._key(record), watch)

    def end(self, record: SubmissionRecord) -> None:
        self._watched.discard(record.id)
        self._batch.services.poller(record.backend).unwatch(self._key(record))

    def _key(self, record: SubmissionRecord) -> str:
        return f"{self._batch.folder.id}/{record.id}"

    def _answered(self, record: SubmissionRecord, progress: Progress) -> None:
        if self._batch.faults.full:
            return  # nothing can be written down: the next answer says the same
        self._polled(record, progress)
        self._batch.faults.over(record.id)

    def _polled(self, record: SubmissionRecord, progress: Progress) -> None:
        if progress.ended_as == "forgotten":
            missed = self._missed[record.id] = self._missed.get(record.id, 0) + 1
            if missed < BELIEVED:
                self._batch.log(
                    "warning", f"submission {record.id}: {record.backend} does not know it; asked again"
                )
                return
            self.end(record)
            self._forgotten(record)
            return
        self._missed.pop(record.id, None)
        if can_be_fed(self._batch, record, progress):
            self.end(record)
            self._submissions.begin(record.id, feed_later(self._batch, record, progress.error or ""))
            return
        facts = {key: value for key, value in progress.facts.items() if record.facts.get(key) != value}
        if progress.state is not SubmissionState.ENDED and self._growing.is_due(record, progress):
            self._submissions.begin(record.id, self._growing.harvest(record))
        new = (progress.state, progress.completed or 0, progress.failed or 0)
        if record.grows or record.early:  # whose counts are those of the stored results
            new = (progress.state, record.completed, record.failed)
        if new != (record.state, record.completed, record.failed) or facts:
            self._batch.writer.record(
                "poll",
                sub=record.id,
                state=progress.state,
                completed=progress.completed,
                failed=progress.failed,
                **({} if progress.total is None else {"total": progress.total}),
                ended_as=progress.ended_as,
                error=progress.error[:500] if progress.error else None,
                expires=progress.expires,
                facts=facts,
            )
            if progress.state is SubmissionState.ENDED:
                self._batch.log("info", f"submission {record.id} ended: {progress.ended_as}")
                self._batch.wake()

    def _forgotten(self, record: SubmissionRecord) -> None:
        self._batch.writer.record(
            "attention",
            kind="forgotten",
            sub=record.id,
            text=f"{record.backend} no longer knows submission {record.id} ({record.remote_id}); "
            "what was saved stays",
            actions=["abandon"] if record.grows else ["resend", "abandon"],
        )

    async def _cancel(self, record: SubmissionRecord) -> None:
        fails = 0
        try:
            while record.state in LIVE_REMOTELY and record.state is not SubmissionState.ENDED:
                try:
                    await self._submissions.backend(record).cancel(self._submissions.told(record))
                except (Transient, TryLater) as fault:
                    fails += 1
                    self._batch.contacting.failed(record.backend, str(fault))
                    await asyncio.sleep(delay(fails, fault.after))
                    continue
                except NeedsPerson as fault:
                    self._batch.need_person(fault)
                    await self._batch.person_answered()
                    continue
                except Refused as fault:
                    self._batch.log("warning", f"submission {record.id}: cancel was refused: {fault}")
                except Exception as fault:
                    fails += 1
                    self._batch.faults.met(fault, record.id)
                    await asyncio.sleep(delay(fails))
                    continue
                await self._batch.persist(lambda: self._batch.writer.record("cancel_asked", sub=record.id))
                self._batch.services.poller(record.backend).hurry()
                return
        finally:
            self._cancelling.pop(record.id, None)
            self._batch.wake()

    async def _cancel_jobs(self, record: SubmissionRecord, numbers: Sequence[int]) -> None:
        fails = 0
        while record.state in LIVE_REMOTELY and record.state is not SubmissionState.ENDED:
            try:
                await self._submissions.backend(record).cancel_jobs(self._submissions.told(record), numbers)
            except (Transient, TryLater) as fault:
                fails += 1
                await asyncio.sleep(delay(fails, fault.after))
            except (Refused, NeedsPerson) as fault:
                self._batch.log("warning", f"submission {record.id}: cancel was refused: {fault}")
                return
            except Exception as fault:
                fails += 1
                self._batch.faults.met(fault, record.id)
                await asyncio.sleep(delay(fails))
            else:
                self._batch.services.poller(record.backend).hurry()
                return
