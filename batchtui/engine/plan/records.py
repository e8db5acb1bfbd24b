"""Jobs as they are stored, with what they weigh in a submission."""

from __future__ import annotations

import msgspec

from batchtui.backends.attachments.checks import file_tokens
from batchtui.backends.base import Job, Remote
from batchtui.engine.plan.compose.attaching import fingerprint, named_input
from batchtui.engine.shared.pool import AnyBackend
from batchtui.model import JobRecord, Json, Row


def record_of(backend: AnyBackend, job: Job[msgspec.Struct], row: Row, sweep: dict[str, Json]) -> JobRecord:
    """The job as it is stored, with what it weighs in a submission."""
    if isinstance(backend, Remote):
        size, group = len(backend.line(job)), backend.group(job)
    else:
        size, group = len(msgspec.json.encode(job.work)), ""
    beside = () if named_input(job.work) else job.files
    size += sum(one.weight for one in beside)
    tokens_in, tokens_out = backend.tokens(job)
    return JobRecord(
        n=job.index,
        id=job.id,
        name=backend.label(job),
        row=row.values,
        line=row.line,
        sweep=sweep,
        group=group,
        size=size,
        tokens=(tokens_in + file_tokens(beside), tokens_out),
        answers=backend.answers(job),
        model=backend.model(job),
        files=fingerprint(job.files),
    )
