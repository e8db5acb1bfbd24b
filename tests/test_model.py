"""The nouns: durations, problems, counts."""

from __future__ import annotations

import math

import pytest

from batchtui.model import (
    JOB_STATES,
    LIVE_JOB_STATES,
    UNSUCCESSFUL_JOB_STATES,
    BatchState,
    BatchStatus,
    JobState,
    Problem,
    seconds,
)
from batchtui.preflight import Preflight


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (90, 90), (0.5, 0.5), ("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("1d", 86400),
        ("1d2h3m4s", 93784), ("1.5h", 5400), (" 2h ", 7200), ("0.25", 0.25),
    ],
)  # fmt: skip
def test_durations(duration: str | float, expected: float) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize(
    "duration",
    [
        "", " ", "s", "h", "0", "0s", 0, -1, -0.5, "-5", "-5s", math.nan, math.inf, -math.inf, "nan", "inf", "1e3", "soon",
        "2 h", "30m1h", "2h2h", "1w", "2H", True, False, 1e9, "9" * 500, "\x00", "1h\n2m",
    ],
)  # fmt: skip
def test_what_is_no_duration(duration: str | float) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(duration)


def test_problems_name_file_line_and_key() -> None:
    said = Problem(message="expected int", file="a.toml", line=3, key="job.max_tokens")
    assert str(said) == "a.toml:3: job.max_tokens: expected int"
    assert str(Problem(message="no column x", file="a.csv", row=7)) == "a.csv row 7: no column x"
    assert str(Problem(message="no column x", file="a.csv", row=7, line=9)) == "a.csv:9: no column x"
    assert str(Problem(message="alone")) == "alone"


def test_a_warning_does_not_stop_a_batch() -> None:
    assert not Preflight(problems=[Problem(message="x", fatal=False)]).stopped
    assert Preflight(problems=[Problem(message="x", fatal=False), Problem(message="y")]).stopped


def test_finished_jobs_have_their_last_word() -> None:
    status = BatchStatus(
        id="a", name="a", backend="b", kind="b", status=BatchState.PROCESSING, pending=1, processing=2, completed=4,
        invalid=8, failed=16, expired=32, cancelled=64,
    )  # fmt: skip
    assert status.finished == 124
    assert set(JOB_STATES) == LIVE_JOB_STATES | UNSUCCESSFUL_JOB_STATES | {JobState.COMPLETED}


def test_the_order_of_states_is_a_promise_to_the_files() -> None:
    assert [state.value for state in JOB_STATES] == [
        "pending", "processing", "completed", "invalid", "failed", "expired", "cancelled",
    ]  # fmt: skip
