"""What a submission waits for is told by the kind of its reason, never by the words of it."""

from __future__ import annotations

import pytest

from batchtui.model import BatchState, BatchStatus, SubmissionState, SubmissionStatus
from batchtui.store.fold.progress import Progress
from batchtui.tui.look import states
from batchtui.tui.look.submission_lines import waits_for


def waiting(reason: str, kind: str | None) -> SubmissionStatus:
    return SubmissionStatus(
        id=1, backend="b", status=SubmissionState.WAITING, reason=reason, reason_kind=kind
    )


@pytest.mark.parametrize(
    ("reason", "kind", "held", "word"),
    [
        (
            "Rate limit reached for tier 1 (5 USD); try again in 3 s",
            "rate_limit",
            "its backend",
            "processing",
        ),
        ("your plan of 20 USD allows 3 tokens are enqueued", "server", "its backend", "processing"),
        ("anything", "batch", "budget", "no budget"),
        ("anything", "day", "budget", "no budget"),
        ("anything", "queue", "tokens", "processing"),
        ("anything", "price", "a price", "processing"),
    ],
)
def test_by_its_kind(reason: str, kind: str, held: str, word: str) -> None:
    one = waiting(reason, kind)
    status = BatchStatus(
        id="k",
        name="n",
        backend="b",
        kind="openai",
        status=BatchState.PROCESSING,
        total=1,
        pending=1,
        submissions=[one],
    )
    assert waits_for(one) == held
    assert states.UNICODE.batch(status)[1] == word


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("2.00 USD more may be needed, and 1.00 of the batch's 3.00 USD are spent or in flight", "batch"),
        ("120,000 tokens are enqueued for this model, of 200,000 that its provider takes", "queue"),
        ("Rate limit: 2.00 USD more may be needed, and so on", None),
    ],
)
def test_journals_of_before_are_read_by_our_own_words_of_then(reason: str, kind: str | None) -> None:
    progress = Progress(1)
    events = [
        {"event": "planned", "sub": 1, "backend": "b", "token": "t", "jobs": "0"},
        {"event": "waiting", "sub": 1, "reason": reason},
    ]
    for seq, event in enumerate(events, 1):
        progress.apply({"seq": seq, "time": "2026-01-01T00:00:00Z", **event})
    assert progress.submissions[1].reason_kind == kind
