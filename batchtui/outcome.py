"""What a batch came to, in words: one with failures never reads as plain success. Every screen and verb reads it here."""

from __future__ import annotations

from batchtui.model import UNSUCCESSFUL_JOB_STATES, BatchState, BatchStatus, JobState, SubmissionStatus
from batchtui.text import cell

WORST_FIRST = (JobState.FAILED, JobState.INVALID, JobState.EXPIRED, JobState.CANCELLED)
"""Every state of UNSUCCESSFUL_JOB_STATES, in the order in which they are told."""
assert set(WORST_FIRST) == UNSUCCESSFUL_JOB_STATES


UNKNOWN, NO_CHARGE = "unknown", "no charge"


def shortfalls(status: BatchStatus) -> list[tuple[int, str]]:
    """(count, state) of its jobs that ended without the answer that was asked for, by state, the worst first."""
    return [(count, state.value) for state in WORST_FIRST if (count := getattr(status, state.value))]


def without_answer(status: BatchStatus) -> int:
    """How many jobs ended without the answer that was asked for, cancelled ones with them."""
    return sum(count for count, _ in shortfalls(status))


def unsuccessful(status: BatchStatus) -> int:
    """The same, those left out that a person cancelled."""
    return without_answer(status) - status.cancelled


def fell_short(status: BatchStatus) -> bool:
    """Whether it counts as completed though not every job did."""
    return status.status is BatchState.COMPLETED and bool(shortfalls(status))


def told(status: BatchStatus) -> str:
    """`168 failed, 3 expired`; empty where nothing went amiss."""
    return ", ".join(f"{count:,} {word}" for count, word in shortfalls(status))


def short(status: BatchStatus, figure: str) -> str:
    """`168 failed` for a narrow cell, `171 not ok` where the jobs ended in several ways; `figure` is the count as written."""
    found = shortfalls(status)
    return f"{figure} {found[0][1] if len(found) == 1 else 'not ok'}"


def state_words(status: BatchStatus) -> str:
    """The batch's state with what fell short: `completed, but 168 failed`, `failed: 344 failed`, `processing, 12 failed`."""
    word, amiss = status.status.value, told(status)
    if not amiss:
        return word
    if status.status is BatchState.COMPLETED:
        return f"{word}, but {amiss}"
    return f"{word}, {amiss}"


def cost_words(status: BatchStatus) -> str:
    """What stands in place of a sum: `unknown` without a price, `no charge` for what costs nothing; else empty."""
    if status.cost_usd is None and status.estimated_usd is None:
        return UNKNOWN
    return NO_CHARGE if status.estimated_usd == 0 and not status.cost_usd else ""


def key_words(status: BatchStatus) -> str:
    """`3 results hold a key: …`; empty where none does."""
    if not status.with_keys:
        return ""
    held = "1 result holds" if status.with_keys == 1 else f"{status.with_keys:,} results hold"
    return f"{held} a key: masked on screen, as it came in files and exports; change it where it was issued"


def contact_words(sub: SubmissionStatus, ago: str, wait: str) -> str:
    """`last contact 4 min ago: HTML where JSON was expected; next try in 32 s`; without trouble its first and last part."""
    told = f"last contact {ago}" if ago else "no contact yet"
    if sub.trouble:
        told = f"{told}: {cell(sub.trouble, 200)}"
    return f"{told}{'; ' if sub.trouble else ', '}next try in {wait}" if wait else told
