"""`batch_manifest.json` in pieces, so that it can be written as the batch goes, and streamed at its end.

head, then entries joined by SEPARATOR, then tail
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Sequence
from typing import Final

from batchtui.model import Json
from batchtui.results.scenarios.rows import Entry

SEPARATOR: Final = b",\n"


class Tally:
    """Times in milliseconds over the scenarios that have one; the convergence rate over those that say."""

    def __init__(self) -> None:
        self.count = self.ok = 0
        self._times = array("d")
        self._iterations = array("d")
        self._said = self._converged = 0

    def add(self, entry: Entry) -> None:
        self.count += 1
        self.ok += entry["status"] == "ok"
        if entry["duration_ms"] is not None:
            self._times.append(entry["duration_ms"])
        if entry["iterations"] is not None:
            self._iterations.append(entry["iterations"])
        if entry["converged"] is not None:
            self._said += 1
            self._converged += entry["converged"]

    def stats(self) -> dict[str, Json]:
        """As gat names them; null where nothing is known."""
        times = sorted(self._times)
        total = math.fsum(times)
        names = ("min_time_ms", "max_time_ms", "mean_time_ms", "median_time_ms", "p95_time_ms")
        values: Sequence[float | None] = [None] * len(names)
        if times:
            values = (times[0], times[-1], total / len(times), _quantile(times, 0.5), _quantile(times, 0.95))
        rounded = [None if value is None else round(value, 3) for value in values]
        steps = math.fsum(self._iterations) / len(self._iterations) if self._iterations else None
        rate = self._converged / self._said if self._said else None
        found: dict[str, Json] = {"total_time_ms": round(total, 3)}
        found |= dict(zip(names, rounded, strict=True))
        return found | {"avg_iterations": steps, "convergence_rate": rate}


def head(task: str, created: str, jobs: int, ok: int) -> bytes:
    """Up to the first entry. `jobs` are those that have their last word."""
    facts = {"created_at": created, "task": task, "num_jobs": jobs, "success": ok, "failure": jobs - ok}
    return json.dumps(facts, indent=1)[:-2].encode() + b',\n "jobs": [\n'


def line(entry: Entry) -> bytes:
    return b"  " + json.dumps(entry).encode()


def tail(tally: Tally) -> bytes:
    return b'\n ],\n "stats": ' + json.dumps(tally.stats()).encode() + b"\n}\n"


def _quantile(ordered: Sequence[float], share: float) -> float:
    """By linear interpolation between the two nearest."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
