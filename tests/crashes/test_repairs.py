"""A repair that is killed is finished by the next one."""

from __future__ import annotations

import pytest

from tests.crashes.laboratory import laboratory
from tests.crashes.repairs import killed_repairs
from tests.promises.whole import figure

pytestmark = pytest.mark.timeout(figure(600, 0))  # many processes, one after the other

SEED = "repairs"


def test_killed_in_a_repair_the_next_one_brings_all_home() -> None:
    pytest.importorskip("uvicorn", reason="needs the extra `demo`")
    with laboratory() as room:
        verdict = killed_repairs(room, SEED, most=figure(2, 39))
    assert not verdict.faults, f"seed {SEED}"
    assert verdict.kills
