"""Submissions of one batch: planned, sent at most once, watched, collected. Which step each of them is given next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.backends.base import Remote
from batchtui.backends.wire.ids import new_token
from batchtui.engine.collect.collecting import collect
from batchtui.engine.collect.growing import Growing
from batchtui.engine.collect.homing import fetchable
from batchtui.engine.plan.packing import Slice, pack
from batchtui.engine.send.feeding import queue_size
from batchtui.engine.send.recovery import Recovery
from batchtui.engine.send.sending import Sending
from batchtui.engine.send.watching import Watching
from batchtui.engine.submissions import Submissions
from batchtui.model import LIVE_REMOTELY, UNSENT, JobState, SubmissionState
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import PROCESSING, SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch

OPEN = frozenset(SubmissionState) - {SubmissionState.COLLECTED} - UNSENT


class RemoteLane:
    """Sends the pending jobs of one batch to its remote backends, and brings the answers home."""

    def __init__(self, batch: LiveBatch, backends: Sequence[str]) -> None:
        self._batch = batch
        self.backends = backends
        self._slices: dict[str, Iterator[Slice]] = {}
        self._submissions = Submissions(batch)
        self._growing = Growing(self._submissions, batch)
        self._watching = Watching(self._submissions, self._growing, batch)
        self._sending = Sending(self._submissions, self._growing, batch)

    @property
    def in_flight(self) -> int:
        return 0

    @property
    def idle(self) -> bool:
        """Nothing is being sent, looked up, watched or collected."""
        return not self._submissions.tasks and not self._watching

    @property
    def busy(self) -> set[int]:
        """Submissions that are being sent, looked up or collected this moment."""
        return self._submissions.busy

    def hurry(self, sub: int) -> None:
        """A person asks: look at what this submission gave now."""
        self._submissions.rests.hurry(sub)

    # ---- the round

    async def recover(self) -> None:
        """The pump looks up what may have been made; jobs that no submission holds go back.

        Those were begun by a backend of this name that ran them here, and nothing would ever end them.
        """
        self._growing.begin()
        batch = self._batch
        for name in self.backends:
            backend = batch.services.backends.get(name)
            if isinstance(backend, Remote):
                await backend.learn()
        batch.limits_changed()
        for id_, numbers in fetchable(batch.folder).items():
            # What a backend or raw/ still holds is not bought again.
            if gone := batch.writer.given_up.intersection(numbers):
                batch.writer.record("recollect", sub=id_, jobs=ranges.encode(sorted(gone)))
        held = any(record.state is not SubmissionState.COLLECTED for record in self._submissions)
        if held or batch.folder.header.growing or batch.folder.header.follows:
            return
        begun = batch.progress.numbers(JobState.PROCESSING)
        if lost := sorted(n for name in self.backends for n in batch.owners.of(name, begun)):
            batch.writer.record("lost", jobs=ranges.encode(lost))
            batch.log(
                "warning",
                f"{counted(len(lost), 'job')} of those in flight here when the last run ended: sent again",
            )

    def offer(self, numbers: object) -> None:
        """Jobs went back to pending, or the limits changed: pack anew what was never on its way."""
        self._slices.clear()
        for record in self._submissions:
            if record.state in UNSENT and not record.attempted and record.id not in self._submissions.tasks:
                self._batch.writer.record("unplanned", sub=record.id)

    def pump(self) -> None:
        """Give every submission its next step, and send new ones where that is allowed."""
        if self._batch.stopping or self._batch.faults.full:
            return
        open_count: Counter[str] = Counter()
        for record in self._submissions:
            open_count[record.backend] += record.state in OPEN or record.id in self._submissions.tasks
            if record.id in self._submissions.tasks or self._is_broken(record):
                continue
            if record.state in (SubmissionState.SENDING, SubmissionState.UNSURE):
                if ("unsure", record.id) not in self._batch.progress.attention:
                    self._submissions.begin(record.id, Recovery(self._submissions, self._batch, record).run())
            elif record.state is SubmissionState.ENDED:
                self._watching.end(record)
                self._submissions.begin(
                    record.id, collect(self._submissions, self._growing, self._batch, record)
                )
            elif record.state in LIVE_REMOTELY:
                if ("forgotten", record.id) in self._batch.progress.attention:
                    continue  # asked again once a person has said so
                self._watching.begin(record)
                if self._batch.wants_cancel():
                    self._watching.cancel(record)
        if self._batch.may_send():
            self._send_more(open_count)

    def _is_broken(self, record: SubmissionRecord) -> bool:
        """Whether its last step met a fault of ours, and rests."""
        return self._batch.faults.left(record.id) > 0

    # ---- sending

    def _send_more(self, open_count: Counter[str]) -> None:
        """`open_count`: submissions by backend that count against its `submissions_at_once`."""
        unsent: Counter[str] = Counter()
        doubted = self._doubted()
        for record in self._submissions:
            if record.backend in doubted and not record.unnamed:
                continue
            busy = record.id in self._submissions.tasks
            if record.state in UNSENT and not busy and not self._is_broken(record):
                unsent[record.backend] += 1
                wait = self._sending.held(record)
                gate = self._batch.services.gate(record.backend).remaining
                most = self._submissions.limits(record.backend).submissions_at_once
                if max(wait, gate) > 0:
                    self._batch.wake_in(max(wait, gate))
                elif open_count[record.backend] < most and self._batch.budget.may_try(str(record.id)):
                    open_count[record.backend] += 1
                    unsent[record.backend] -= 1
                    self._submissions.begin(record.id, self._sending.send(record))
        for name in self.backends:
            if name in doubted:
                continue
            gate = self._batch.services.gate(name).remaining
            if gate > 0:
                self._batch.wake_in(gate)
                continue
            most = self._submissions.limits(name).submissions_at_once
            self._send_new_ones(name, most - open_count[name] - unsent[name])

    def _doubted(self) -> set[str]:
        """Backends that took a create and gave no id for it: until that is settled nothing else goes there."""
        return {
            record.backend
            for record in self._submissions
            if record.unnamed and not record.made and record.state is not SubmissionState.COLLECTED
        }

    def _send_new_ones(self, backend: str, most: int) -> None:
        for _ in range(most):
            slice_ = self._next_slice(backend)
            if slice_ is None:
                return
            try:
                self._plan(slice_)
            except BaseException:
                self._slices.pop(backend, None)  # it is in no submission: its jobs are packed anew
                raise

    def _plan(self, slice_: Slice) -> None:
        """Set the slice's jobs aside at once, so that nothing packs them a second time, and send them."""
        id_ = max(self._batch.progress.submissions, default=0) + 1
        while id_ in self._submissions.tasks:
            id_ += 1
        backend = self._batch.services.backends.get(slice_.backend)
        taken = [record.token for record in self._batch.progress.submissions.values()]
        self._batch.writer.record(
            "planned",
            sub=id_,
            backend=slice_.backend,
            token=new_token(self._batch.folder.id, id_, taken),
            jobs=ranges.encode(slice_.jobs),
            account=backend.account(),
            bytes=slice_.size,
            **({"seed": slice_.seed, "grows": True} if slice_.seed is not None else {}),
            **({"early": True} if isinstance(backend, Remote) and backend.early else {}),
        )
        self._submissions.begin(id_, self._sending.send(self._batch.progress.submissions[id_]))

    def _next_slice(self, backend: str) -> Slice | None:
        """The next jobs to send together; only ones that may be sent and are in no submission that waits."""
        if (seed := self._growing.next(backend)) is not None:
            return seed
        if backend not in self._slices:
            held = {
                n
                for record in self._submissions
                if record.state in UNSENT
                for n in ranges.decode(record.jobs)
            }
            numbers = [n for n in self._batch.sendable(backend) if n not in held]
            if not numbers:
                return None
            records = (self._batch.renderer.record(n) for n in numbers)
            self._slices[backend] = pack(
                records,
                backend,
                most_jobs=self._submissions.limits(backend).jobs_per_submission,
                most_bytes=self._batch.services.backends.get(backend).limits.bytes_per_submission,
                most_tokens=lambda model: queue_size(self._batch, backend, model),
                allowed=self._batch.budget.allowed,
            )
        return next(self._slices[backend], None)

    # ---- letting go

    def cancel(self, wanted: set[int]) -> None:
        """Ask for the end of submissions whose jobs that still run are all among these: most are cancelled whole only."""
        states, running = self._batch.progress.states, LIVE_REMOTELY - {SubmissionState.ENDED}
        for record in self._submissions:
            if record.state in running and not record.grows:
                live = [n for n in ranges.decode(record.jobs) if states[n] == PROCESSING]
                if live and wanted.issuperset(live):
                    self._watching.cancel(record)
                elif self._submissions.backend(record).cancels_jobs and (
                    some := sorted(wanted.intersection(live))
                ):
                    self._watching.cancel_jobs(record, some)

    def withdraw(self, record: SubmissionRecord) -> None:
        """Drop a submission that waits to be sent; its jobs were settled by whoever asks."""
        self._batch.writer.record(
            "collected", sub=record.id, reason="not sent", again=record.seed is not None
        )

    async def tidy(self) -> None:
        """The batch has ended and its output is written: no stored result needs what submissions left any more."""
        for record in self._submissions:
            if record.remote_id and self._submissions.backend(record).leaves_files:
                try:
                    await self._submissions.backend(record).tidy(self._submissions.told(record))
                except Exception as fault:  # no reason not to end
                    self._batch.log("warning", f"submission {record.id}: its files stay ({fault})")

    async def stop(self) -> None:
        """Let a create under way have a moment, then let go; what runs remotely keeps running."""
        await self._watching.stop()
        sending = [
            task
            for id_, task in self._submissions.tasks.items()
            if id_ in self._batch.progress.submissions
            and self._batch.progress.submissions[id_].state is SubmissionState.SENDING
        ]
        if sending:
            await asyncio.wait(sending, timeout=1.0)
        tasks = list(self._submissions.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
