"""Figures for people, and how fast a batch goes."""

from __future__ import annotations

import re
import time

import pytest

from batchtui.model import BatchState, BatchStatus
from batchtui.store.disk import clock
from batchtui.tui.look import figures
from batchtui.tui.look.job_map import job_map
from batchtui.tui.look.states import ASCII, UNICODE, glyphs
from batchtui.tui.models.offered import price_words
from batchtui.tui.models.rates import Rates, sparkline
from tests.tui.samples import NOW


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [(0, "0s", "0 s"), (59.4, "59s", "59 s"), (61, "1m", "1 min"), (11_520, "3h12m", "3 h 12 min"), (-5, "0s", "0 s"),
     (7200, "2h", "2 h"), (187_200, "2d4h", "2 d 4 h"), (8_640_000, "100d", "100 d")],
)  # fmt: skip
def test_durations(seconds: float, short: str, long: str) -> None:
    assert figures.span(seconds) == short
    assert figures.spelled(seconds) == long


def test_money_counts_and_percent() -> None:
    assert [figures.money(usd) for usd in (None, 0.0, 1.934, 0.0004, 0.00001)] == [
        "-",
        "0.00",
        "1.93",
        "0.0004",
        "<0.0001",
    ]
    assert [figures.short_count(n) for n in (998, 9981, 61_234, 1_200_000)] == ["998", "9,981", "61k", "1.2M"]
    assert [figures.percent(*pair) for pair in ((0, 10), (999_999, 1_000_000), (10, 10), (3, None))] == [
        "0",
        "99",
        "100",
        "",
    ]
    assert figures.ago("nonsense", NOW) == ""
    assert figures.ago(clock.stamp(NOW - 240), NOW) == "4 min ago"


def status(finished: int, **fields: object) -> BatchStatus:
    return BatchStatus(
        id="x",
        name="x",
        backend="local",
        kind="local",
        status=BatchState.PROCESSING,
        total=100,
        completed=finished,
        **fields,
    )  # type: ignore[arg-type]


def test_rate_comes_from_recent_completions() -> None:
    rates = Rates()
    started = clock.stamp(NOW - 1000)
    assert rates.per_second(status(50, started=started), NOW) == pytest.approx(0.05, rel=0.01)
    for second in range(10):
        rates.note(status(50 + second), NOW + second)
    late = status(59, started=started)
    assert rates.per_second(late, NOW + 9) == pytest.approx(1.0)
    assert rates.eta(late, NOW + 9) == pytest.approx(41)
    assert rates.eta(status(59, paused=True), NOW + 9) is None
    assert sum(rates.spark("x", NOW + 9, 5, 5)) == 9
    rates.note(status(0), NOW + 20)  # a retry put jobs back
    assert rates.per_second(status(0), NOW + 20) == 0


def test_sparkline_and_map() -> None:
    assert sparkline([0, 0], UNICODE.spark) == ""
    assert sparkline([0, 4, 8], UNICODE.spark) == "▁▄█"
    per_cell, lines = job_map(bytes([2] * 990 + [4] + [2] * 9), UNICODE, 10, 10)
    assert per_cell == 10
    assert len(lines) == 10
    assert lines[-1].plain == "■" * 9 + "!"


def test_the_glyphs_follow_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, found in (("en_US.UTF-8", UNICODE), ("C", ASCII), ("POSIX", ASCII), ("de_DE@euro", ASCII)):
        monkeypatch.setenv("LC_ALL", name)
        assert glyphs() is found
    assert all(text.isascii() for text in [*ASCII.states.values(), ASCII.full, ASCII.spark, ASCII.mark])
    assert set(ASCII.states) == set(UNICODE.states)


def test_a_log_tells_the_day_of_what_was_not_today() -> None:
    now = figures.unix("2026-11-29T12:00:00Z")
    assert now is not None
    assert re.fullmatch(r"\d\d:\d\d:\d\d", figures.clock_time("2026-11-29T12:00:01Z", now))
    assert figures.clock_time("2099-01-02T12:00:00.000Z", now)[:10] == "2099-01-02"
    assert figures.clock_time("no time at all", now) == "no time "
    assert figures.clock_time(None, now) == ""


def test_half_a_cent_is_rounded_as_people_do() -> None:
    assert [figures.money(usd) for usd in (0.075, 0.125, 0.0749, 2.675)] == ["0.08", "0.13", "0.07", "2.68"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0.00001, "<.0001"), (0.0004, "0.0004"), (0.24, "0.24"), (812.04, "812.04"), (1234.56, "1,235"),
     (61_234.5, "61k"), (1_234_567.0, "1.2M")],
)  # fmt: skip
def test_money_in_a_narrow_cell(amount: float, shown: str) -> None:
    assert figures.short_money(amount) == shown
    assert len(shown) <= 6


def test_a_price_that_is_nothing_is_not_told_as_one() -> None:
    assert price_words(0.15, 0.6) == "$0.15 in, $0.60 out, a million tokens"
    assert price_words(0.02, 0) == "$0.02 in, a million tokens"
    assert price_words(0, 0) == "free of charge"


def test_times_are_those_of_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    assert figures.local_time("2026-11-30T06:12:04.000Z") == "2026-11-30 07:12:04 CET"
    assert figures.local_time("no time") == "no time"
    assert figures.local_time(None) is None
