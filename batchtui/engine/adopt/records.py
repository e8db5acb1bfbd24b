"""Jobs of batches that were not planned here, with what it would take to send them again."""

from __future__ import annotations

import msgspec

from batchtui.backends.base import Job
from batchtui.backends.wire.ids import PLANNED_TOKEN
from batchtui.engine.plan.compose.rendering import Rendering
from batchtui.engine.plan.records import record_of
from batchtui.engine.shared.pool import AnyBackend
from batchtui.errors import BatchtuiError
from batchtui.model import JobRecord, Json, Row


def sized(
    backend: AnyBackend, rendering: Rendering, job_id: str, n: int, row: Row, sweep: dict[str, Json]
) -> JobRecord:
    """The record with its group, bytes and tokens; without them where the job cannot be rendered."""
    try:
        work: msgspec.Struct = rendering.work(row.values, sweep)
        job = Job(index=n, id=job_id, attempt=1, token=PLANNED_TOKEN, work=work)
        return record_of(backend, job, row, sweep)
    except BatchtuiError:
        return JobRecord(n=n, id=job_id, row=row.values, line=row.line, sweep=sweep)
