"""Jobs that are born at their backend: what the batch file says is sent as a seed, one to a submission.

The jobs that come of it join the batch as the backend shows them, and each answer is fetched while others still run:
what was saved stays, whatever becomes of the backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from batchtui.backends.base import (
    Forgotten,
    Job,
    NeedsPerson,
    Progress,
    Refused,
    RemoteJob,
    Submission,
    Transient,
    TryLater,
)
from batchtui.engine.adopt.adopted import unique
from batchtui.engine.collect.reading import Look, read
from batchtui.engine.plan.packing import Slice
from batchtui.errors import BadInput
from batchtui.model import JobRecord
from batchtui.store.disk import ranges
from batchtui.store.disk.lines import StoreFull
from batchtui.store.fold.progress import PROCESSING, SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch
    from batchtui.engine.submissions import Submissions

NOT_ALONE = "jobs that were born at the backend cannot be sent again one by one: run the batch file again"


class Growing:
    """The seeds of one batch, and what comes of them."""

    def __init__(self, submissions: Submissions, batch: LiveBatch) -> None:
        self._submissions, self._batch = submissions, batch
        self._born: dict[int, dict[str, int]] = {}
        """By submission, the numbers of its jobs by the id that the backend has of them."""

    # ---- sending

    def next(self, backend: str) -> Slice | None:
        """The next seed for this backend; alone in its submission."""
        header = self._batch.folder.header
        for place in self._batch.folder.unsown:
            if (header.seeds[place].backend or header.backend) == backend:
                return Slice(backend, "", seed=place)
        return None

    def seed(self, record: SubmissionRecord) -> Iterator[Job[msgspec.Struct]]:
        """The seed as the only job of its submission. Raises Refused where it does not render any more."""
        assert record.seed is not None
        seed = self._batch.folder.header.seeds[record.seed]
        try:
            yield self._batch.renderer.rendered(seed, 1, record.token)[1]
        except BadInput as fault:
            raise Refused(str(fault), "input") from None

    def stand_in(self, record: SubmissionRecord) -> None:
        """A seed that nothing comes of becomes the only job of its submission, to fail as any other."""
        assert record.seed is not None
        batch, seed = self._batch, self._batch.folder.header.seeds[record.seed]
        taken = set(batch.folder.jobs.ids)
        job_id = unique(seed.id, taken)
        number = len(batch.folder.jobs)
        born = msgspec.structs.replace(seed, n=number, id=job_id)
        batch.writer.grow(record.id, [born], more=True)

    # ---- bearing

    def begin(self) -> None:
        """Once, before anything else: what a crash left half written is born again."""
        if self._batch.folder.header.growing:
            self._batch.writer.drop_unborn()

    async def learn(self, record: SubmissionRecord, *, final: bool) -> Submission:
        """Take the jobs in that are new; the submission with those whose answers are wanted now.

        At the end (`final`) those that never ran are among them. Raises what `jobs` of the backend raises.
        """
        submission = self._submissions.told(record)
        listed: dict[str, RemoteJob] = {}
        async with aclosing(self._submissions.backend(record).jobs(submission)) as jobs:
            async for job in jobs:
                listed.setdefault(job.wire_id, job)
        known = self._known(record)
        self._bear(record, [job for wire_id, job in listed.items() if wire_id not in known], known)
        states = self._batch.progress.states
        wanted = (
            job
            for wire_id, job in listed.items()
            if (job.ended or final) and states[known[wire_id]] == PROCESSING
        )
        return replace(self._submissions.told(record), wanted=tuple(wanted))

    def _known(self, record: SubmissionRecord) -> dict[str, int]:
        if record.id not in self._born:
            jobs = self._batch.folder.jobs
            records = (jobs.record(n) for n in ranges.decode(record.jobs))
            self._born[record.id] = {one.wire or one.id: one.n for one in records}
        return self._born[record.id]

    def _bear(self, record: SubmissionRecord, new: list[RemoteJob], known: dict[str, int]) -> None:
        """Nothing waits in here: two submissions never give out the same number."""
        if not new:
            return
        batch, folder = self._batch, self._batch.folder
        seeds, taken = folder.header.seeds, set(folder.jobs.ids)
        seed = seeds[record.seed] if record.seed is not None else None
        prefix = f"{seed.id}:" if seed and len(seeds) > 1 else ""
        first, born = len(folder.jobs), []
        for n, job in enumerate(new, first):
            job_id = unique(f"{prefix}{job.wire_id}", taken)
            row = {**(seed.row if seed else {}), "record_id": job.wire_id}
            wire = job.wire_id if job.wire_id != job_id else None
            other = record.backend if record.backend != folder.header.backend else None
            born.append(JobRecord(n=n, id=job_id, row=row, wire=wire, backend=other))
            known[job.wire_id] = n
        try:
            batch.writer.grow(record.id, born, more=True)
        except StoreFull:
            self._born.pop(record.id, None)
            raise

    # ---- harvesting

    def is_due(self, record: SubmissionRecord, progress: Progress) -> bool:
        """Whether the backend has more than is stored here, and nothing fetches it yet."""
        if not (record.grows or record.early) or record.id in self._submissions.busy:
            return False
        states = self._batch.progress.states
        born = stored = 0
        for first, end in ranges.spans(record.jobs):
            born += end - first
            stored += end - first - states.count(PROCESSING, first, end)
        return born < (progress.total or 0) or stored < (progress.completed or 0) + (progress.failed or 0)

    async def harvest(self, record: SubmissionRecord) -> None:
        """Fetch what has ended by now; what cannot be had this time comes with the next poll."""
        batch = self._batch
        try:
            if record.early:
                submission = replace(self._submissions.told(record), early=True)
            else:
                submission = await self.learn(record, final=False)
            if submission.wanted or submission.early:
                await read(self._submissions, batch, record, submission, Look())
        except (Transient, TryLater, Refused, Forgotten) as fault:
            batch.log("warning", f"submission {record.id}: not all results could be read yet: {fault}")
            batch.contacting.failed(record.backend, str(fault))
        except NeedsPerson as fault:
            batch.need_person(fault)
        except StoreFull as fault:
            batch.faults.met(fault)
