"""Figures as people read them: ages, durations, money, counts. All short enough for a column."""

from __future__ import annotations

import contextlib

from batchtui.amounts import dollars as dollars
from batchtui.amounts import span as span
from batchtui.amounts import spelled as spelled
from batchtui.amounts import usd
from batchtui.store.disk import clock

_HALF = 1e-9
"""Half a cent that is a little less in binary is half a cent."""


def took(seconds: float) -> str:
    """`0.4s`, `8.1s`, then as `span`."""
    return f"{max(0.0, seconds):.1f}s" if seconds < 9.95 else span(seconds)


def unix(stamp: str | None) -> float | None:
    """Unix seconds of a stored time; None where there is none, or none that can be read."""
    if stamp:
        with contextlib.suppress(ValueError):
            return clock.unix(stamp)
    return None


def ago(stamp: str | None, now: float) -> str:
    """`4 min ago`, `just now`; empty without a time."""
    then = unix(stamp)
    if then is None:
        return ""
    return "just now" if now - then < 1 else f"{spelled(now - then)} ago"


def clock_time(stamp: str | None, now: float) -> str:
    """Local time, `14:02:11` today and `2026-11-28 14:02:11` on another day; the stamp's own words if it is none."""
    import time

    then = unix(stamp)
    if then is None:
        return (stamp or "")[:8]
    told, today = time.localtime(then), time.localtime(now)
    return time.strftime("%H:%M:%S" if told[:3] == today[:3] else "%Y-%m-%d %H:%M:%S", told)


def local_time(stamp: str | None) -> str | None:
    """`2026-11-28 14:02:11 CET`: the clock of this machine, with its zone; the stamp's own words if it is none."""
    import time

    then = unix(stamp)
    return stamp if then is None else time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(then))


def money(amount: float | None) -> str:
    """`1.93`, `0.0004`, `-` where nothing is known; a cell of a column has cents from the first one on."""
    if amount is None:
        return "-"
    return usd(round(amount + _HALF, 2)) if amount >= 0.01 else usd(amount)


def short_money(amount: float) -> str:
    """At most six characters: `0.0004`, `<.0001`, `812.04`, `1,235`, `61k`."""
    text = money(amount)
    if len(text) <= 6:
        return text
    if amount < 1:
        return text.replace("0.", ".")
    return f"{amount:,.0f}" if amount < 10_000 else short_count(round(amount))


def count(number: int) -> str:
    """`998`, `61,234`, `1.2M`."""
    return f"{number:,}" if number < 1_000_000 else f"{number / 1_000_000:.1f}M"


def short_count(number: int) -> str:
    """At most five characters: `998`, `9,981`, `61k`, `1.2M`."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number // 1000}k" if number < 1_000_000 else f"{number / 1_000_000:.1f}M"


def percent(done: int, total: int | None) -> str:
    """Whole percent, 100 only when everything is done; empty while the total is unknown."""
    if not total:
        return ""
    return f"{100 if done >= total else min(99, 100 * done // total)}"


def rate(per_second: float) -> str:
    """`71/s`, `3/min`, `2/h`."""
    if per_second <= 0:
        return ""
    for scale, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if per_second * scale >= 1:
            return f"{per_second * scale:.0f}/{unit}"
    return f"{per_second * 86400:.0f}/d"
