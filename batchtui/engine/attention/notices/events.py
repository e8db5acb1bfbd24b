"""What there is to tell of a batch as it stands, each thing under a key by which it is known to have been told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from batchtui.amounts import NANO, counted, dollars
from batchtui.model import GOES_ON, BatchState, JobState, Json, NoticeEvent, SubmissionState
from batchtui.store.disk import clock
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.store.files.header import BatchHeader
    from batchtui.store.fold.progress import Progress
    from batchtui.store.folder import BatchFolder

TITLE, TEXT = 120, 300
"""Characters: receivers cut what is longer, at places of their own."""
_UNHAPPY = (JobState.FAILED, JobState.INVALID, JobState.EXPIRED, JobState.CANCELLED)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Clean words. `key` is the same whoever finds the event, and another one for every event."""

    event: NoticeEvent
    key: str
    batch: str
    name: str
    backend: str
    title: str
    text: str
    facts: dict[str, Json] = {}
    """The batch's counts and money, for programs."""

    def document(self) -> dict[str, Json]:
        """As a webhook or a command gets it."""
        told = {"event": self.event, "batch": self.batch, "name": self.name, "backend": self.backend}
        return {**told, "title": self.title, "text": self.text, **self.facts, "time": clock.now()}


def events_of(folder: BatchFolder, share: float, ahead: float) -> Iterator[Notice]:
    """`share` of the budget, and seconds `ahead` of an expiry, from which on they are told."""
    header, progress = folder.header, folder.progress

    def notice(event: NoticeEvent, key: str, title: str, text: str) -> Notice:
        return Notice(
            event=event, key=key, batch=header.id, name=cell(header.name, 60),
            backend=cell(", ".join(header.backends), 60),
            title=cell(title, TITLE), text=cell(text, TEXT), facts=_facts(folder),
        )  # fmt: skip

    name = cell(header.name, 60)
    if progress.ended and not progress.live:
        event, title = _end(name, folder)
        yield notice(
            event, f"ended {progress.ended}", title, f"{_counts(progress)}{_money(header, progress)}"
        )
        return
    for (kind, sub), item in list(progress.attention.items()):
        if kind in GOES_ON:
            continue
        key = f"{kind} {sub if sub is not None else '-'} {item.since}"
        if kind == "budget":
            yield notice("budget", key, f"{name}: the budget holds jobs back", item.text)
        else:
            yield notice("person", key, f"{name} waits for you", item.text)
    limit, spent = header.spec.limits.cost_usd, progress.cost_nano
    if limit and spent >= round(limit * share * 1e9):
        title = f"{name}: {spent / (limit * 1e9):.0%} of its budget is spent"
        yield notice(
            "budget", f"share {share} of {limit}", title, f"{_counts(progress)}{_money(header, progress)}"
        )
    for one in progress.submissions.values():
        left = _left(one.expires) if one.expires and one.state is not SubmissionState.COLLECTED else None
        if left is not None and left < ahead:
            when = "has expired" if left <= 0 else f"expires in {_length(left)}"
            title = f"{name}: submission {one.id} {when} at {cell(one.backend, 40)}"
            yield notice("expiry", f"expiry {one.id} {one.expires}", title, _counts(progress))


def _end(name: str, folder: BatchFolder) -> tuple[NoticeEvent, str]:
    counts = folder.progress.counts()
    bad = sum(counts[state] for state in _UNHAPPY)
    if folder.state() is BatchState.CANCELLED:
        return "ended", f"{name} was cancelled"
    if not bad:
        return "ended", f"{name} is done"
    return "failed", f"{name}: {bad:,} of {counted(folder.progress.total, 'job')} did not complete"


def _counts(progress: Progress) -> str:
    told = [f"{count:,} {state}" for state, count in progress.counts().items() if count]
    return ", ".join(told) or "no jobs"


def _money(header: BatchHeader, progress: Progress) -> str:
    limit = header.spec.limits.cost_usd
    of = f" of {dollars(limit)}" if limit else ""
    return f"; {dollars(progress.cost_nano / NANO)}{of} spent" if progress.priced else ""


def _facts(folder: BatchFolder) -> dict[str, Json]:
    progress = folder.progress
    cost = progress.cost_nano / NANO if progress.priced else None
    counts: dict[str, Json] = {state.value: count for state, count in progress.counts().items()}
    limit = folder.header.spec.limits.cost_usd
    return {
        "status": folder.state().value,
        "total": progress.total,
        **counts,
        "cost_usd": cost,
        "cost_limit_usd": limit,
    }


def _left(stamp: str) -> float | None:
    try:
        return clock.unix(stamp) - time.time()
    except ValueError:
        return None


def _length(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 60 * 48 else f"{minutes / 1440:.0f} days"
