"""Optimal power flow against the references in tests/data/power and the published results of pglib-opf."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from tests import extras
from tests.domains.power.power_help import CASES, DATA, jobs_of, rows, solved, value, write_case
from tests.domains.power.three_buses import LINEAR, three

pytestmark = extras.needs("power")


@pytest.mark.parametrize("case", CASES)
def test_every_dc_objective(case: str) -> None:
    found = solved(jobs_of(DATA / case / "manifest_dc.json", task="dcopf"))
    for row in rows(DATA / case / "ref_summary.csv"):
        assert row["dcopf_status"] == "Optimal"
        objective = found[row["scenario_id"]]["summary"]["objective"]
        assert objective == pytest.approx(float(row["dcopf_objective"]), rel=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_ac_objectives(case: str) -> None:
    wanted = {row["scenario_id"]: float(row["objective"]) for row in rows(DATA / case / "ref_acopf.csv")}
    jobs = jobs_of(DATA / case / "manifest_ac.json", task="acopf")
    found = solved({name: jobs[name] for name in wanted})
    for name, objective in wanted.items():
        assert found[name]["summary"]["objective"] == pytest.approx(objective, rel=1e-4)


@pytest.mark.parametrize("row", rows(DATA / "pglib" / "ref_objectives.csv"), ids=lambda row: row["case"])
def test_the_published_objectives_with_both_dc_models(row: dict[str, str]) -> None:
    grid = str(DATA / "pglib" / f"{row['case']}.m")
    for model in ("powermodels", "matpower"):
        summary = value(task="dcopf", grid=grid, dc_model=model)["summary"]
        assert summary["objective"] == pytest.approx(float(row[f"dcopf_{model}_b"]), rel=1e-6)
    assert value(task="dcopf", grid=grid)["summary"]["objective"] == summary["objective"], (
        "matpower by default"
    )
    summary = value(task="acopf", grid=grid)["summary"]
    assert summary["objective"] == pytest.approx(float(row["acopf"]), rel=1e-4)
    assert summary["n_overloads"] == 0


def test_prices_meet_at_a_free_line_and_part_at_a_full_one() -> None:
    found = value(task="dcopf", grid=str(DATA / "pglib" / "pglib_opf_case118_ieee.m"))
    branch, bus, gen = (found["tables"][name] for name in ("branch", "bus", "gen"))
    binding = [place for place, price in enumerate(branch["shadow_price"]) if price > 0]
    assert binding
    assert all(branch["loading_pct"][place] == pytest.approx(100, abs=1e-3) for place in binding)
    assert max(bus["lmp"]) > min(bus["lmp"]) + 1
    assert sum(gen["p_mw"]) == pytest.approx(found["summary"]["gen_mw"])
    assert len(gen["gen_id"]) == 54

    free = value(task="dcopf", grid=str(DATA / "case9" / "case9.m"))["tables"]
    assert set(free["branch"]["shadow_price"]) == {0.0}
    assert max(free["bus"]["lmp"]) == pytest.approx(min(free["bus"]["lmp"]), rel=1e-4)


def test_more_load_than_generators_is_infeasible() -> None:
    for task in ("dcopf", "acopf"):
        with pytest.raises(Fault) as caught:
            value(task=task, grid=str(DATA / "case9" / "case9.m"), load_scale=6)
        assert caught.value.kind == "infeasible"
        assert "1890 MW" in str(caught.value)


def test_what_shunts_give_or_take_counts(tmp_path: Path) -> None:
    """Without these the generators would have too little, or too much."""
    for shunt, limits in ((-60.0, (80, 0)), (250.0, (500, 200))):
        case = three(gencost=[LINEAR, LINEAR])
        case["bus"][2][4] = shunt
        for row in case["gen"]:
            row[8], row[9] = limits[0] / 2, limits[1] / 2
        grid = write_case(tmp_path / "shunt.json", case)
        assert value(task="dcopf", grid=grid)["summary"]["gen_mw"] == pytest.approx(110 + shunt)
    case["bus"][2][4] = -60.0
    for row in case["gen"]:
        row[8], row[9] = 40, 0
    served = value(task="acopf", grid=write_case(tmp_path / "given.json", case))["summary"]
    assert 35 < served["gen_mw"] < 60


def test_limits_of_branches_that_leave_no_dispatch_are_infeasible(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    for row in case["branch"]:
        row[5] = 20.0
    with pytest.raises(Fault) as caught:
        value(task="dcopf", grid=write_case(tmp_path / "tight.json", case))
    assert caught.value.kind == "infeasible"


def test_an_ac_opf_without_a_solution_is_tried_with_step_control_and_given_up(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    for row in case["branch"]:
        row[5] = 20.0
    with pytest.raises(Fault) as caught:
        value(task="acopf", grid=write_case(tmp_path / "tight.json", case))
    assert caught.value.kind == "not_converged"


def test_what_an_opf_cannot_do_without(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    del case["gencost"]
    with pytest.raises(Fault, match="gencost") as caught:
        value(task="dcopf", grid=write_case(tmp_path / "free.json", case))
    assert caught.value.kind == "bad_input"
    with pytest.raises(Fault, match="generation_scale"):
        value(task="dcopf", grid=str(DATA / "case9" / "case9.m"), generation_scale=1.2)
    with pytest.raises(Fault, match="dc_model"):
        value(task="acopf", grid=str(DATA / "case9" / "case9.m"), dc_model="matpower")


def test_outages_and_loads_change_the_objective() -> None:
    grid = str(DATA / "case14" / "case14.m")
    whole = value(task="dcopf", grid=grid)["summary"]["objective"]
    lost = value(task="dcopf", grid=grid, outages=[{"type": "gen", "id": 2}])
    assert lost["summary"]["objective"] > whole
    assert lost["tables"]["gen"]["p_mw"][1] == 0
    gone = value(task="dcopf", grid=grid, outages=[{"type": "branch", "id": 1}])["tables"]["branch"]
    assert gone["flow_mw"][0] is None
    assert gone["flow_mw"][1] > 0
