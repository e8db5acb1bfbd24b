"""A part of a life of three days; the whole by `python -m tests.crashes.life`."""

from __future__ import annotations

from pathlib import Path

from tests.crashes.life import lived
from tests.promises.whole import figure

FLAT = 12_000_000
"""Bytes by which memory may grow."""


def test_half_a_day_of_restarts_outages_and_expiry_loses_nothing_makes_nothing_twice_and_stays_flat(
    tmp_path: Path,
) -> None:
    found = lived(tmp_path, hours=figure(12, 72), batches=figure(6, 50), seed=7)
    assert found.batches == figure(6, 50)
    assert found.restarts > 2
    assert found.seen["lost replies"]
    assert found.seen["failed"]
    assert found.growth < FLAT
