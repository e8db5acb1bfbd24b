"""Figures and times in words, and what a batch's outcome is worth as an exit code."""

from __future__ import annotations

import time

from batchtui import outcome
from batchtui.amounts import dollars, spelled
from batchtui.exit_codes import Exit
from batchtui.model import (
    ENDED_BATCH_STATES,
    JOB_STATES,
    LIVE_REMOTELY,
    BatchStatus,
    SubmissionState,
    SubmissionStatus,
)
from batchtui.store.disk import clock
from batchtui.store.folder import BatchFolder
from batchtui.store.health.versions import is_newer
from batchtui.text import cell

OK, SOME_FAILED, NO_KEY = Exit.OK, Exit.SOME_FAILED, Exit.NO_KEY
UNREACHABLE, LIMIT, LIVE = Exit.UNREACHABLE, Exit.LIMIT, Exit.LIVE
_ATTENTION_CODES = {
    "key": NO_KEY, "account": NO_KEY, "proxy": NO_KEY, "address": NO_KEY, "money": UNREACHABLE, "budget": LIMIT, "price": LIMIT,
    "bound": LIMIT, "canary": LIVE, "clock": LIVE,
}  # fmt: skip
_NOBODY_THERE = {"unreachable", "refused", "no_batch_api"}


def money(usd: float | None) -> str:
    return "" if usd is None else dollars(usd)


def spent(status: BatchStatus) -> str:
    """What a batch has cost, which is told as the least where a part of it is not known."""
    if words := outcome.cost_words(status):
        return words
    known = money(status.cost_usd)
    return f"at least {known}" if known and status.unpriced else known


def spent_on(sub: SubmissionStatus) -> str:
    """What a submission has cost; one that was sent without a price says so."""
    untold = sub.cost_usd is None and sub.estimated_usd is None and sub.submitted
    return outcome.UNKNOWN if untold else money(sub.cost_usd)


def ago(stamp: str | None) -> str:
    """How long since a stamp of the store; the stamp itself where it is none."""
    if not stamp:
        return ""
    try:
        return f"{spelled(time.time() - clock.unix(stamp))} ago"
    except ValueError:
        return stamp


def contact(sub: SubmissionStatus) -> str:
    """When its backend last answered, what came since, and when it is asked again; empty where that says nothing."""
    wait = clock.unix(sub.next_try) - time.time() if sub.next_try else 0
    if not sub.trouble and (sub.status not in LIVE_REMOTELY or not sub.last_contact):
        return f"next try in {spelled(wait)}" if sub.status == SubmissionState.WAITING and wait > 0 else ""
    return outcome.contact_words(sub, ago(sub.last_contact), spelled(wait) if wait > 0 else "")


def counts(status: BatchStatus) -> str:
    """`118 completed, 2 failed, 224 pending`."""
    found = [(getattr(status, state.value), state.value) for state in JOB_STATES]
    return ", ".join(f"{count:,} {word}" for count, word in found if count) or "no jobs"


def state(status: BatchStatus) -> str:
    """The batch's state with what a glance should not miss."""
    flags = ["paused"] * status.paused + ["only followed"] * bool(status.follows)
    flags += ["needs you"] * bool(status.attention) + ["archived"] * status.archived
    return outcome.state_words(status) + (f" ({', '.join(flags)})" if flags else "")


def end_words(status: BatchStatus) -> str:
    """`completed: 344 completed`, and `not all completed: 176 completed, 168 failed` where not every job did."""
    word = "not all completed" if outcome.fell_short(status) else status.status
    return f"{word}: {counts(status)}"


def damage_words(
    folder: BatchFolder, status: BatchStatus, results: int, *, most_bytes: int | None = 0
) -> list[str]:
    """What is damaged of a batch's files, with what mends it; empty for a sound one.

    The file of its jobs is looked at too where it has some to do, which takes a while where they are many: all of a
    file of at most so many bytes (None: however long), and both ends of a longer one. Raises StoreDamaged.
    """
    said = folder.damage[:1]
    if most_bytes != 0 and not said and status.status not in ENDED_BATCH_STATES:
        said = folder.jobs_damage(most_bytes)[:1]
    if results:
        said.append(f"{results:,} results damaged" if results > 1 else "1 result damaged")
    if not said:
        return []
    if not is_newer(folder.path):
        said.append(f"`batchtui fsck {status.id} --repair` mends what can be mended")
    return [f"{label(status)}: {'; '.join(said)}"]


def label(status: BatchStatus) -> str:
    return f"{cell(status.name, 60)} ({status.id})"


def progress(status: BatchStatus) -> str:
    """One line on how far a batch has come."""
    total = f" of {status.total:,}" if status.total is not None else ""
    parts = [f"{status.finished:,}{total} done"]
    if status.processing:
        parts.append(f"{status.processing:,} processing")
    there = sum(sub.completed + sub.failed for sub in status.submissions or () if sub.status in LIVE_REMOTELY)
    if there:
        parts.append(f"{there:,} answered at {cell(status.backend, 40)}")
    if status.cost_usd:
        parts.append(spent(status))
    if status.attention:
        parts.append(f"needs you: {cell(status.attention[0].text, 100)}")
    elif status.paused:
        parts.append("paused")
    elif silent := next((sub for sub in status.submissions or () if sub.trouble), None):
        parts.append(
            f"{cell(silent.backend, 40)} does not answer as it should: {cell(silent.trouble or '', 100)}"
        )
    elif at := next(
        (sub.reason for sub in status.submissions or () if sub.status in LIVE_REMOTELY and sub.reason), ""
    ):
        parts.append(cell(at, 100))
    return f"{label(status)}: {outcome.state_words(status)}, {', '.join(parts)}"


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
    """0 every job completed, 5 a limit ended or holds it, 3 and 4 where a backend refuses us, 6 it is asked, else 1."""
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


def answer(batch_id: str, action: str, submission: int | None, limit_usd: float = 0.0) -> str:
    """The command that answers what needs a person so; two answers are commands of their own."""
    if action == "limit":
        return f"batchtui limit {batch_id} cost_usd={limit_usd:.2f}"
    if action == "resume":
        return f"batchtui resume {batch_id}"
    which = f" --submission {submission}" if submission is not None else ""
    return f"batchtui resolve {batch_id}{which} {action}" + (" REMOTE_ID" if action == "adopt" else "")


def waits_for_budget(folder: BatchFolder) -> bool:
    """Whether only a person could move it on: nothing is in flight that would free some of its limit."""
    waiting = folder.progress
    if not any(kind in ("budget", "price", "bound") for kind, _ in waiting.attention):
        return False
    in_flight = any(sub.state in LIVE_REMOTELY for sub in waiting.submissions.values())
    return not in_flight and not folder.status().processing
