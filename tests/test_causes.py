"""What is wrong in many rows for one reason is told once, with the true count."""

from __future__ import annotations

from batchtui.causes import by_cause, verdict
from batchtui.model import Problem


def row(n: int, message: str = 'no column "body_mas"', **facts: object) -> Problem:
    return Problem(message=message, file="p.csv", line=n + 1, row=n, key="job.prompt", **facts)  # type: ignore[arg-type]


def test_one_cause_is_one_line() -> None:
    (cause,) = by_cause([row(n) for n in range(1, 345)])
    assert str(cause) == '344 rows: job.prompt: no column "body_mas", first p.csv:2'
    assert verdict([row(n) for n in range(1, 345)]) == "1 problem in 344 rows"


def test_what_is_not_listed_is_counted() -> None:
    (cause,) = by_cause([row(1, more=144), *(row(n) for n in range(2, 201))])
    assert cause.times == 344


def test_one_problem_speaks_for_itself_and_what_stops_comes_first() -> None:
    warning = Problem(message="slow", fatal=False)
    found = by_cause([warning, row(7), row(8, "too long")])
    assert [str(cause) for cause in found] == [str(row(7)), str(row(8, "too long")), "slow"]
    assert verdict([warning]) == ""
    assert verdict([row(7), row(8, "too long")]) == "2 problems"
