"""P6: where the disk is full or refuses a call, nothing new is sent, it is told, and it goes on by itself afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crashes import disk_faults
from tests.crashes.batch_service import BatchService
from tests.crashes.full_disk import MOMENTS, FullDisk, limited
from tests.promises.whole import figure

CALLS, ALL = 16, 1000


def test_p6_any_one_call_that_the_disk_refuses_loses_nothing_and_pays_nothing_twice(tmp_path: Path) -> None:
    outcomes = disk_faults.explore(tmp_path, seed=6, most=figure(CALLS, ALL))
    assert not outcomes.faults
    assert outcomes.went_on >= CALLS


@pytest.mark.parametrize("moment", MOMENTS[1 : figure(2, 4)])
def test_p6_without_space_for_a_while_it_is_told_by_every_process_and_goes_on_by_itself(
    tmp_path: Path, moment: int
) -> None:
    with BatchService(looks=3) as service:
        FullDisk(tmp_path, service, tmp_path / "data").through(moment, limited)
