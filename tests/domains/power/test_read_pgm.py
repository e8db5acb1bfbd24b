"""power-grid-model's own grids, solved by it: case14 with its generators as fixed injections against the references."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.tasks import solve_many
from batchtui.model import Json
from tests import extras

CASE14 = Path(__file__).parents[2] / "data" / "power" / "case14"
REASON = "needs the extra `pgm`"
VOLTS = 10e3
BASE = VOLTS**2 / 100e6


def dataset(first: int = 1) -> dict[str, Json]:
    """case14 as PGM input: what its generators give in the solved base case is injected, since PGM has no PV bus.

    Nodes have the case's numbers, or begin with `first`.
    """
    case = Case(**json.loads((CASE14 / "case14.json").read_text()))
    jobs = [{"task": "ac", "grid": str(CASE14 / "case14.m")}]
    (solved,) = solve_many(jobs)
    assert isinstance(solved, dict), solved
    net_q = dict(zip(solved["tables"]["bus"]["bus_id"], solved["tables"]["bus"]["q_mvar"], strict=True))
    ids = iter(range(100, 1000))

    def at(bus: float) -> int:
        return int(bus) - 1 + first

    fixed = {"status": 1, "type": 0}
    loads = [
        {"id": next(ids), "node": at(b[0]), **fixed, "p_specified": b[2] * 1e6, "q_specified": b[3] * 1e6}
        for b in case.bus
        if b[2] or b[3]
    ]
    demand = {int(b[0]): b[3] for b in case.bus}
    gens = [
        {"id": next(ids), "node": at(g[0]), **fixed, "p_specified": g[1] * 1e6}
        | {"q_specified": (net_q[int(g[0])] + demand[int(g[0])]) * 1e6}
        for g in case.gen[1:]
    ]
    branches = [
        {"id": next(ids), "from_node": at(b[0]), "to_node": at(b[1]), "from_status": 1, "to_status": 1}
        | {"r1": b[2] * BASE, "x1": b[3] * BASE, "g1": 0.0, "b1": b[4] / BASE, "sn": 100e6}
        | {"k": b[8] or 1.0, "theta": math.radians(b[9])}
        for b in case.branch
    ]
    data = {
        "node": [{"id": at(b[0]), "u_rated": VOLTS} for b in case.bus],
        "generic_branch": branches,
        "sym_load": loads,
        "sym_gen": gens,
        "source": [{"id": next(ids), "node": at(1), "status": 1, "u_ref": 1.06, "sk": 1e20}],
        "shunt": [{"id": next(ids), "node": at(9), "status": 1, "g1": 0.0, "b1": 0.19 / BASE}],
    }
    return {"version": "1.0", "type": "input", "is_batch": False, "attributes": {}, "data": data}


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    pytest.importorskip("power_grid_model", reason=REASON)
    extras.require("power")
    path = tmp_path / "case14_pgm.json"
    path.write_text(json.dumps(dataset()))
    return path


def solved(grid: Path, *changes: dict[str, Json]) -> list[Json]:
    return list(solve_many([{"task": "ac", "grid": str(grid), **change} for change in changes]))


def test_power_grid_model_agrees_with_the_reference(grid: Path) -> None:
    (found,) = solved(grid, {})
    assert isinstance(found, dict), found
    (wanted,) = solved(CASE14 / "case14.m", {})
    for table, columns in (("bus", ("vm_pu", "va_deg")), ("branch", ("flow_mw", "q_to_mvar", "loss_mw"))):
        for column in columns:
            assert found["tables"][table][column] == pytest.approx(wanted["tables"][table][column], abs=1e-6)
    summary = found["summary"]
    assert summary["loss_mw"] == pytest.approx(13.39327, abs=1e-4)
    assert summary["slack_mw"] == pytest.approx(232.39327, abs=1e-4)
    assert (summary["vm_max_bus"], summary["loading_max_branch"]) == (8, 1)


def test_many_scenarios_of_one_grid_change_loads_and_outages_alone(grid: Path, tmp_path: Path) -> None:
    loads = tmp_path / "loads.csv"
    loads.write_text("bus_id,p_mw,q_mvar\n14,0,0\n7,3,1\n")
    plain, changed, scaled, cut, again = solved(
        grid,
        {},
        {"loads": str(loads)},
        {"load_scale": 0.5, "generation_scale": 0.5},
        {"outages": [{"type": "branch", "id": 20}, {"type": "generator", "id": 2}]},
        {},
    )
    assert plain["summary"]["load_mw"] == pytest.approx(259.0)
    assert changed["summary"]["load_mw"] == pytest.approx(259.0 - 14.9 + 3.0)
    assert scaled["summary"]["load_mw"] == pytest.approx(129.5)
    assert scaled["summary"]["gen_mw"] - scaled["summary"]["slack_mw"] == pytest.approx(20.0)
    assert cut["tables"]["branch"]["flow_mw"][19] is None
    assert cut["summary"]["gen_mw"] == pytest.approx(cut["summary"]["slack_mw"])
    assert again["tables"] == plain["tables"]


def test_what_fails_fails_alone(grid: Path) -> None:
    good, far, island, no_branch = solved(
        grid,
        {},
        {"load_scale": 30.0},
        {"outages": [{"type": "branch", "id": 14}]},
        {"outages": [{"type": "branch", "id": 99}]},
    )
    assert isinstance(good, dict)
    assert [fault.kind for fault in (far, island, no_branch)] == ["not_converged", "islanded", "bad_input"]


@pytest.mark.parametrize("task", ["dc", "n1"])
def test_other_tasks_say_what_to_do(grid: Path, task: str) -> None:
    (fault,) = solved(grid, {"task": task})
    assert isinstance(fault, Fault)
    assert "power-grid-model does ac only" in str(fault)


def test_node_0_moves_the_numbers_by_one(tmp_path: Path, grid: Path) -> None:
    path = tmp_path / "from0.json"
    path.write_text(json.dumps(dataset(first=0)))
    (found,) = solved(path, {})
    assert found["tables"]["bus"]["bus_id"] == list(range(1, 15))
    assert "plus 1" in found["summary"]["notes"][1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"asym_load": [{"id": 999, "node": 1}]}, "has a asym_load"),
        ({"source": []}, "no source in service"),
        ({"node": []}, "has no nodes"),
        ({"nonsense": [{"id": 1}]}, "power-grid-model cannot read it"),
    ],
)
def test_what_cannot_be_taken_is_named(
    grid: Path, tmp_path: Path, change: dict[str, Json], words: str
) -> None:
    found = json.loads(grid.read_text())
    found["data"] |= change
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(found))
    with pytest.raises(Fault, match=words):
        read_case(path)
