"""Submissions of one batch: planned, sent at most once, watched, collected. The order of the steps is the promise:
intent on disk, upload, create, remote id on disk; what lies between is looked up, never repeated."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING

import msgspec

from batchtui.backends.base import (
    NeedsPerson,
    Progress,
    Refused,
    Remote,
    Submission,
    Transient,
    TryLater,
    Unsure,
)
from batchtui.engine.backoff import delay
from batchtui.engine.collecting import collect
from batchtui.engine.limits import Effective
from batchtui.engine.packing import Slice, pack
from batchtui.engine.poller import Watch
from batchtui.engine.recovery import Recovery
from batchtui.model import LIVE_REMOTELY, JobState, Json, SubmissionState
from batchtui.store import clock, ranges
from batchtui.store.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.driver import Driver

OPEN = frozenset(SubmissionState) - {SubmissionState.COLLECTED, SubmissionState.WAITING}


class RemoteLane:
    """Sends the pending jobs of one batch to its remote backends, and brings the answers home."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._cancelling: dict[int, asyncio.Task[None]] = {}
        self._slices: Iterator[Slice] | None = None
        self._watched: set[int] = set()
        self._due: dict[int, float] = {}

    # ---- reading

    @property
    def in_flight(self) -> int:
        return 0

    @property
    def idle(self) -> bool:
        """Nothing is being sent, looked up, watched or collected."""
        return not self._tasks and not self._watched

    @property
    def busy(self) -> set[int]:
        """Submissions that are being sent, looked up or collected this moment."""
        return set(self._tasks)

    def _records(self) -> list[SubmissionRecord]:
        return list(self._driver.progress.submissions.values())

    def backend(self, record: SubmissionRecord) -> Remote[msgspec.Struct]:
        backend = self._driver.services.backends.get(record.backend)
        assert isinstance(backend, Remote)
        return backend

    def submission(self, record: SubmissionRecord) -> Submission:
        return Submission(
            id=record.id,
            token=record.token,
            batch_name=self._driver.folder.header.name,
            created=clock.unix(record.created),
            remote_id=record.remote_id,
            facts=record.facts,
            jobs=ranges.count(record.jobs),
        )

    # ---- the round

    async def recover(self) -> None:
        """Nothing to end here: the pump looks up what may have been made."""

    def offer(self, numbers: object) -> None:
        """Jobs went back to pending: pack anew."""
        self._slices = None

    def pump(self) -> None:
        """Give every submission its next step, and send new ones where that is allowed."""
        if self._driver.stopping:
            return
        open_count = 0
        for record in self._records():
            open_count += record.state in OPEN
            if record.id in self._tasks:
                continue
            if record.state in (SubmissionState.SENDING, SubmissionState.UNSURE):
                if ("unsure", record.id) not in self._driver.progress.attention:
                    self._spawn(record.id, Recovery(self, self._driver, record).run())
            elif record.state is SubmissionState.ENDED:
                self._unwatch(record)
                self._spawn(record.id, collect(self, self._driver, record))
            elif record.state in LIVE_REMOTELY:
                self._watch(record)
                if (
                    self._driver.wants_cancel()
                    and not record.cancel_asked
                    and record.id not in self._cancelling
                ):
                    self._cancelling[record.id] = asyncio.create_task(self._cancel(record))
        if self._driver.may_send():
            self._send_more(open_count)

    def _spawn(self, id_: int, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[id_] = task
        task.add_done_callback(lambda task: self._done(id_, task))

    def _done(self, id_: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(id_, None)
        if not task.cancelled() and (fault := task.exception()):
            self._driver.broke(fault)
        self._driver.wake()

    # ---- sending

    def _send_more(self, open_count: int) -> None:
        now = asyncio.get_running_loop().time()
        for record in self._records():
            if record.state is SubmissionState.WAITING and record.id not in self._tasks:
                wait = self._due.get(record.id, 0) - now
                gate = self._driver.services.gate(record.backend).remaining
                if max(wait, gate) > 0:
                    self._driver.wake_in(max(wait, gate))
                elif open_count < self._limits(record.backend).submissions_at_once:
                    open_count += 1
                    self._spawn(record.id, self._resend(record))
        while open_count < self._limits(self._driver.folder.header.backend).submissions_at_once:
            slice_ = self._next_slice()
            if slice_ is None:
                return
            if not self._driver.can_pay_slice(slice_):
                self._slices = None
                return
            open_count += 1
            id_ = len(self._driver.progress.submissions) + 1
            while id_ in self._tasks:
                id_ += 1
            self._spawn(id_, self._send_new(id_, slice_))

    def _limits(self, backend: str) -> Effective:
        return self._driver.limits(self._driver.services.backends.get(backend))

    def _next_slice(self) -> Slice | None:
        """The next jobs to send together; only ones that are still pending and in no submission that waits."""
        progress = self._driver.progress
        if self._slices is None:
            held = {
                n
                for record in self._records()
                if record.state is SubmissionState.WAITING
                for n in ranges.decode(record.jobs)
            }
            numbers = [n for n in progress.numbers(JobState.PENDING) if n not in held]
            if not numbers:
                return None
            limits = self._limits(self._driver.folder.header.backend)
            kind = self._driver.services.backends.get(self._driver.folder.header.backend).limits
            records = (self._driver.folder.jobs.record(n) for n in numbers)
            named = ((record, self._driver.renderer.backend_name(record)) for record in records)
            self._slices = pack(
                named, most_jobs=limits.jobs_per_submission, most_bytes=kind.bytes_per_submission
            )
        return next(self._slices, None)

    async def _send_new(self, id_: int, slice_: Slice) -> None:
        token = f"{self._driver.folder.id}-{id_}-{secrets.token_hex(4)}"
        backend = self._driver.services.backends.get(slice_.backend)
        await self._driver.writer.record_durably(
            "intent",
            sub=id_,
            backend=slice_.backend,
            token=token,
            jobs=ranges.encode(slice_.jobs),
            account=backend.account(),
            hash=self._driver.folder.header.template_hash,
            bytes=slice_.size,
            estimated_usd=self._driver.estimate(slice_),
        )
        await self._create(self._driver.progress.submissions[id_])

    async def _resend(self, record: SubmissionRecord) -> None:
        """The same slice with the same token, after it was surely not made."""
        await self._driver.writer.record_durably(
            "intent", sub=record.id, backend=record.backend, token=record.token, jobs=record.jobs
        )
        await self._create(record)

    async def _create(self, record: SubmissionRecord) -> None:
        driver, backend = self._driver, self.backend(record)
        progress, writer = driver.progress, driver.writer
        numbers = list(ranges.decode(record.jobs))
        tries = {n: progress.tries[n] for n in numbers}
        unusable: dict[int, str] = {}
        jobs = driver.renderer.jobs(numbers, tries, record.token, unusable)

        def note(facts: dict[str, Json]) -> None:
            writer.record("note", sub=record.id, facts=facts)

        try:
            remote_id = await backend.submit(self.submission(record), jobs, note)
        except Refused as fault:
            self._refused(record, fault)
        except TryLater as fault:
            self._wait(record, fault)
        except NeedsPerson as fault:
            writer.record("waiting", sub=record.id, reason=fault.message[:200])
            driver.need_person(fault)
        except Unsure as fault:
            await writer.record_durably("unsure", sub=record.id, reason=str(fault)[:200])
            driver.log("warning", f"submission {record.id}: {fault}; looking it up")
        else:
            await writer.record_durably("submitted", sub=record.id, remote_id=remote_id)
            self._due.pop(record.id, None)
            driver.log("info", f"submission {record.id}: {len(numbers):,} jobs sent as {remote_id}")
            if unusable:
                self._drop_unusable(unusable)

    def _refused(self, record: SubmissionRecord, fault: Refused) -> None:
        writer = self._driver.writer
        facts = {"jobs": record.jobs, "error_kind": fault.kind, "error": fault.message[:500]}
        writer.record("mark", state=JobState.FAILED, **facts)
        writer.record("collected", sub=record.id, reason=f"refused: {fault.message[:200]}")
        self._driver.log("error", f"submission {record.id} was refused: {fault.message}")
        self._driver.job_failed()

    def _wait(self, record: SubmissionRecord, fault: TryLater) -> None:
        fails = int(self._due.get(-record.id, 0)) + 1
        self._due[-record.id] = fails
        wait = delay(fails, fault.after)
        self._driver.services.gate(record.backend).close_for(wait)
        self._due[record.id] = asyncio.get_running_loop().time() + wait
        self._driver.writer.record("waiting", sub=record.id, reason=fault.message[:200])
        self._driver.log("info", f"submission {record.id}: {fault.message}; again in {wait:.1f} s")

    def _drop_unusable(self, unusable: dict[int, str]) -> None:
        for n, message in unusable.items():
            facts = {"jobs": str(n), "error_kind": "input", "error": message[:500]}
            self._driver.writer.record("mark", state=JobState.FAILED, **facts)
        self._driver.job_failed()

    # ---- watching and cancelling

    def _watch(self, record: SubmissionRecord) -> None:
        if record.id in self._watched:
            return
        self._watched.add(record.id)
        folder = self._driver.folder

        def contact(last: str | None, following: str, trouble: str | None) -> None:
            folder.contacts[record.id] = (last, following)
            if trouble:
                self._driver.log("warning", f"submission {record.id}: {trouble}; asking again")
            self._driver.services.changed(folder.id)

        watch = Watch(
            submission=self.submission(record),
            progress=lambda progress: self._polled(record, progress),
            contact=contact,
            trouble=self._driver.need_person,
        )
        self._driver.services.poller(record.backend).watch(self._key(record), watch)

    def _unwatch(self, record: SubmissionRecord) -> None:
        self._watched.discard(record.id)
        self._driver.services.poller(record.backend).unwatch(self._key(record))

    def _key(self, record: SubmissionRecord) -> str:
        return f"{self._driver.folder.id}/{record.id}"

    def _polled(self, record: SubmissionRecord, progress: Progress) -> None:
        if progress.ended_as == "forgotten":
            self._unwatch(record)
            self._driver.forgotten(record)
            return
        facts = {key: value for key, value in progress.facts.items() if record.facts.get(key) != value}
        new = (progress.state, progress.completed or 0, progress.failed or 0)
        if new != (record.state, record.completed, record.failed) or facts:
            self._driver.writer.record(
                "poll",
                sub=record.id,
                state=progress.state,
                completed=progress.completed,
                failed=progress.failed,
                ended_as=progress.ended_as,
                error=progress.error[:500] if progress.error else None,
                expires=progress.expires,
                facts=facts,
            )
            if progress.state is SubmissionState.ENDED:
                self._driver.log("info", f"submission {record.id} ended: {progress.ended_as}")
                self._driver.wake()

    async def _cancel(self, record: SubmissionRecord) -> None:
        fails = 0
        try:
            while record.state in LIVE_REMOTELY and record.state is not SubmissionState.ENDED:
                try:
                    await self.backend(record).cancel(self.submission(record))
                except (Transient, TryLater) as fault:
                    fails += 1
                    await asyncio.sleep(delay(fails, fault.after))
                    continue
                except (Refused, NeedsPerson) as fault:
                    self._driver.log("warning", f"submission {record.id}: cancel was refused: {fault}")
                self._driver.writer.record("cancel_asked", sub=record.id)
                self._driver.services.poller(record.backend).hurry()
                return
        finally:
            self._cancelling.pop(record.id, None)
            self._driver.wake()

    def withdraw(self, record: SubmissionRecord) -> None:
        """Drop a submission that waits to be sent; its jobs were settled by whoever asks."""
        self._driver.writer.record("collected", sub=record.id, reason="not sent")

    async def stop(self) -> None:
        """Let a create under way have a moment, then let go; what runs remotely keeps running."""
        for record in self._records():
            if record.id in self._watched:
                self._unwatch(record)
        sending = [
            task
            for id_, task in self._tasks.items()
            if id_ in self._driver.progress.submissions
            and self._driver.progress.submissions[id_].state is SubmissionState.SENDING
        ]
        if sending:
            await asyncio.wait(sending, timeout=1.0)
        tasks = [*self._tasks.values(), *self._cancelling.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
