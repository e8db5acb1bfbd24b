"""Task `n1` against every single outage in tests/data/power, and the ranking of pglib's case118."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.scenarios.outages import bridges, cut_off, references
from batchtui.model import Json
from tests import extras
from tests.domains.power.power_help import CASES, DATA, rows, value, write_case

extras.require("power")
contingencies = pytest.importorskip("batchtui.domains.power.solving.flow.contingencies")


def by_outage(table: dict[str, list[Json]]) -> dict[int, dict[str, Json]]:
    names = list(table)
    found = (dict(zip(names, row, strict=True)) for row in zip(*table.values(), strict=True))
    return {row["outage_branch_id"]: row for row in found}


@pytest.mark.parametrize("case", CASES)
def test_every_outage_by_the_ac_equations(case: str) -> None:
    found = value(task="n1", grid=str(DATA / case / f"{case}.m"))
    outages = by_outage(found["tables"]["contingency"])
    references = list(rows(DATA / case / "ref_n1.csv"))
    assert set(outages) == {int(row["outage_branch_row"]) for row in references}
    for row in references:
        outage = outages[int(row["outage_branch_row"])]
        assert (outage["from_bus"], outage["to_bus"]) == (int(row["from_bus"]), int(row["to_bus"]))
        assert outage["status"] == row["ac_status"].replace("islanding", "islanded")
        if outage["status"] == "ok":
            assert outage["vm_min"] == pytest.approx(float(row["ac_vm_min_pu"]), abs=1e-6)
            assert outage["loss_mw"] == pytest.approx(float(row["ac_loss_mw"]), abs=1e-3)
        else:
            assert outage["islanded_mw"] is not None
            assert outage["loss_mw"] is None


@pytest.mark.parametrize("case", CASES)
def test_every_outage_by_the_dc_equations(case: str) -> None:
    found = value(task="n1", grid=str(DATA / case / f"{case}.m"), dc_model="matpower")
    outages = by_outage(found["tables"]["contingency"])
    flows: dict[int, list[tuple[float, int]]] = defaultdict(list)
    table = found["tables"]["contingency_flows"]
    for outage, branch, flow in zip(
        table["outage_branch_id"], table["branch_id"], table["flow_mw"], strict=True
    ):
        if flow is not None:
            flows[outage].append((abs(flow), branch))
    for row in rows(DATA / case / "ref_n1.csv"):
        number = int(row["outage_branch_row"])
        if row["dc_max_abs_flow_mw"]:
            assert max(flows[number])[0] == pytest.approx(float(row["dc_max_abs_flow_mw"]), abs=1e-4)
            change = outages[number]["max_flow_change_mw"]
            assert change == pytest.approx(float(row["dc_max_flow_change_mw"]), abs=1e-4)
            assert outages[number]["vm_min"] is None


@pytest.fixture
def dispatched(tmp_path: Path) -> str:
    """pglib's case118 at the given dispatch."""
    case = read_case(DATA / "pglib" / "pglib_opf_case118_ieee.m")
    gen = [list(row) for row in case.gen]
    for row in rows(DATA / "pglib" / "case118_dispatch.csv"):
        gen[int(row["gen_row"]) - 1][1] = float(row["pg_mw"])
    tables = {"baseMVA": case.baseMVA, "bus": case.bus, "gen": gen, "branch": case.branch}
    return write_case(tmp_path / "dispatched.json", tables)


def test_the_ranking_of_pglib_case118(dispatched: str) -> None:
    found = value(task="n1", grid=dispatched, dc_model="matpower")
    outages = by_outage(found["tables"]["contingency"])
    references = list(rows(DATA / "pglib" / "ref_case118_n1_dc_ranking.csv"))
    assert {number for number, outage in outages.items() if outage["status"] == "ok"} == {
        int(row["outage_branch_row"]) for row in references
    }
    for row in references:
        outage = outages[int(row["outage_branch_row"])]
        assert outage["worst_loading_pct"] == pytest.approx(float(row["worst_loading_pct"]), abs=1e-3)
        assert outage["worst_branch_id"] == int(row["worst_branch_row"])
        assert outage["n_overloads"] == int(row["overloaded_branches"])
    ranked = sorted(outages.values(), key=lambda outage: -(outage["worst_loading_pct"] or 0))
    assert [outage["outage_branch_id"] for outage in ranked[:1]] == [104]
    assert {outage["outage_branch_id"] for outage in ranked[1:3]} == {126, 127}
    assert [outage["outage_branch_id"] for outage in ranked[3:5]] == [8, 107]
    assert all(outage["performance_index"] > 0 for outage in ranked[:177])


def test_large_grids_keep_only_the_branches_loaded_most(
    dispatched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = value(task="n1", grid=dispatched, dc_model="matpower")["tables"]
    monkeypatch.setattr(contingencies, "MOST_FLOWS", 186 * 5)
    monkeypatch.setattr(contingencies, "AT_ONCE", 50)
    short = value(task="n1", grid=dispatched, dc_model="matpower")["tables"]
    for name in ("status", "worst_branch_id", "n_overloads"):
        assert short["contingency"][name] == whole["contingency"][name]
    flows = short["contingency_flows"]
    assert len(flows["branch_id"]) == 177 * 5
    worst = by_outage(short["contingency"])
    for number in (104, 126, 8):
        kept = [
            branch
            for outage, branch in zip(flows["outage_branch_id"], flows["branch_id"], strict=True)
            if outage == number
        ]
        assert worst[number]["worst_branch_id"] in kept


def test_an_outage_that_stands_is_no_contingency_of_its_own() -> None:
    found = value(task="n1", grid=str(DATA / "case14" / "case14.m"), outages=[{"type": "branch", "id": 1}])
    outages = by_outage(found["tables"]["contingency"])
    assert 1 not in outages
    assert outages[2]["status"] == "islanded", "bus 1 then hangs on nothing"
    assert outages[2]["islanded_mw"] == pytest.approx(259)
    assert found["tables"]["branch"]["flow_mw"][0] is None


def test_losses_that_no_state_bears_are_diverged() -> None:
    found = value(task="n1", grid=str(DATA / "case14" / "case14.m"), load_scale=3.2)
    statuses = set(found["tables"]["contingency"]["status"])
    assert statuses == {"ok", "islanded", "diverged"}
    with pytest.raises(Fault) as caught:
        value(task="n1", grid=str(DATA / "case14" / "case14.m"), load_scale=6)
    assert caught.value.kind == "not_converged"


@pytest.mark.parametrize("case", CASES)
def test_bridges_are_the_branches_whose_loss_cuts_buses_off(case: str) -> None:
    grid = read_case(DATA / case / f"{case}.m")
    roots = references(grid)
    cut = bridges(grid, (), roots)
    for branch in range(len(grid.branch)):
        assert sorted(cut.get(branch, [])) == cut_off(grid, [branch], roots)


def test_a_parallel_line_is_no_bridge(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    case["branch"].append(case["branch"][0])
    grid = read_case(write_case(tmp_path / "double.json", case))
    assert set(bridges(grid, (), (0,))) == {3, 6}
    assert set(bridges(grid, (9,), (0,))) == {0, 3, 6}
