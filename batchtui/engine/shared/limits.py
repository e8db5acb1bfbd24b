"""The limits that a batch runs under."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from batchtui.backends.base import KindLimits
from batchtui.model import LimitsSpec, seconds


@dataclass(frozen=True, slots=True)
class Effective:
    """The limits a batch runs under: its own, else its backend's."""

    concurrency: int
    jobs_per_submission: int
    submissions_at_once: int
    timeout: float | None
    retries: int
    stop_on_error: bool


def _submissions_at_once(limits: LimitsSpec, kind: KindLimits) -> int:
    """Where a submission is one job, so many jobs at once are so many submissions."""
    given = [limits.submissions_at_once, limits.concurrency if kind.job_each else None]
    return min((most for most in given if most), default=kind.submissions_at_once)


def effective(limits: LimitsSpec, kind: KindLimits) -> Effective:
    return Effective(
        concurrency=limits.concurrency or kind.concurrency,
        jobs_per_submission=min(limits.jobs_per_submission or sys.maxsize, kind.jobs_per_submission),
        submissions_at_once=_submissions_at_once(limits, kind),
        timeout=seconds(limits.timeout) if limits.timeout is not None else kind.timeout,
        retries=kind.retries if limits.retries is None else limits.retries,
        stop_on_error=limits.error_policy == "stop",
    )
