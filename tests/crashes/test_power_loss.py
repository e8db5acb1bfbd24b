"""A few seeded power cuts; many more by `python -m tests.crashes.power_loss`."""

from __future__ import annotations

from pathlib import Path

from tests.crashes.power_loss import explore, recorded
from tests.extras import require_program

CUTS, RUNS = 60, 3


def test_what_a_power_cut_takes_is_neither_lost_nor_sent_twice(tmp_path: Path) -> None:
    require_program("strace")
    with recorded(tmp_path) as run:
        found = explore(run, tmp_path, cuts=CUTS, runs=RUNS, seed=11)
    assert not found.faults
    assert (found.cuts, found.runs) == (CUTS, RUNS)
