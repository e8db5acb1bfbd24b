"""A submission on its way to its backend, made at most once. The order of the steps is the promise: intent on disk,
upload, create, remote id on disk; what lies between is looked up, never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.backends.base import SAID, Answered, NeedsPerson, Refused, TryLater, Unsure
from batchtui.engine.outputs.raw_files import keeping_requests
from batchtui.engine.send import answered
from batchtui.engine.shared.pauses import Pauses
from batchtui.engine.spend.queues import held_by
from batchtui.engine.spend.spending import Refusal
from batchtui.errors import BadInput
from batchtui.model import UNSENT, JobState, Json, SubmissionState
from batchtui.store.disk import ranges
from batchtui.store.disk.lines import is_disk
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.collect.growing import Growing
    from batchtui.engine.live_batch import LiveBatch
    from batchtui.engine.submissions import Submissions


class Sending:
    """The creates of one batch, and the pauses between tries of them."""

    def __init__(self, submissions: Submissions, growing: Growing, batch: LiveBatch) -> None:
        self._submissions, self._growing, self._batch = submissions, growing, batch
        self._pauses: Pauses[int] = Pauses()
        self._turns: dict[str, asyncio.Semaphore] = {}

    def held(self, record: SubmissionRecord) -> float:
        """Seconds until it may be tried again."""
        return self._pauses.left(record.id)

    async def send(self, record: SubmissionRecord) -> None:
        """Where the backend takes but so many creates at a time, in its turn: before that nothing may be unsure."""
        at_once = self._submissions.backend(record).limits.sends_at_once
        if at_once is None:
            await self._send_now(record)
            return
        async with self._turns.setdefault(record.backend, asyncio.Semaphore(at_once)):
            if self._may_go(record):
                await self._send_now(record)

    def _may_go(self, record: SubmissionRecord) -> bool:
        """Whether it is still to be sent, and now: where its backend asks to wait it is offered again after that."""
        known = self._batch.progress.submissions.get(record.id) is record and record.state in UNSENT
        return known and self._batch.services.gate(record.backend).remaining == 0

    async def _send_now(self, record: SubmissionRecord) -> None:
        """Reserve, journal the intent, create. After it was surely not made: the same slice with the same token."""
        batch, writer = self._batch, self._batch.writer
        if not batch.may_send():
            return
        held = await batch.budget.reserve(record)
        if held is not None:
            self._hold_back(record, held)
            return
        try:
            if not batch.may_send():
                return
            await writer.record_intent(
                sub=record.id,
                backend=record.backend,
                token=record.token,
                jobs=record.jobs,
                account=record.account,
                hash=batch.renderer.payload_hash(ranges.decode(record.jobs)),
                bytes=record.bytes,
                estimated_usd=record.estimated_usd,
            )
        finally:
            batch.budget.reserved(record)
        await self._create(record)

    def _hold_back(self, record: SubmissionRecord, held: Refusal) -> None:
        """It waits for money; or where nothing will free any, fewer of its jobs go in its place."""
        writer = self._batch.writer
        if self._batch.budget.fewer(record, held):
            if self._batch.lanes:
                self._batch.lanes.offer(())
            writer.record("unplanned", sub=record.id)
        elif (record.state, record.reason_kind, record.reason) != (
            SubmissionState.WAITING,
            held.kind,
            held.text,
        ):
            facts = {"kind": held.kind, "reason": held.text, "estimated_usd": record.estimated_usd}
            writer.record("waiting", sub=record.id, **facts)

    async def _create(self, record: SubmissionRecord) -> None:
        batch, backend = self._batch, self._submissions.backend(record)
        progress, writer = batch.progress, batch.writer
        unusable: dict[int, BadInput] = {}
        jobs = (
            self._growing.seed(record)
            if record.seed is not None
            else batch.renderer.jobs(ranges.decode(record.jobs), progress.tries, record.token, unusable)
        )
        jobs = keeping_requests(batch.folder, record, backend, jobs)

        def note(facts: dict[str, Json]) -> None:
            writer.record("note", sub=record.id, facts=facts)
            if batch.too_late():  # what was uploaded costs nothing; what is created does
                raise TryLater("it was stopped before it was created")

        try:
            if batch.too_late():
                raise TryLater("it was stopped before it was sent")
            made = await backend.submit(self._submissions.told(record), jobs, note)
        except Refused as fault:
            self._drop_unusable(unusable)
            self._refused(record, fault, [n for n in ranges.decode(record.jobs) if n not in unusable])
        except TryLater as fault:
            self._wait(record, fault)
        except NeedsPerson as fault:
            self._hold(record, fault)
            batch.need_person(fault)
        except Unsure as fault:
            facts = {"reason": str(fault)[:200], "answered": fault.answered}
            await batch.persist_durably("unsure", sub=record.id, **facts)
            batch.log("warning", f"submission {record.id}: {fault}; looking it up")
            self._drop_unusable(unusable)
            self._pauses.hold(record.id, fault.after)  # should it not be there, none comes sooner
        except Exception as fault:
            if not is_disk(fault):  # how far it came nobody knows: looked up, and sent once more at most
                reason = f"internal fault: {type(fault).__name__}: {fault}"[:200]
                await batch.persist_durably("unsure", sub=record.id, reason=reason, answered=True)
            raise
        else:
            if isinstance(made, Answered):
                await answered.take(batch, record, made)
            else:
                await batch.persist_durably("submitted", sub=record.id, remote_id=made)
            self._pauses.over(record.id)
            batch.contacting.answered(record.backend)
            count = ranges.count(record.jobs) - len(unusable)
            what = "" if record.grows else f"{counted(count, 'job')} "
            if isinstance(made, str):
                batch.log("info", f"submission {record.id}: {what}sent as {made}")
            self._drop_unusable(unusable)

    def _refused(self, record: SubmissionRecord, fault: Refused, numbers: Sequence[int]) -> None:
        writer = self._batch.writer
        if record.seed is not None:
            self._growing.stand_in(record)
            numbers = list(ranges.decode(record.jobs))
        elif not numbers:
            writer.record("collected", sub=record.id, reason="not sent: none of its jobs could be")
            return
        if fault.body is not None:
            writer.record("note", sub=record.id, facts={SAID: fault.body})
        facts = {"jobs": ranges.encode(numbers), "error_kind": fault.kind, "error": fault.message[:500]}
        writer.record("mark", state=JobState.FAILED, **facts)
        writer.record("collected", sub=record.id, reason=f"refused: {fault.message[:200]}")
        self._batch.log("error", f"submission {record.id} was refused: {fault.message}")
        self._batch.early_end.job_failed()

    def _hold(self, record: SubmissionRecord, fault: TryLater | NeedsPerson) -> None:
        facts = {"kind": held_by(fault.kind, fault.message), "reason": fault.message[:200]}
        self._batch.writer.record("waiting", sub=record.id, **facts)

    def _wait(self, record: SubmissionRecord, fault: TryLater) -> None:
        if self._batch.too_late():
            self._hold(record, fault)
            return
        wait = self._pauses.hold(record.id, fault.after, fault.most)
        self._batch.services.gate(record.backend).close_for(wait)
        self._hold(record, fault)
        self._batch.contacting.held(record.id, wait)
        self._batch.log("info", f"submission {record.id}: {fault.message}; again in {wait:.1f} s")
        if record.reason_kind != "queue":
            self._batch.contacting.failed(record.backend, fault.message)

    def _drop_unusable(self, unusable: dict[int, BadInput]) -> None:
        for n, fault in unusable.items():
            facts = {"jobs": str(n), "error_kind": getattr(fault, "kind", "input"), "error": str(fault)[:500]}
            self._batch.writer.record("mark", state=JobState.FAILED, **facts)
        if unusable:
            self._batch.early_end.job_failed()
