"""Optimal power flow with every kind of cost: of pieces, of reactive power, of any degree; each by a second way too."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import read_case
from batchtui.model import Json
from tests import extras
from tests.domains.power.power_help import value
from tests.domains.power.three_buses import LINEAR, three, written

pytestmark = extras.needs("power")

PIECES = [1, 0, 0, 3, 0, 0, 60, 600, 300, 4200, 0, 0]
TWO_POINTS = [1, 0, 0, 2, 0, 30, 300, 3030, 0, 0, 0, 0]
CUBIC = [2, 0, 0, 4, 1e-4, 0.01, 10, 5, 0, 0, 0, 0]
QUARTIC = [2, 0, 0, 5, 1e-6, 0, 0.01, 11, 0, 0, 0, 0]
CONSTANT = [2, 0, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0]
SQUARE_Q = [2, 0, 0, 3, 0.05, 0, 0, 0, 0, 0, 0, 0]
PIECES_Q = [1, 0, 0, 3, -300, 900, 0, 0, 300, 900, 0, 0]
STEEPER = [1, 0, 0, 4, 0, 0, 20, 160, 70, 660, 300, 4000]


@pytest.mark.parametrize(
    "costs",
    [
        [PIECES, STEEPER],
        [PIECES, CUBIC],
        [CUBIC, TWO_POINTS],
        [QUARTIC, CUBIC],
        [CONSTANT, PIECES],
        [PIECES, STEEPER, SQUARE_Q, PIECES_Q],
        [CUBIC, CUBIC, PIECES_Q, PIECES_Q],
    ],
    ids=["pieces", "mixed", "two points", "degrees", "a constant", "reactive", "reactive pieces"],
)
def test_the_objective_is_the_least_cost_by_another_way_too(tmp_path: Path, costs: list[list[float]]) -> None:
    from tests.domains.power.opf_second_way import least_cost

    grid = written(tmp_path, gencost=costs)
    for task in ("dcopf", "acopf"):
        found = value(task=task, grid=grid)
        wanted = least_cost(read_case(grid), dc=task == "dcopf")
        assert found["summary"]["objective"] == pytest.approx(wanted, rel=1e-5, abs=1e-3), task
        assert "notes" not in found["summary"]


def test_a_full_branch_and_pieces_set_the_prices(tmp_path: Path) -> None:
    """Of three alike branches 2-3 carries (P2 - 20 + 90) / 3, so that P2 is 50 at most, and P1 60."""
    branch: Json = three()["branch"]
    branch[1][5] = 40
    found = value(task="dcopf", grid=written(tmp_path, branch=branch, gencost=[PIECES, STEEPER]))
    assert found["summary"]["objective"] == pytest.approx(600 + 160 + 30 * 10, rel=1e-5)
    assert found["tables"]["gen"]["p_mw"] == pytest.approx([60, 50], abs=1e-2)
    assert found["tables"]["branch"]["loading_pct"][1] == pytest.approx(100, abs=1e-3)
    assert found["tables"]["branch"]["shadow_price"][1] > 1
    assert max(found["tables"]["bus"]["lmp"]) > min(found["tables"]["bus"]["lmp"]) + 1


def test_pieces_that_are_not_convex_are_refused(tmp_path: Path) -> None:
    falling = [1, 0, 0, 3, 0, 0, 60, 1200, 300, 3000, 0, 0]
    for costs, says in (
        ([PIECES, falling], "gencost row 2: pieces that are not convex .* falls from 20 to 7.5 at 60"),
        ([PIECES, [1, 0, 0, 3, 0, 0, 60, 600, 60, 700, 0, 0]], "row 2: the points .* not in rising order"),
        ([PIECES, PIECES, CUBIC, falling], "gencost row 4"),
    ):
        for task in ("dcopf", "acopf") if len(costs) == 2 else ("acopf",):
            with pytest.raises(Fault, match=says) as caught:
                value(task=task, grid=written(tmp_path, gencost=costs))
            assert caught.value.kind == "bad_input"


def test_the_rounding_of_a_published_table_is_no_bend(tmp_path: Path) -> None:
    """A slope of 8.10345 after one of 8.10352."""
    rounded = [1, 0, 0, 4, 170, 1465.2, 245.667, 2073.11, 321.333, 2686.27, 397, 3299.43]
    found = value(task="dcopf", grid=written(tmp_path, gencost=[LINEAR + [0] * 6, rounded]))
    assert found["summary"]["converged"]


def test_costs_that_bend_down_are_told(tmp_path: Path) -> None:
    bent = [2, 0, 0, 4, 1e-4, -0.01, 10, 0]
    found = value(task="dcopf", grid=written(tmp_path, gencost=[bent, bent]))
    assert "gencost row 1, 2" in found["summary"]["notes"][0]
    assert "may cost less" in found["summary"]["notes"][0]


def test_costs_of_generators_that_are_out_of_service_do_not_count(tmp_path: Path) -> None:
    gen: Json = [*three()["gen"], [3, 0, 0, 10, -10, 1, 100, 0, 300, 0]]
    grid = written(tmp_path, gen=gen, gencost=[LINEAR, LINEAR, [1, 0, 0, 3, 0, 0]])
    assert value(task="dcopf", grid=grid)["summary"]["objective"] == pytest.approx(1100, rel=1e-6)


def test_a_dispatchable_load_without_a_power_factor_is_refused(tmp_path: Path) -> None:
    gen: Json = [*three()["gen"], [3, -30, -5, 10, -10, 1, 100, 1, 0, -30]]
    costs = [LINEAR, LINEAR, [2, 0, 0, 2, 50, 0]]
    with pytest.raises(Fault, match=r"gen row 3.*power factor"):
        value(task="acopf", grid=written(tmp_path, gen=gen, gencost=costs))
    gen[2][3] = 0
    gen[2][2] = -10
    served = value(task="acopf", grid=written(tmp_path, gen=gen, gencost=costs))["tables"]["gen"]
    assert served["p_mw"][2] == pytest.approx(-30, abs=1e-3)
    assert served["q_mvar"][2] == pytest.approx(-10, abs=1e-3)
