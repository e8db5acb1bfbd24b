"""A batch with failures never reads as plain success: in the cell, the header, the verbs' words, in ASCII too."""

from __future__ import annotations

import pytest

from batchtui import outcome
from batchtui.cli.shared.phrases import end_words, progress, state
from batchtui.model import UNSUCCESSFUL_JOB_STATES, BatchState, BatchStatus, JobState
from batchtui.tui.look import states
from batchtui.tui.widgets.header import totals

CELL = 15
"""Characters that the state has in the list at 80 columns."""


def ended(word: BatchState = BatchState.COMPLETED, **counts: int) -> BatchStatus:
    total = sum(counts.values())
    return BatchStatus(
        id="abc234", name="f", backend="local", kind="local", status=word, total=total, **counts
    )


@pytest.mark.parametrize(
    ("status", "cell", "listed"),
    [
        (ended(completed=344), "✓ completed", "completed"),
        (ended(completed=176, failed=168), "! 168 failed", "completed, but 168 failed"),
        (ended(completed=343, invalid=1), "≠ 1 invalid", "completed, but 1 invalid"),
        (ended(completed=1, expired=9999), "~ 9,999 expired", "completed, but 9,999 expired"),
        (ended(completed=1, cancelled=168), "× 168 cancelled", "completed, but 168 cancelled"),
        (ended(completed=9, failed=99, expired=1), "! 100 not ok", "completed, but 99 failed, 1 expired"),
        (ended(BatchState.FAILED, failed=123456), "! 123k failed", "failed, 123,456 failed"),
        (ended(BatchState.CANCELLED, completed=1, cancelled=2), "× 2 cancelled", "cancelled, 2 cancelled"),
    ],
)
def test_the_state_tells_what_fell_short(status: BatchStatus, cell: str, listed: str) -> None:
    glyph, word, _ = states.UNICODE.batch(status)
    assert f"{glyph} {word}" == cell
    assert len(cell) <= CELL
    assert state(status) == listed
    ascii_glyph, same, _ = states.ASCII.batch(status)
    assert (ascii_glyph.isascii(), same) == (True, word)


@pytest.mark.parametrize("job_state", sorted(UNSUCCESSFUL_JOB_STATES))
def test_no_way_of_falling_short_looks_like_success(job_state: JobState) -> None:
    whole, short = ended(completed=2), ended(completed=1, **{job_state.value: 1})
    for glyphs in (states.UNICODE, states.ASCII):
        assert glyphs.batch(short)[0] != glyphs.batch(whole)[0]
        assert "completed" not in glyphs.batch(short)[1]
    assert f"1 {job_state}" in progress(short)
    assert end_words(short) == f"not all completed: 1 completed, 1 {job_state}"
    assert "1 completed  1 partial" in totals([whole, short]).plain
    assert outcome.fell_short(short)
    assert not outcome.fell_short(whole)


def test_while_it_runs_failures_are_told_beside_the_state() -> None:
    running = ended(BatchState.PROCESSING, completed=3, failed=2, processing=5)
    assert progress(running).startswith("f (abc234): processing, 2 failed, 5 of 10 done, 5 processing")


@pytest.mark.parametrize(
    ("spent", "likely", "words"),
    [(None, None, "unknown"), (0.0, 0.0, "no charge"), (None, 0.8, ""), (0.3, 0.8, ""), (0.3, None, "")],
)
def test_what_stands_in_place_of_a_sum(spent: float | None, likely: float | None, words: str) -> None:
    status = BatchStatus(
        id="x", name="x", backend="daly", kind="daly", status=BatchState.PROCESSING, cost_usd=spent,
        estimated_usd=likely,
    )  # fmt: skip
    assert outcome.cost_words(status) == words
