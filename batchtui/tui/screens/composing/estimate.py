"""What the batch in the form comes to, counted in a thread while it is being written."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import msgspec

from batchtui.engine.plan.planning import plan
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec
from batchtui.tui.widgets.form.estimate_line import Estimate

MOST_JOBS = 1_000
"""Jobs that are rendered for it, at every pause in typing; where there are more, their sums are told in proportion."""


class Stopped(Exception):
    """It is no longer wanted."""


def estimate(
    spec: BatchSpec, base: Path, backends: Backends, rows: int | None, cancelled: Callable[[], bool]
) -> Estimate:
    """`rows` is how many its source gives it, None where that is not known yet. Raises Stopped."""

    def tick(_: int) -> None:
        if cancelled():
            raise Stopped

    variants = math.prod(map(len, spec.sweep.values()))
    most = max(1, MOST_JOBS // variants)
    rows = _taken(spec, rows)
    whole = rows is not None and rows <= most
    if spec.source and not whole:
        first = msgspec.structs.replace(
            spec.source, limit=min(most, spec.source.limit or most), shuffle=False
        )
        spec = msgspec.structs.replace(spec, source=first)
    flight = plan(spec, base, backends, tick=tick).preflight
    jobs = flight.jobs if whole else None if rows is None else rows * variants
    return Estimate(flight, jobs, backends.config.limits.cost_usd_per_day)


def _taken(spec: BatchSpec, rows: int | None) -> int | None:
    """How many rows the batch takes of its source."""
    if spec.source is None:
        return 1
    return rows if rows is None or spec.source.limit is None else min(rows, spec.source.limit)
