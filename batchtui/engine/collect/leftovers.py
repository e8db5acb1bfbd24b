"""Jobs of an ended submission that it never answered: which they are, and what becomes of them."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from batchtui.engine.collect.reading import STOPPED, STRAYS, Look
from batchtui.model import JobState, Json
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import CODE, PROCESSING, SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch

_LEFT_OVER = {
    "expired": (JobState.EXPIRED, "expired", "not done before the backend's time was up"),
    "cancelled": (JobState.CANCELLED, "cancelled", "cancelled before there was an answer"),
    "failed": (JobState.FAILED, "submission", None),
}


def unanswered(batch: LiveBatch, record: SubmissionRecord, again: Container[int] = ()) -> list[int]:
    """Numbers of the jobs that have no answer of it, but for those that go once more."""
    progress = batch.progress
    rest = [n for n in ranges.decode(record.jobs) if progress.states[n] == PROCESSING and n not in again]
    if (
        rest
    ):  # some may have been sent again by now: early ones, and those of a submission that was found since
        later = [other.jobs for other in progress.submissions.values() if other.id > record.id]
        sent_again = {n for jobs in later for n in ranges.decode(jobs)}
        rest = [n for n in rest if n not in sent_again]
    return rest


def sent_of(batch: LiveBatch, record: SubmissionRecord) -> int:
    """How many of its jobs were in it: those that could not be rendered failed without having been sent."""
    progress, failed = batch.progress, CODE[JobState.FAILED]
    return sum(progress.states[n] != failed or progress.offsets[n] >= 0 for n in ranges.decode(record.jobs))


def settle_rest(batch: LiveBatch, record: SubmissionRecord, lost: str, look: Look) -> bool:
    """Give them their last word; whether that is a fault. `lost`: why there is no answer to be had."""
    rest = unanswered(batch, record, look.again)
    if not rest:
        return False
    state: JobState = JobState.FAILED
    kind: str | None = "lost" if lost else "missing"
    text: str | None = lost or _said(record)
    if not lost:
        state, kind, text = _LEFT_OVER.get(record.ended_as or "", (state, kind, text))
        if kind == "missing" and look.unreadable:
            kind, text = "bad_reply", _unreadable(record, look)
        elif kind == "missing" and (strays := len(look.unknown) + len(look.nameless)):
            fits = "1 answer that fits" if strays == 1 else f"{strays:,} answers that fit"
            text = f"{text}, and {fits} none, see raw/{record.id}-{STRAYS}"
    if state is JobState.CANCELLED and batch.folder.header.stopping:
        kind = batch.folder.header.stopping
        state, text = JobState.FAILED, STOPPED.get(kind, "the batch was stopped")
    if record.ended_as == "failed":
        text = record.first_error or lost or "the backend refused the whole submission"
    facts: dict[str, Json] = {"jobs": ranges.encode(rest), "state": state}
    if kind:
        facts |= {"error_kind": kind, "error": (text or "")[:500]}
    batch.writer.record("mark", **facts)
    if state is JobState.FAILED:
        batch.early_end.job_failed()
    return state is JobState.FAILED


def _said(record: SubmissionRecord) -> str:
    counts = counts_told(record)
    return (
        f'the backend says "{record.ended_as}"{f" and counts {counts}" if counts else ""}, '
        "but gave no result for this job"
    )


def counts_told(record: SubmissionRecord) -> str:
    """Such as `5 completed, 1 failed of 6`; empty where the backend counts nothing."""
    words = [f"{record.counted[key]:,} {key}" for key in ("completed", "failed") if key in record.counted]
    if not words:
        return ""
    total = record.counted.get("total")
    return ", ".join(words) + (f" of {total:,}" if total else "")


def _unreadable(record: SubmissionRecord, look: Look) -> str:
    count = len(look.unreadable)
    lines = "1 line of its results is" if count == 1 else f"{count:,} lines of its results are"
    return (
        f"its result cannot be read: {lines} not readable and may be it, see raw/{record.id}-{STRAYS} "
        f"({look.unreadable[0][:200]})"
    )
