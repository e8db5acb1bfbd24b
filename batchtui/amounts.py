"""Money, time and counts as they are written on the screen, in the shell, in reasons and in Python."""

from __future__ import annotations

import re

NANO = 1_000_000_000
"""Sums are kept in billionths of a US dollar, so that they never depend on the order of adding."""
LEAST = 0.0001
_HALF = 1e-9
"""Half a cent that is a little less in binary is half a cent."""
_UNITS = {"s": "s", "m": "min", "h": "h", "d": "d"}


def usd(amount: float) -> str:
    """`1.93`, `0.50`, `0.0004`: cents, finer below ten of them; what is more than nothing never reads as nothing."""
    if 0 < amount < LEAST:
        return f"<{LEAST}"
    cents = f"{amount + _HALF:,.2f}"
    if amount >= 0.1:
        return cents
    finer = f"{amount + _HALF:.4f}"
    return cents if finer.endswith("00") else finer


def dollars(amount: float) -> str:
    """`$1.93`, `<$0.0001`."""
    return f"${usd(amount)}".replace("$<", "<$")


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 job`, `2,000 jobs`; `nouns` where an s does not make it more."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def span(seconds: float) -> str:
    """`8s`, `14m`, `3h12m`, `2d4h`; never negative."""
    total = max(0, round(seconds))
    if total < 60:
        return f"{total}s"
    minutes, _ = divmod(total, 60)
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}m" if minutes else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if hours and days < 10 else f"{days}d"


def spelled(seconds: float) -> str:
    """`8 s`, `14 min`, `3 h 12 min`: a duration inside a sentence."""
    return re.sub(r"(\d+)([a-z])", lambda part: f"{int(part[1])} {_UNITS[part[2]]} ", span(seconds)).strip()
