"""Submissions as lines: the stage of each, what it waits for, its id at the backend, its contact and its money."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from batchtui import outcome
from batchtui.amounts import counted
from batchtui.model import SubmissionState, SubmissionStatus
from batchtui.tui.look import figures, states
from batchtui.tui.widgets.outside import shown

_LOOKS = {
    SubmissionState.UNSURE: "attention", SubmissionState.COLLECTED: "completed", SubmissionState.WAITING: "paused",
    SubmissionState.CANCELLING: "cancelling", SubmissionState.PLANNED: "pending",
}  # fmt: skip
_WAITS_FOR = {
    "batch": "budget", "day": "budget", "price": "a price", "bound": "a bound on its answers", "queue": "tokens",
    "queue_full": "tokens",
}  # fmt: skip
"""By the kind of the reason why it waits."""
_URGENT = {SubmissionState.UNSURE: 0, SubmissionState.WAITING: 2, SubmissionState.PLANNED: 3,
           SubmissionState.COLLECTED: 4}  # fmt: skip


def waits_for(submission: SubmissionStatus) -> str:
    """`budget`, `a price`, `tokens` or `its backend`: what holds back a submission that waits; else empty."""
    if submission.status is not SubmissionState.WAITING:
        return ""
    return _WAITS_FOR.get(submission.reason_kind or "", "its backend")


def contact(submission: SubmissionStatus, now: float) -> str:
    """When its backend last answered, what came since, and when it is asked again; empty where nobody has asked yet."""
    following = figures.unix(submission.next_try)
    if not submission.last_contact and not submission.trouble:
        return "" if following is None else f"next try in {figures.spelled(max(0, following - now))}"
    wait = "" if following is None else figures.spelled(max(0, following - now))
    ago = figures.ago(submission.last_contact, now) if submission.last_contact else ""
    return outcome.contact_words(submission, ago, wait)


def lines(
    found: Sequence[SubmissionStatus], glyphs: states.Glyphs, now: float, most: int, width: int
) -> list[Content]:
    """A heading, then at most `most` submissions, those first that a person may have to look at."""
    if not found:
        return []
    open_ones = sum(one.status is not SubmissionState.COLLECTED for one in found)
    heading = f"{counted(len(found), 'submission')}, {open_ones:,} open"
    rows = [Content.styled(heading, "dim")]
    chosen = sorted(found, key=lambda one: (_URGENT.get(one.status, 1), one.id if one.status in (
        SubmissionState.PLANNED, SubmissionState.WAITING) else -one.id))[:most]  # fmt: skip
    several = len({one.backend for one in found}) > 1
    for one in chosen:
        rows += _lines(one, glyphs, now, width, several)
    if len(found) > most:
        rows.append(Content.styled(f"    … {len(found) - most:,} more", "dim"))
    return rows


def _lines(
    one: SubmissionStatus, glyphs: states.Glyphs, now: float, width: int, several: bool
) -> list[Content]:
    name = _LOOKS.get(one.status, "processing")
    told = one.completed + one.failed
    silent = not told and one.status in (SubmissionState.SUBMITTED, SubmissionState.PROCESSING)
    count = f"{figures.short_count(one.jobs)} {'job' if one.jobs == 1 else 'jobs'}" if silent or one.status in (
        SubmissionState.PLANNED, SubmissionState.WAITING, SubmissionState.SENDING, SubmissionState.UNSURE,
    ) else f"{figures.short_count(told)}/{figures.short_count(one.jobs)}"  # fmt: skip
    rows = [
        Content.assemble(
            f"{one.id:>3} ",
            (f"{glyphs.states[name]} {one.status.value:<11}", states.STYLES[name]),
            f"{count:>12}  ",
            (money(one), "dim"),
        )
    ]
    where = "  ".join(part for part in (one.backend if several else "", one.remote_id or "") if part)
    notes = [shown(where, "dim")] if where else []
    if held := waits_for(one):
        notes.append(
            shown(f"waits for {held}: {one.reason}" if one.reason else f"waits for {held}", "$text-warning")
        )
    elif one.reason and one.reason != one.trouble:
        notes.append(shown(one.reason, "dim"))
    if one.first_error:
        notes.append(shown(one.first_error, "$text-error"))
    over = one.status is SubmissionState.COLLECTED
    if not over and (words := contact(one, now)):
        notes.append(shown(words, "dim"))
    room = max(20, width - 4)
    return rows + [Content.assemble("    ", part) for note in notes for part in _wrapped(note, room)]


def _wrapped(line: Content, width: int) -> list[Content]:
    """At most three lines of it."""
    parts = line.wrap(width)
    return [*parts[:2], Content(" ").join(parts[2:])] if len(parts) > 2 else parts


def money(one: SubmissionStatus) -> str:
    """`$0.40 of about $2.10`, as far as it is known."""
    cost = figures.dollars(one.cost_usd) if one.cost_usd is not None else ""
    most = figures.dollars(one.estimated_usd) if one.estimated_usd else ""
    if cost and most:
        return f"{cost} of at most {most}"
    return cost or (f"at most {most}" if most else "")


def by_backend(found: Sequence[SubmissionStatus], backends: Sequence[str]) -> list[Content]:
    """A line per backend, for a batch over several."""
    if len(backends) < 2:
        return []
    width = min(16, max(len(name) for name in backends))
    rows = [Content.styled(f"{len(backends)} backends", "dim")]
    for name in backends:
        own = [one for one in found if one.backend == name]
        if not own:
            rows.append(Content.assemble("  ", shown(name.ljust(width)), ("  no submission", "dim")))
            continue
        told = sum(one.completed + one.failed for one in own)
        jobs = sum(one.jobs for one in own)
        open_ones = sum(one.status is not SubmissionState.COLLECTED for one in own)
        costs = [one.cost_usd for one in own if one.cost_usd is not None]
        rows.append(
            Content.assemble(
                "  ", shown(name.ljust(width)), f"  {figures.count(told)}/{figures.short_count(jobs)}",
                (f"  {open_ones} open" if open_ones else "  collected", "dim"),
                (f"  {figures.dollars(sum(costs))}" if costs else "", "dim"),
            )
        )  # fmt: skip
    return rows
