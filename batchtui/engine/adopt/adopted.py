"""A batch that was made elsewhere, as it is driven: its submission lives from the start, and its jobs may be learnt late."""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from batchtui.backends.base import Remote, Submission, Transient
from batchtui.backends.wire.ids import ADOPTED_TOKEN
from batchtui.engine.context import BatchContext
from batchtui.model import JobRecord
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import SubmissionRecord
from batchtui.text import cell

AnyRemote = Remote[msgspec.Struct]
ID_LIMIT = 512


def unique(job_id: str, taken: set[str]) -> str:
    """The id cleaned and told apart from those in `taken`, which it joins."""
    job_id = cell(job_id, ID_LIMIT) or "job"
    found, count = job_id, 1
    while found in taken:
        count += 1
        found = f"{job_id}.{count}"
    taken.add(found)
    return found


async def take_over(context: BatchContext) -> None:
    """The first step of driving an adopted batch: write down that its submission lives."""
    header, progress = context.folder.header, context.progress
    if header.adopted is None or 1 in progress.submissions:
        return
    backend = context.services.backends.get(header.backend)
    await context.writer.record_durably(
        "adopted",
        sub=1,
        backend=header.backend,
        token=ADOPTED_TOKEN,
        jobs=ranges.encode(range(progress.total)),
        account=header.accounts.get(header.backend),
        remote_id=header.adopted,
        grows=isinstance(backend, Remote) and backend.grows,
    )
    context.log("info", f"{header.adopted} is taken over as submission 1")


async def learn_jobs(
    context: BatchContext,
    record: SubmissionRecord,
    backend: AnyRemote,
    submission: Submission,
    counted: int | None = None,
) -> None:
    """Read an ended submission's results once for the ids of its jobs, where nothing else knows them.

    Raises what `results` raises, and Transient for fewer rows than the backend counts.
    """
    if not context.folder.header.growing:
        return
    context.writer.mend_jobs()
    taken = set(context.folder.jobs.ids)
    known = {context.folder.jobs.record(n).wire or id_ for n, id_ in enumerate(context.folder.jobs.ids)}
    found: list[JobRecord] = []
    rows = 0
    async with aclosing(backend.results(submission, None)) as answers:  # type: ignore[type-var]
        async for answer in answers:
            rows += 1
            if answer.job_id in known or not answer.job_id:
                continue
            known.add(answer.job_id)
            job_id = unique(answer.job_id, taken)
            wire = answer.job_id if answer.job_id != job_id else None
            found.append(JobRecord(n=len(taken) - 1, id=job_id, wire=wire))
    if counted is not None and rows < counted:
        came = f"{rows:,} row{'' if rows == 1 else 's'} came"
        raise Transient(f"{came} of {counted:,} that the backend counts", kind="not_whole")
    context.writer.grow(record.id, found)
