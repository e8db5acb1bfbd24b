"""What a batch is at: its state, its total, its deadline, all functions of its header and of what its journal says."""

from __future__ import annotations

from batchtui.model import LIVE_JOB_STATES, BatchState, JobState, SubmissionState, seconds
from batchtui.store.disk import clock, ranges
from batchtui.store.files.header import BatchHeader
from batchtui.store.fold.progress import Progress


def of(header: BatchHeader, progress: Progress) -> BatchState:
    """Any job live is processing; else cancelled if that was asked, here or where its jobs were; else completed if any
    job completed; else failed."""
    counts = progress.counts()
    live = sum(counts[state] for state in LIVE_JOB_STATES)
    if live or (progress.total == 0 and not progress.ended) or unsown(header, progress):
        if header.cancelling:
            return BatchState.CANCELLING
        return BatchState.PROCESSING if progress.started else BatchState.PENDING
    if any(s.state is not SubmissionState.COLLECTED for s in progress.submissions.values()):
        return BatchState.CANCELLING if header.cancelling else BatchState.PROCESSING
    if header.cancelling or 0 < progress.total == counts[JobState.CANCELLED]:
        return BatchState.CANCELLED
    return BatchState.COMPLETED if counts[JobState.COMPLETED] or _is_barren(progress) else BatchState.FAILED


def _is_barren(progress: Progress) -> bool:
    """Whether all went well, only that no jobs came of it."""
    submissions = progress.submissions.values()
    return not progress.total and all(s.grows and s.ended_as == "completed" for s in submissions)


def unsown(header: BatchHeader, progress: Progress) -> list[int]:
    """Seeds that are still to be sent, by their place in the header."""
    if not header.seeds or header.cancelling or header.stopping:
        return []
    sown = {record.seed for record in progress.submissions.values()}
    return [place for place in range(len(header.seeds)) if place not in sown]


def born(progress: Progress) -> frozenset[int]:
    """Numbers of the jobs that were born at their backend, where none can be sent again by itself."""
    growing = (record for record in progress.submissions.values() if record.grows)
    return frozenset(n for record in growing for n in ranges.decode(record.jobs))


def total(header: BatchHeader, progress: Progress) -> int | None:
    """How many jobs there are; while they are being born, how many the backend says that there will be."""
    if not header.growing:
        return progress.total
    growing = [record for record in progress.submissions.values() if record.grows]
    if unsown(header, progress) or not growing:
        return None
    told = sum(record.facts.get("total") or 0 for record in growing)
    there = sum(ranges.count(record.jobs) for record in growing)
    known = all(isinstance(record.facts.get("total"), int) for record in growing)
    return progress.total - there + max(told, there) if known else None


def deadline(header: BatchHeader, progress: Progress) -> float | None:
    """Unix seconds at which the time limit ends the batch."""
    limit, started = header.spec.limits.time, progress.started
    if limit is None or not started:
        return None
    return clock.unix(started) + seconds(limit) + header.clock_shift


def expires(progress: Progress) -> str | None:
    """When the first of what still lives at a backend is given up there."""
    live = (s for s in progress.submissions.values() if s.state is not SubmissionState.COLLECTED)
    return min((s.expires for s in live if s.expires), default=None)
