"""Grids that people reported with other tools, and two kin of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.model import Json
from tests import extras
from tests.cases.case_help import CASES
from tests.domains.power.power_help import jobs_of, rows, value
from tests.domains.power.three_buses import LINEAR, three, written

pytestmark = extras.needs("power")


def only(name: str) -> dict[str, Json]:
    """The arguments of the one scenario of a case."""
    (job,) = jobs_of(CASES / name / "manifest.json").values()
    return job


def check_buses(found: dict[str, Json], wanted: Path) -> None:
    """Voltages and angles of every bus, as MATPOWER gives them."""
    bus = found["tables"]["bus"]
    got = dict(zip(bus["bus_id"], zip(bus["vm_pu"], bus["va_deg"], strict=True), strict=True))
    for row in rows(wanted):
        assert got.pop(int(row["bus_id"])) == pytest.approx(
            (float(row["vm_pu"]), float(row["va_deg"])), abs=1e-6
        )
    assert not got


def test_a_dead_branch_is_not_judged(tmp_path: Path) -> None:
    name = "power-dead-branch-without-impedance"
    check_buses(value(**only(name)), CASES / name / "expected_ac.csv")
    sound = value(task="ac", grid=written(tmp_path))["tables"]["bus"]
    dead: Json = [
        [3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, -360, 360],  # joins a bus to itself
        [1, 77, 0.1, 0.1, 0, 0, 0, 0, 0, 0, 0, -360, 360],  # no such bus
    ]
    for branch in ([dead[0], *three()["branch"]], [*three()["branch"], dead[1]]):
        for task in ("ac", "dc", "n1"):
            found = value(task=task, grid=written(tmp_path, branch=branch))
            if task == "ac":
                assert found["tables"]["bus"]["vm_pu"] == pytest.approx(sound["vm_pu"], abs=1e-9)
            assert found["tables"]["branch"]["flow_mw"].count(None) == 1
    gen: Json = [[77, 0, 0, 10, -10, 1, 100, 0, 10, 0], *three()["gen"]]
    found = value(task="ac", grid=written(tmp_path, gen=gen))["tables"]["bus"]
    assert found["va_deg"] == pytest.approx(sound["va_deg"], abs=1e-9)
    isolated: Json = [*three()["bus"], [4, 4, 9, 9, 0, 0, 1, 1, 0, 135, 1, 1.1, 0.9]]
    branch = [*three()["branch"], [3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1, -360, 360]]
    found = value(task="ac", grid=written(tmp_path, bus=isolated, branch=branch))["tables"]["bus"]
    assert found["va_deg"][:3] == pytest.approx(sound["va_deg"], abs=1e-9)


@extras.needs("pandapower")
def test_loads_of_pandapower_follow_the_voltage() -> None:
    found = value(**only("power-zip-loads"))
    assert found["tables"]["bus"]["vm_pu"][1] == pytest.approx(0.955866, abs=1e-6)
    assert any("loads follow the voltage" in note for note in found["summary"]["notes"])


@extras.needs("pandapower")
def test_buses_that_switches_join_have_a_row_each_and_take_loads() -> None:
    jobs = jobs_of(CASES / "power-joined-buses" / "manifest.json")
    base, more = (value(**jobs[name]) for name in ("base", "more"))
    for found in (base, more):
        vm = dict(zip(found["tables"]["bus"]["bus_id"], found["tables"]["bus"]["vm_pu"], strict=True))
        assert vm[5] == pytest.approx(vm[4], abs=1e-12)
    asked = dict(zip(more["tables"]["bus"]["bus_id"], more["tables"]["bus"]["p_mw"], strict=True))
    assert asked[5] == pytest.approx(-0.8)


def test_two_references_are_both_held(tmp_path: Path) -> None:
    name = "power-two-references"
    job = only(name)
    check_buses(value(**job), CASES / name / "expected_ac.csv")
    one = value(**{**job, "slack": 1})["tables"]["bus"]
    assert one["va_deg"][1] == pytest.approx(-0.5911823, abs=1e-6), "the other is then an ordinary generator"
    dc = value(**{**job, "task": "dc"})
    assert dc["tables"]["bus"]["va_deg"][:2] == [0, 0]
    assert dc["summary"]["slack_mw"] == pytest.approx(110)
    assert dc["summary"]["gen_mw"] == pytest.approx(110)
    after = value(**{**job, "task": "n1"})["tables"]["contingency"]
    assert after["status"] == ["ok"] * 3

    bus = three()["bus"]
    bus[1][1] = 3
    bus[1][8] = 4.0
    turned = value(task="ac", grid=written(tmp_path, bus=bus))["tables"]["bus"]
    assert turned["va_deg"][:2] == pytest.approx([0, 4])
    without = value(task="ac", grid=written(tmp_path, bus=bus), outages=[{"type": "gen", "id": 2}])
    assert without["tables"]["bus"]["va_deg"][1] < 0, "without its generator it is a bus as any other"


def test_islands_with_a_reference_each_are_solved_side_by_side(tmp_path: Path) -> None:
    alone = value(task="ac", grid=written(tmp_path))
    grid = three()
    far = json.loads(json.dumps(grid))
    for row in (*far["bus"], *far["gen"]):
        row[0] += 10
    for row in far["branch"]:
        row[0], row[1] = row[0] + 10, row[1] + 10
    far["bus"][0][8] = 30.0
    both = {name: grid[name] + far[name] for name in ("bus", "gen", "branch")}
    found = value(task="ac", grid=written(tmp_path, **both))
    bus, one = found["tables"]["bus"], alone["tables"]["bus"]
    assert bus["vm_pu"] == pytest.approx(one["vm_pu"] * 2, abs=1e-9)
    assert bus["va_deg"] == pytest.approx(one["va_deg"] + [angle + 30 for angle in one["va_deg"]], abs=1e-6)
    assert found["summary"]["loss_mw"] == pytest.approx(2 * alone["summary"]["loss_mw"])
    costs = [LINEAR] * 4
    assert value(task="dcopf", grid=written(tmp_path, **both, gencost=costs))["summary"][
        "objective"
    ] == pytest.approx(2200, rel=1e-6)

    both["bus"][3][1] = 2
    with pytest.raises(Fault, match="buses 11, 12, 13 without a path to the reference bus 1") as caught:
        value(task="ac", grid=written(tmp_path, **both))
    assert caught.value.kind == "islanded"


def test_costs_of_pieces_alone() -> None:
    """The kin of it, mixed costs and costs of reactive power, are in test_opf_costs."""
    assert value(**only("power-opf-piecewise"))["summary"]["objective"] == pytest.approx(1003.914, rel=1e-4)


def test_cubic_costs_are_minimised_and_not_left_out() -> None:
    """Two generators of the same cost share 110 MW in the DC model."""
    found = value(**{**only("power-opf-cubic-costs"), "task": "dcopf"})
    each = 55.0
    assert found["summary"]["objective"] == pytest.approx(
        2 * (1e-4 * each**3 + 0.01 * each**2 + 10 * each), rel=1e-6
    )
    assert found["tables"]["gen"]["p_mw"] == pytest.approx([each, each], abs=1e-3)
