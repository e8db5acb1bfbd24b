"""Submissions of one batch: planned, sent at most once, watched, collected. The order of the steps is the promise:
intent on disk, upload, create, remote id on disk; what lies between is looked up, never repeated."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from batchtui.backends.base import (
    SAID,
    NeedsPerson,
    Refused,
    Remote,
    Submission,
    TryLater,
    Unsure,
)
from batchtui.engine.backoff import delay
from batchtui.engine.collecting import collect
from batchtui.engine.composing.packing import Slice, pack
from batchtui.engine.feeding import queue_size
from batchtui.engine.growing import Growing
from batchtui.engine.limits import Effective
from batchtui.engine.outputs.raw_files import keeping_requests
from batchtui.engine.recovery import Recovery
from batchtui.engine.watching import Watching
from batchtui.errors import BadInput
from batchtui.model import LIVE_REMOTELY, UNSENT, JobState, Json, SubmissionState
from batchtui.store import clock, ranges
from batchtui.store.progress import PROCESSING, SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.driver import Driver

OPEN = frozenset(SubmissionState) - {SubmissionState.COLLECTED} - UNSENT


class RemoteLane:
    """Sends the pending jobs of one batch to its remote backends, and brings the answers home."""

    def __init__(self, driver: Driver, backends: Sequence[str]) -> None:
        self._driver = driver
        self._backends = backends
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._slices: dict[str, Iterator[Slice]] = {}
        self._due: dict[int, float] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._watching = Watching(self, driver, self._spawn)
        self.growing = Growing(self, driver)

    # ---- reading

    @property
    def in_flight(self) -> int:
        return 0

    @property
    def idle(self) -> bool:
        """Nothing is being sent, looked up, watched or collected."""
        return not self._tasks and not self._watching

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
        limits = self._limits(record.backend)
        return Submission(
            id=record.id,
            token=record.token,
            batch_name=self._driver.folder.header.name,
            created=clock.unix(record.created),
            remote_id=record.remote_id,
            facts=record.facts,
            jobs=ranges.count(record.jobs),
            timeout=limits.timeout,
            retries=limits.retries,
            concurrency=self._driver.folder.header.spec.limits.concurrency,
        )

    # ---- the round

    async def recover(self) -> None:
        """Nothing to end here: the pump looks up what may have been made."""
        self.growing.begin()

    def offer(self, numbers: object) -> None:
        """Jobs went back to pending, or the limits changed: pack anew what was never on its way."""
        self._slices.clear()
        for record in self._records():
            if record.state in UNSENT and not record.attempted and record.id not in self._tasks:
                self._driver.writer.record("unplanned", sub=record.id)

    def pump(self) -> None:
        """Give every submission its next step, and send new ones where that is allowed."""
        if self._driver.stopping:
            return
        open_count: Counter[str] = Counter()
        for record in self._records():
            open_count[record.backend] += record.state in OPEN or record.id in self._tasks
            if record.id in self._tasks or self._is_broken(record):
                continue
            if record.state in (SubmissionState.SENDING, SubmissionState.UNSURE):
                if ("unsure", record.id) not in self._driver.progress.attention:
                    self._spawn(record.id, Recovery(self, self._driver, record).run())
            elif record.state is SubmissionState.ENDED:
                self._watching.end(record)
                self._spawn(record.id, collect(self, self._driver, record))
            elif record.state in LIVE_REMOTELY:
                if ("forgotten", record.id) in self._driver.progress.attention:
                    continue  # asked again once a person has said so
                self._watching.begin(record)
                if self._driver.wants_cancel():
                    self._watching.cancel(record)
        if self._driver.may_send():
            self._send_more(open_count)

    def _spawn(self, id_: int, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[id_] = task
        task.add_done_callback(lambda task: self._done(id_, task))

    def _done(self, id_: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(id_, None)
        if not task.cancelled() and (fault := task.exception()):
            self._driver.broke(fault, id_)
        self._driver.wake()

    def _is_broken(self, record: SubmissionRecord) -> bool:
        """Whether its last step met a fault of ours: tried again once a person has said so."""
        return ("fault", record.id) in self._driver.progress.attention

    # ---- sending

    def _send_more(self, open_count: Counter[str]) -> None:
        """`open_count`: submissions by backend that count against its `submissions_at_once`."""
        now = asyncio.get_running_loop().time()
        unsent: Counter[str] = Counter()
        for record in self._records():
            if record.state in UNSENT and record.id not in self._tasks and not self._is_broken(record):
                unsent[record.backend] += 1
                wait = self._due.get(record.id, 0) - now
                gate = self._driver.services.gate(record.backend).remaining
                if max(wait, gate) > 0:
                    self._driver.wake_in(max(wait, gate))
                elif open_count[record.backend] < self._limits(
                    record.backend
                ).submissions_at_once and self._driver.budget.may_try(str(record.id)):
                    open_count[record.backend] += 1
                    unsent[record.backend] -= 1
                    self._spawn(record.id, self._send(record))
        for name in self._backends:
            gate = self._driver.services.gate(name).remaining
            if gate > 0:
                self._driver.wake_in(gate)
                continue
            self._send_new_ones(
                name, self._limits(name).submissions_at_once - open_count[name] - unsent[name]
            )

    def _send_new_ones(self, backend: str, most: int) -> None:
        for _ in range(most):
            slice_ = self._next_slice(backend)
            if slice_ is None:
                return
            self._plan(slice_)

    def _plan(self, slice_: Slice) -> None:
        """Set the slice's jobs aside at once, so that nothing packs them a second time, and send them."""
        id_ = max(self._driver.progress.submissions, default=0) + 1
        while id_ in self._tasks:
            id_ += 1
        backend = self._driver.services.backends.get(slice_.backend)
        self._driver.writer.record(
            "planned",
            sub=id_,
            backend=slice_.backend,
            token=f"{self._driver.folder.id}-{id_}-{secrets.token_hex(4)}",
            jobs=ranges.encode(slice_.jobs),
            account=backend.account(),
            bytes=slice_.size,
            **({"seed": slice_.seed, "grows": True} if slice_.seed is not None else {}),
            **({"early": True} if isinstance(backend, Remote) and backend.early else {}),
        )
        self._spawn(id_, self._send(self._driver.progress.submissions[id_]))

    def _limits(self, backend: str) -> Effective:
        return self._driver.limits(self._driver.services.backends.get(backend))

    def _next_slice(self, backend: str) -> Slice | None:
        """The next jobs to send together; only ones that may be sent and are in no submission that waits."""
        if (seed := self.growing.next(backend)) is not None:
            return seed
        if backend not in self._slices:
            held = {
                n for record in self._records() if record.state in UNSENT for n in ranges.decode(record.jobs)
            }
            numbers = [n for n in self._driver.sendable(backend) if n not in held]
            if not numbers:
                return None
            records = (self._driver.renderer.record(n) for n in numbers)
            self._slices[backend] = pack(
                records,
                backend,
                most_jobs=self._limits(backend).jobs_per_submission,
                most_bytes=self._driver.services.backends.get(backend).limits.bytes_per_submission,
                most_tokens=lambda model: queue_size(self._driver, backend, model),
            )
        return next(self._slices[backend], None)

    async def _send(self, record: SubmissionRecord) -> None:
        """Where the backend takes but so many creates at a time, in its turn: before that nothing may be unsure."""
        at_once = self.backend(record).limits.sends_at_once
        if at_once is None:
            await self._send_now(record)
            return
        async with self._turns.setdefault(record.backend, asyncio.Semaphore(at_once)):
            if self._may_go(record):
                await self._send_now(record)

    def _may_go(self, record: SubmissionRecord) -> bool:
        """Whether it is still to be sent, and now: where its backend asks to wait it is offered again after that."""
        known = self._driver.progress.submissions.get(record.id) is record and record.state in UNSENT
        return known and self._driver.services.gate(record.backend).remaining == 0

    async def _send_now(self, record: SubmissionRecord) -> None:
        """Reserve, journal the intent, create. After it was surely not made: the same slice with the same token."""
        driver, writer = self._driver, self._driver.writer
        if not driver.may_send():
            return
        reason = await driver.budget.reserve(record)
        if reason is not None:
            if (record.state, record.reason) != (SubmissionState.WAITING, reason):
                estimate = record.estimated_usd
                writer.record("waiting", sub=record.id, reason=reason, estimated_usd=estimate)
            return
        try:
            if not driver.may_send():
                return
            await writer.record_durably(
                "intent",
                sub=record.id,
                backend=record.backend,
                token=record.token,
                jobs=record.jobs,
                account=record.account,
                hash=driver.renderer.payload_hash(ranges.decode(record.jobs)),
                bytes=record.bytes,
                estimated_usd=record.estimated_usd,
            )
        finally:
            driver.budget.reserved(record)
        await self._create(record)

    async def _create(self, record: SubmissionRecord) -> None:
        driver, backend = self._driver, self.backend(record)
        progress, writer = driver.progress, driver.writer
        unusable: dict[int, BadInput] = {}
        jobs = (
            self.growing.seed(record)
            if record.seed is not None
            else driver.renderer.jobs(ranges.decode(record.jobs), progress.tries, record.token, unusable)
        )
        jobs = keeping_requests(driver.folder, record, backend, jobs)

        def note(facts: dict[str, Json]) -> None:
            writer.record("note", sub=record.id, facts=facts)
            if driver.too_late():  # what was uploaded costs nothing; what is created does
                raise TryLater("it was stopped before it was created")

        try:
            if driver.too_late():
                raise TryLater("it was stopped before it was sent")
            remote_id = await backend.submit(self.submission(record), jobs, note)
        except Refused as fault:
            self._drop_unusable(unusable)
            self._refused(record, fault, [n for n in ranges.decode(record.jobs) if n not in unusable])
        except TryLater as fault:
            self._wait(record, fault)
        except NeedsPerson as fault:
            writer.record("waiting", sub=record.id, reason=fault.message[:200])
            driver.need_person(fault)
        except Unsure as fault:
            await writer.record_durably("unsure", sub=record.id, reason=str(fault)[:200])
            driver.log("warning", f"submission {record.id}: {fault}; looking it up")
            self._drop_unusable(unusable)
        else:
            await writer.record_durably("submitted", sub=record.id, remote_id=remote_id)
            self._due.pop(record.id, None)
            count = ranges.count(record.jobs) - len(unusable)
            what = "" if record.grows else f"{count:,} jobs "
            driver.log("info", f"submission {record.id}: {what}sent as {remote_id}")
            self._drop_unusable(unusable)

    def _refused(self, record: SubmissionRecord, fault: Refused, numbers: Sequence[int]) -> None:
        writer = self._driver.writer
        if record.seed is not None:
            self.growing.stand_in(record)
            numbers = list(ranges.decode(record.jobs))
        elif not numbers:
            writer.record("collected", sub=record.id, reason="not sent: none of its jobs could be")
            return
        if fault.body is not None:
            writer.record("note", sub=record.id, facts={SAID: fault.body})
        facts = {"jobs": ranges.encode(numbers), "error_kind": fault.kind, "error": fault.message[:500]}
        writer.record("mark", state=JobState.FAILED, **facts)
        writer.record("collected", sub=record.id, reason=f"refused: {fault.message[:200]}")
        self._driver.log("error", f"submission {record.id} was refused: {fault.message}")
        self._driver.early_end.job_failed()

    def _wait(self, record: SubmissionRecord, fault: TryLater) -> None:
        if self._driver.too_late():
            self._driver.writer.record("waiting", sub=record.id, reason=fault.message[:200])
            return
        fails = int(self._due.get(-record.id, 0)) + 1
        self._due[-record.id] = fails
        wait = delay(fails, fault.after)
        self._driver.services.gate(record.backend).close_for(wait)
        self._due[record.id] = asyncio.get_running_loop().time() + wait
        self._driver.writer.record("waiting", sub=record.id, reason=fault.message[:200])
        self._driver.log("info", f"submission {record.id}: {fault.message}; again in {wait:.1f} s")

    def _drop_unusable(self, unusable: dict[int, BadInput]) -> None:
        for n, fault in unusable.items():
            facts = {"jobs": str(n), "error_kind": getattr(fault, "kind", "input"), "error": str(fault)[:500]}
            self._driver.writer.record("mark", state=JobState.FAILED, **facts)
        if unusable:
            self._driver.early_end.job_failed()

    # ---- letting go

    def cancel(self, wanted: set[int]) -> None:
        """Ask for the end of submissions whose jobs that still run are all among these: most are cancelled whole only."""
        states, running = self._driver.progress.states, LIVE_REMOTELY - {SubmissionState.ENDED}
        for record in self._records():
            if record.state in running and not record.grows:
                live = [n for n in ranges.decode(record.jobs) if states[n] == PROCESSING]
                if live and wanted.issuperset(live):
                    self._watching.cancel(record)
                elif self.backend(record).cancels_jobs and (some := sorted(wanted.intersection(live))):
                    self._watching.cancel_jobs(record, some)

    def withdraw(self, record: SubmissionRecord) -> None:
        """Drop a submission that waits to be sent; its jobs were settled by whoever asks."""
        self._driver.writer.record(
            "collected", sub=record.id, reason="not sent", again=record.seed is not None
        )

    async def tidy(self) -> None:
        """The batch has ended and its output is written: no stored result needs what submissions left any more."""
        for record in self._records():
            if record.remote_id and self.backend(record).leaves_files:
                try:
                    await self.backend(record).tidy(self.submission(record))
                except Exception as fault:  # no reason not to end
                    self._driver.log("warning", f"submission {record.id}: its files stay ({fault})")

    async def stop(self) -> None:
        """Let a create under way have a moment, then let go; what runs remotely keeps running."""
        await self._watching.stop()
        sending = [
            task
            for id_, task in self._tasks.items()
            if id_ in self._driver.progress.submissions
            and self._driver.progress.submissions[id_].state is SubmissionState.SENDING
        ]
        if sending:
            await asyncio.wait(sending, timeout=1.0)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
