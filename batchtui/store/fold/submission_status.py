"""What others see of a batch's submissions: the journal's facts, with when the backend last answered."""

from __future__ import annotations

from collections.abc import Iterable

from batchtui.amounts import NANO
from batchtui.model import LIVE_REMOTELY, SubmissionState, SubmissionStatus
from batchtui.store.disk import ranges
from batchtui.store.files import contacts
from batchtui.store.fold.progress import SubmissionRecord

_ASKED_FOR = LIVE_REMOTELY | {SubmissionState.SENDING, SubmissionState.UNSURE}


def submission_statuses(
    records: Iterable[SubmissionRecord], told: contacts.Contacts, driven: bool
) -> list[SubmissionStatus]:
    """`told` says when each was last heard of; `driven`: whether somebody will ask again."""
    return [_status(record, told, driven) for record in records]


def _status(record: SubmissionRecord, told: contacts.Contacts, driven: bool) -> SubmissionStatus:
    contact = told.get(record.id, contacts.Contact(record.submitted))
    trouble = contact.trouble if record.state in _ASKED_FOR else None
    reason, kind = record.reason, record.reason_kind if record.state is SubmissionState.WAITING else None
    if trouble and not reason:
        reason, kind = trouble, contact.kind
    return SubmissionStatus(
        id=record.id,
        backend=record.backend,
        remote_id=record.remote_id,
        status=record.state,
        reason=reason or _doing(record),
        reason_kind=kind,
        jobs=ranges.count(record.jobs),
        completed=record.completed,
        failed=record.failed,
        cost_usd=record.cost_nano / NANO if record.priced else None,
        estimated_usd=record.estimated_usd,
        submitted=record.submitted,
        started=record.created,
        ended=record.ended,
        last_contact=contact.last,
        next_try=contact.following if driven else None,
        trouble=trouble,
        trouble_since=contact.since if trouble else None,
        first_error=record.first_error,
    )


def _doing(record: SubmissionRecord) -> str | None:
    """What the backend says that it is at, while it runs."""
    over = record.state in (SubmissionState.ENDED, SubmissionState.COLLECTED)
    return None if over else record.facts.get("doing") or None
