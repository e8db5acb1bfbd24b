"""Figures and times in words, and what a batch's outcome is worth as an exit code."""

from __future__ import annotations

import time

from batchtui.model import ENDED_BATCH_STATES, JOB_STATES, LIVE_REMOTELY, BatchStatus, SubmissionStatus
from batchtui.store import clock
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

OK, SOME_FAILED, NO_KEY, UNREACHABLE, LIMIT, LIVE = 0, 1, 3, 4, 5, 6
_ATTENTION_CODES = {
    "key": NO_KEY, "account": NO_KEY, "proxy": NO_KEY, "money": UNREACHABLE, "budget": LIMIT, "price": LIMIT,
    "canary": LIVE,
}  # fmt: skip
_NOBODY_THERE = {"unreachable", "refused", "no_batch_api"}


def money(usd: float | None) -> str:
    if usd is None:
        return ""
    if usd >= 1 or usd == 0:
        return f"${usd:,.2f}"
    return f"${usd:.4f}" if usd >= 0.0001 else "<$0.0001"


def span(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `2 d`."""
    whole = max(0, int(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{whole // 60} min"
    if whole < 172_800:
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86_400} d"


def ago(stamp: str | None) -> str:
    """How long since a stamp of the store; the stamp itself where it is none."""
    if not stamp:
        return ""
    try:
        return f"{span(time.time() - clock.unix(stamp))} ago"
    except ValueError:
        return stamp


def contact(sub: SubmissionStatus) -> str:
    """`last contact 4 min ago, next try in 32 s`, of a submission that runs; empty before the first contact."""
    if sub.status not in LIVE_REMOTELY or not sub.last_contact:
        return ""
    told = f"last contact {ago(sub.last_contact)}"
    wait = clock.unix(sub.next_try) - time.time() if sub.next_try else 0
    return f"{told}, next try in {span(wait)}" if wait > 0 else told


def counts(status: BatchStatus) -> str:
    """`118 completed, 2 failed, 224 pending`."""
    found = [(getattr(status, state.value), state.value) for state in JOB_STATES]
    return ", ".join(f"{count:,} {word}" for count, word in found if count) or "no jobs"


def state(status: BatchStatus) -> str:
    """The batch's state with what a glance should not miss."""
    if status.attention:
        return f"{status.status} (needs you)"
    return f"{status.status} (paused)" if status.paused else status.status.value


def label(status: BatchStatus) -> str:
    return f"{cell(status.name, 60)} ({status.id})"


def progress(status: BatchStatus) -> str:
    """One line on how far a batch has come."""
    total = f" of {status.total:,}" if status.total is not None else ""
    parts = [f"{status.finished:,}{total} done"]
    for word in ("failed", "invalid", "expired", "cancelled", "processing"):
        if count := getattr(status, word):
            parts.append(f"{count:,} {word}")
    there = sum(sub.completed + sub.failed for sub in status.submissions or () if sub.status in LIVE_REMOTELY)
    if there:
        parts.append(f"{there:,} answered at {cell(status.backend, 40)}")
    if status.cost_usd:
        parts.append(money(status.cost_usd))
    if status.attention:
        parts.append(f"needs you: {cell(status.attention[0].text, 100)}")
    elif status.paused:
        parts.append("paused")
    return f"{label(status)}: {status.status}, {', '.join(parts)}"


def is_over(status: BatchStatus) -> bool:
    return status.status in ENDED_BATCH_STATES


def is_done(status: BatchStatus) -> bool:
    """Whether it is over, and nobody is at what is done at the end: its output is written."""
    return is_over(status) and (status.ended is not None or status.driver is None)


def what_next(folder: BatchFolder) -> str:
    """How what failed is tried again."""
    if len(folder.born) == len(folder.jobs):
        return "`batchtui run` on its file starts it anew"
    return f"`batchtui retry {folder.id}` tries them again"


def exit_code(folder: BatchFolder) -> int:
    """0 every job completed, 5 a limit ended or holds it, 3 and 4 where a backend refuses us, else 1."""
    status = folder.status()
    if not is_over(status):
        known = (_ATTENTION_CODES[item.kind] for item in status.attention if item.kind in _ATTENTION_CODES)
        return next(known, SOME_FAILED)
    if folder.header.stopping == "time_limit":
        return LIMIT
    if status.total == status.completed:
        return SOME_FAILED if any(item.kind == "output" for item in status.attention) else OK
    kinds = {error.partition(": ")[0] for error in folder.columns().errors.values()}
    return UNREACHABLE if not status.completed and kinds and kinds <= _NOBODY_THERE else SOME_FAILED
