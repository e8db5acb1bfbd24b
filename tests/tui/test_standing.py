"""Where nothing moves nobody can say when it ends: no ETA, and for whom it waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.model import Attention, BatchState, BatchStatus, SubmissionState, SubmissionStatus
from batchtui.store.files import contacts
from batchtui.store.files.contacts import Contact
from batchtui.tui.look import standing
from batchtui.tui.models.rates import WINDOW, Rates


def live(**facts: object) -> BatchStatus:
    given = {
        "status": BatchState.PROCESSING,
        "total": 10,
        "completed": 4,
        "processing": 2,
        "pending": 4,
    } | facts
    return BatchStatus(id="abc234", name="f", backend="openai", kind="openai", **given)  # type: ignore[arg-type]


def needs(kind: str) -> list[Attention]:
    return [Attention(kind=kind, text="", since="")]


def out(
    number: int, trouble: str | None, state: SubmissionState = SubmissionState.PROCESSING
) -> SubmissionStatus:
    return SubmissionStatus(id=number, backend="openai", status=state, trouble=trouble)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (live(), ""),
        (live(paused=True), "paused"),
        (live(attention=needs("canary")), "waits for you"),
        (live(attention=needs("budget"), processing=0), "waits for you"),
        (live(attention=needs("key")), "waits for you"),
        (live(attention=needs("a kind of tomorrow")), "waits for you"),
        (live(attention=needs("output")), ""),
        (live(submissions=[out(1, "connection refused"), out(2, "timed out")]), "no contact with openai"),
        (live(submissions=[out(1, "connection refused"), out(2, None)]), ""),
        (live(submissions=[out(1, "old news", SubmissionState.COLLECTED)]), ""),
        (live(status=BatchState.COMPLETED, attention=needs("canary")), ""),
    ],
)
def test_why_it_stands(status: BatchStatus, words: str) -> None:
    assert standing.why(status) == words


def test_a_batch_that_stood_still_while_it_was_watched_has_no_eta() -> None:
    rates, started = Rates(), "2026-11-18T12:00:00Z"
    status = live(started=started)
    begun = 1_795_003_200.0
    rates.note(status, begun)
    assert rates.eta(status, begun + 5) is not None  # by what it did before
    assert rates.eta(status, begun + WINDOW + 1) is None


def test_trouble_is_kept_for_those_who_look_on_and_older_files_are_read(tmp_path: Path) -> None:
    contacts.ContactWriter(tmp_path).save({1: Contact("a", "b", "refused"), 2: Contact("a")}, now=True)
    assert contacts.read(tmp_path) == {1: Contact("a", "b", "refused"), 2: Contact("a")}
    (tmp_path / contacts.NAME).write_text('{"1": ["a", "b"], "2": [null, null]}')
    assert contacts.read(tmp_path) == {1: Contact("a", "b"), 2: Contact()}
