"""A batch's figures in the shapes that programs know."""

from __future__ import annotations

from batchtui import outcome
from batchtui.amounts import dollars
from batchtui.model import (
    ENDED_BATCH_STATES,
    BatchState,
    BatchStatus,
    Json,
    SubmissionState,
    SubmissionStatus,
)
from batchtui.store.disk import clock, ranges
from batchtui.store.folder import BatchFolder

_WORDS = {
    SubmissionState.SUBMITTED: "running",
    SubmissionState.PROCESSING: "running",
    SubmissionState.CANCELLING: "running",
    SubmissionState.ENDED: "running",
}


def stats(status: BatchStatus, items_per_batch: int | None) -> dict[str, Json]:
    """The figures of `BatchRun.status`."""
    failed = outcome.unsuccessful(status)
    parts = status.submissions or []
    done = sum(part.status is SubmissionState.COLLECTED for part in parts)
    over = status.status in ENDED_BATCH_STATES
    live = next((part for part in parts if part.status is not SubmissionState.COLLECTED), None)
    return {
        "total": status.total,
        "pending": status.pending + status.processing,
        "active": status.processing,
        "completed": status.completed,
        "failed": failed,
        "cancelled": status.cancelled,
        "cost_usd": status.cost_usd or 0.0,
        "cost_limit_usd": status.cost_limit_usd,
        "is_complete": over,
        "batches_total": len(parts) or 1,
        "batches_completed": done if parts else int(over),
        "batches_pending": len(parts) - done if parts else int(not over),
        "current_batch_index": done if parts else 0,
        "current_batch_size": live.jobs if live else 0,
        "items_per_batch": items_per_batch or max((part.jobs for part in parts), default=status.total),
        "cost_known": status.cost_usd is not None,
    }


def elapsed(status: BatchStatus, now: float) -> float:
    """Seconds since the batch was started, until it ended."""
    begin = status.started or status.created
    if begin is None:
        return 0.0
    return max(0.0, (clock.unix(status.ended) if status.ended else now) - clock.unix(begin))


def batch_data(folder: BatchFolder, status: BatchStatus) -> dict[str, dict[str, Json]]:
    """A row for each submission, by its number; for kinds that send jobs one by one a single row for all."""
    ids = folder.jobs.ids
    if not status.submissions:
        whole = SubmissionStatus(
            id=1, backend=status.backend, jobs=len(ids), completed=status.completed,
            failed=outcome.unsuccessful(status), cost_usd=status.cost_usd,
            estimated_usd=status.estimated_usd, started=status.started, ended=status.ended,
        )  # fmt: skip
        word = "running" if status.started else "pending"
        if status.status in ENDED_BATCH_STATES:
            word = {"completed": "complete"}.get(status.status, status.status.value)
        return {"1": _row(whole, word, list(ids))}
    records = folder.progress.submissions
    cancelled = status.status in (BatchState.CANCELLED, BatchState.CANCELLING)
    found = {}
    for part in status.submissions:
        word = _WORDS.get(part.status, "pending")
        if part.status is SubmissionState.COLLECTED:
            word = "complete" if part.completed else "cancelled" if cancelled else "failed"
        found[str(part.id)] = _row(part, word, [ids[n] for n in ranges.decode(records[part.id].jobs)])
    return found


def _row(part: SubmissionStatus, word: str, jobs: list[str]) -> dict[str, Json]:
    return {
        "start_time": part.submitted or part.started,
        "status": word,
        "total": part.jobs,
        "completed": part.completed,
        "failed": part.failed,
        "cost": part.cost_usd or 0.0,
        "estimated_cost": part.estimated_usd or 0.0,
        "provider": part.backend,
        "jobs": jobs,
        "completion_time": part.ended,
        "error": part.first_error,
    }


def cost(usd: float | None) -> str:
    return "" if usd is None else dollars(usd)


def line(status: BatchStatus) -> str:
    """How far it has come, in one line."""
    figures = stats(status, None)
    total = figures["total"] if figures["total"] is not None else "?"
    words = [f"{figures['completed']:,} of {total} completed"]
    words += [f"{figures[key]:,} {key}" for key in ("failed", "cancelled", "pending") if figures[key]]
    if status.cost_usd:
        words.append(dollars(status.cost_usd))
    state = "ended" if outcome.fell_short(status) else status.status
    return f"{state}: {', '.join(words)}"
