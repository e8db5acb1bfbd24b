"""What each limit may be, for `[limits]` of a batch file and `[defaults.limits]` of the config alike."""

from __future__ import annotations

import math

from batchtui.errors import nearest
from batchtui.model import LimitsSpec, Problem, seconds
from batchtui.text import cell

SHORTEST, LONGEST = 10.0, 24 * 3600.0
"""Seconds of a batch's time limit."""
_DURATION_MAX = 1e9
CONCURRENCY_MAX = 1000
RETRIES_MAX = 100
ERROR_POLICIES = ("continue", "stop")


def limit_problems(limits: LimitsSpec, where: str | None, prefix: str = "limits") -> list[Problem]:
    """Every limit that is out of its range, as fatal problems with `file=where` and `key=prefix.name`."""
    faults = {
        "cost_usd": dollars_fault(limits.cost_usd),
        "time": duration_fault(limits.time, SHORTEST, LONGEST, "from 10s to 24h"),
        "concurrency": _count_fault(limits.concurrency, 1, CONCURRENCY_MAX),
        "jobs_per_submission": _count_fault(limits.jobs_per_submission, 1),
        "submissions_at_once": _count_fault(limits.submissions_at_once, 1),
        "timeout": duration_fault(limits.timeout),
        "retries": _count_fault(limits.retries, 0, RETRIES_MAX),
        "error_policy": _policy_fault(limits.error_policy),
        "canary": _count_fault(limits.canary, 1),
    }
    return [
        Problem(message=fault, file=where, key=f"{prefix}.{name}") for name, fault in faults.items() if fault
    ]


def dollars_fault(value: float | None) -> str | None:
    """What is wrong with an amount in USD. NaN and infinity would make every comparison false or true."""
    if value is None or (math.isfinite(value) and value >= 0):
        return None
    return f"expected US dollars of 0 or more, got {number_text(value)}"


def duration_fault(
    value: str | float | None, least: float = 0.0, most: float = math.inf, words: str = "more than 0 seconds"
) -> str | None:
    """What is wrong with a duration (seconds, or text such as `90s`)."""
    if value is None:
        return None
    if isinstance(value, int | float) and not 0 < value < _DURATION_MAX:
        return f"expected {words}, got {number_text(value)}"
    try:
        length = seconds(value)
    except ValueError as fault:
        return cell(fault)
    return None if least <= length <= most else f"expected {words}, got {value}"


def number_text(value: float) -> str:
    """The number for a message; one that no field holds is named, since Python may refuse to write it out."""
    return str(value) if not isinstance(value, int) or abs(value) < 2**63 else "a number beyond 64 bits"


def _count_fault(value: int | None, least: int, most: int | None = None) -> str | None:
    if value is None or (value >= least and (most is None or value <= most)):
        return None
    words = f"{least} to {most:,}" if most else f"{least} or more"
    return f"expected {words}, got {number_text(value)}"


def _policy_fault(value: str | None) -> str | None:
    if value is None or value in ERROR_POLICIES:
        return None
    return f'expected "continue" or "stop", got "{cell(value, 40)}"{nearest(value, ERROR_POLICIES)}'
