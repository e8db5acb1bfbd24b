"""Power flow against the references in tests/data/power, inside the tolerances of its README, and against PYPOWER."""

from __future__ import annotations

import importlib
import json
from collections import defaultdict
from pathlib import Path

import pytest

from batchtui.model import Json
from tests import extras
from tests.domains.power.power_help import CASES, DATA, jobs_of, rows, solved, value, write_case

pytestmark = extras.needs("power")

FLOWS = (
    ("p_from_mw", "flow_mw"),
    ("q_from_mvar", "q_from_mvar"),
    ("p_to_mw", "p_to_mw"),
    ("q_to_mvar", "q_to_mvar"),
)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("task", ["dc", "ac"])
def test_every_scenario_is_inside_the_tolerances(case: str, task: str) -> None:
    found = solved(jobs_of(DATA / case / f"manifest_{task}.json"))
    near = 1e-4 if task == "dc" else 1e-3

    known = defaultdict(set)
    for row in rows(DATA / case / f"ref_{task}_branch.csv"):
        table = found[row["scenario_id"]]["tables"]["branch"]
        place = int(row["branch_row"]) - 1
        known[row["scenario_id"]].add(place)
        assert (table["branch_id"][place], table["from_bus"][place], table["to_bus"][place]) == (
            place + 1,
            int(row["from_bus"]),
            int(row["to_bus"]),
        )
        for theirs, ours in FLOWS:
            assert table[ours][place] == pytest.approx(float(row[theirs]), abs=near)
    assert set(known) == set(found)
    for scenario, places in known.items():
        flows = found[scenario]["tables"]["branch"]["flow_mw"]
        assert {place for place, flow in enumerate(flows) if flow is not None} == places, "in service"

    for row in rows(DATA / case / f"ref_{task}_bus.csv"):
        table = found[row["scenario_id"]]["tables"]["bus"]
        place = table["bus_id"].index(int(row["bus_id"]))
        assert table["vm_pu"][place] == pytest.approx(float(row["vm_pu"]), abs=1e-6)
        assert table["va_deg"][place] == pytest.approx(float(row["va_deg"]), abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_the_summary_of_every_ac_scenario(case: str) -> None:
    found = solved(jobs_of(DATA / case / "manifest_ac.json"))
    for row in rows(DATA / case / "ref_summary.csv"):
        summary = found[row["scenario_id"]]["summary"]
        assert summary["converged"] is True
        assert summary["loss_mw"] == pytest.approx(float(row["ac_loss_mw"]), abs=1e-3)
        assert summary["slack_mw"] == pytest.approx(float(row["ac_slack_gen_p_mw"]), abs=1e-3)
        assert summary["load_mw"] == pytest.approx(float(row["total_load_mw"]), abs=1e-3)
        assert summary["gen_mw"] == pytest.approx(summary["load_mw"] + summary["loss_mw"], abs=1e-3)
        assert summary["vm_min"] == pytest.approx(float(row["ac_vm_min_pu"]), abs=1e-6)
        assert summary["vm_max"] == pytest.approx(float(row["ac_vm_max_pu"]), abs=1e-6)
        assert summary["vm_min_bus"] == int(row["ac_vm_min_bus"])


def test_loadings_and_limits_are_told_where_the_case_has_any() -> None:
    nine = value(task="ac", grid=str(DATA / "case9" / "case9.m"))
    branch, summary = nine["tables"]["branch"], nine["summary"]
    rates = (250, 250, 150, 300, 150, 250, 250, 250, 250)
    for place, rate in enumerate(rates):
        ends = [(branch["flow_mw"], branch["q_from_mvar"]), (branch["p_to_mw"], branch["q_to_mvar"])]
        most = max(abs(complex(p[place], q[place])) for p, q in ends)
        assert branch["loading_pct"][place] == pytest.approx(most / rate * 100)
    assert summary["loading_max_pct"] == max(branch["loading_pct"])
    assert summary["loading_max_branch"] == 7
    assert (summary["n_overloads"], summary["n_vm_violations"]) == (0, 0)
    assert nine["tables"]["bus"]["vmax"] == [1.1] * 9

    fourteen = value(task="ac", grid=str(DATA / "case14" / "case14.m"))
    assert set(fourteen["tables"]["branch"]["loading_pct"]) == {None}, "case14 has no ratings"
    assert "loading_max_pct" not in fourteen["summary"]
    assert fourteen["summary"]["n_vm_violations"] == 3, "buses 6, 7 and 8 are above 1.06"


def test_the_fault_set_gives_the_right_kinds() -> None:
    found = solved(jobs_of(DATA / "case14" / "manifest_faults.json"))
    losses = {row["scenario_id"]: row["ac_loss_mw"] for row in rows(DATA / "case14" / "ref_faults.csv")}
    kinds = {name: found_.kind for name, found_ in found.items() if isinstance(found_, Exception)}
    assert kinds == {
        "diverges": "not_converged",
        "missing_file": "missing_file",
        "missing_grid": "missing_file",
        "unknown_bus": "bad_input",
        "bad_cell": "bad_input",
        "bad_columns": "bad_input",
        "islanded": "islanded",
        "unknown_branch": "bad_input",
    }
    for name in found.keys() - kinds.keys():
        assert found[name]["summary"]["loss_mw"] == pytest.approx(float(losses[name]), abs=1e-3)
    assert not any(fault.transient for fault in found.values() if isinstance(fault, Exception))


OUTAGES: list[list[dict[str, Json]]] = [
    [],
    [{"type": "gen", "id": 3}],
    [{"type": "branch", "id": 12}, {"type": "generator", "id": "2"}],
]


@pytest.mark.parametrize("name", ["case24_ieee_rts", "case30", "case39", "case57", "case300"])
@pytest.mark.parametrize("task", ["dc", "ac"])
@pytest.mark.filterwarnings("ignore")
def test_taps_shifts_shunts_and_lost_generators_as_pypower_solves_them(
    name: str, task: str, tmp_path: Path
) -> None:
    """case300 has phase shifters, conductances and several areas; case24 has many generators at one bus."""
    import numpy as np
    from pypower.api import ppoption, rundcpf, runpf

    make = getattr(importlib.import_module(f"pypower.{name}"), name)
    grid = write_case(tmp_path / f"{name}.json", make())
    options = ppoption(VERBOSE=0, OUT_ALL=0, PF_TOL=1e-10)
    for outages in OUTAGES:
        case = {
            key: np.array(table, float) if key in ("bus", "gen", "branch") else table
            for key, table in make().items()
        }
        for outage in outages:
            table, column = ("branch", 10) if outage["type"] == "branch" else ("gen", 7)
            case[table][int(outage["id"]) - 1, column] = 0
        bus_of_reference = case["bus"][case["bus"][:, 1] == 3, 0]
        if not any((case["gen"][:, 0] == bus_of_reference) & (case["gen"][:, 7] > 0)):
            continue
        theirs, converged = (rundcpf if task == "dc" else runpf)(case, options)
        assert converged
        ours = value(task=task, grid=grid, outages=outages)
        on = theirs["branch"][:, 10] > 0
        flow = np.array(ours["tables"]["branch"]["flow_mw"], dtype=float)
        assert np.abs(flow - theirs["branch"][:, 13])[on].max() < 1e-4
        assert np.isnan(flow[~on]).all()
        bus = ours["tables"]["bus"]
        assert np.abs(np.array(bus["vm_pu"]) - theirs["bus"][:, 7]).max() < 1e-6
        assert np.abs(np.array(bus["va_deg"]) - theirs["bus"][:, 8]).max() < 1e-4
        there = theirs["gen"][:, 7] > 0
        assert ours["summary"]["gen_mw"] == pytest.approx(theirs["gen"][there, 1].sum(), abs=1e-3)


def test_scales_apply_to_all_loads_and_to_all_generators_but_the_slack() -> None:
    grid = str(DATA / "case9" / "case9.m")
    found = value(task="dc", grid=grid, load_scale=1.1, generation_scale=0.5)["summary"]
    assert found["load_mw"] == pytest.approx(315 * 1.1)
    assert found["slack_mw"] == pytest.approx(315 * 1.1 - (163 + 85) * 0.5)


def test_the_reference_bus_can_be_moved() -> None:
    found = value(task="dc", grid=str(DATA / "case9" / "case9.m"), slack=2)
    assert found["summary"]["slack_mw"] == pytest.approx(315 - 85 - 0)
    assert found["tables"]["bus"]["va_deg"][1] == pytest.approx(0.0)


def test_the_powermodels_susceptance(tmp_path: Path) -> None:
    """Two parallel lines share by x/(r²+x²) instead of by 1/x."""
    bus = [[1, 3, 0, 0, 0, 0, 1, 1, 0, 100, 1, 1.1, 0.9], [2, 1, 90, 0, 0, 0, 1, 1, 0, 100, 1, 1.1, 0.9]]
    gen = [[1, 0, 0, 99, -99, 1, 100, 1, 200, 0]]
    line = [1, 2, 0.0, 0.1, 0, 0, 0, 0, 0, 0, 1]
    lossy = [1, 2, 0.1, 0.1, 0, 0, 0, 0, 0.5, 0, 1]
    grid = write_case(
        tmp_path / "two.json", {"baseMVA": 100, "bus": bus, "gen": gen, "branch": [line, lossy]}
    )
    matpower = value(task="dc", grid=grid)["tables"]["branch"]["flow_mw"]
    assert matpower == pytest.approx([30, 60])
    powermodels = value(task="dc", grid=grid, dc_model="powermodels")["tables"]["branch"]["flow_mw"]
    assert powermodels == pytest.approx([60, 30])


def test_a_flat_start_is_told_when_it_was_needed(tmp_path: Path) -> None:
    case = json.loads((DATA / "case14" / "case14.json").read_text())
    for row in case["bus"]:
        row[7], row[8] = 0.2, row[0] * 60.0  # stored voltages from which Newton's method does not find back
    grid = write_case(tmp_path / "far.json", case)
    summary = value(task="ac", grid=grid)["summary"]
    assert summary["fallback"] == "flat start"
    assert summary["loss_mw"] == pytest.approx(13.39327, abs=1e-3)
    assert "fallback" not in value(task="ac", grid=str(DATA / "case14" / "case14.m"))["summary"]


def test_isolated_buses_are_left_out(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    case["bus"].append([10, 4, 50, 0, 0, 0, 1, 1, 0, 345, 1, 1.1, 0.9])
    found = value(task="ac", grid=write_case(tmp_path / "ten.json", case))
    assert found["summary"]["load_mw"] == pytest.approx(315)
    assert found["tables"]["bus"]["vm_pu"][9] is None


def test_scenarios_of_different_grids_and_tasks_come_back_in_their_order() -> None:
    grids = [
        DATA / "case9" / "case9.m",
        DATA / "case14" / "case14.m",
        DATA / "nope.m",
        DATA / "case9" / "case9.m",
    ]
    jobs = {str(n): {"task": "ac" if n % 2 else "dc", "grid": str(grid)} for n, grid in enumerate(grids)}
    found = list(solved(jobs).values())
    assert [getattr(one, "kind", None) for one in found] == [None, None, "missing_file", None]
    assert [len(one["tables"]["bus"]["bus_id"]) for one in found if isinstance(one, dict)] == [9, 14, 9]
    assert found[0]["summary"]["loss_mw"] == 0
    assert found[3]["summary"]["loss_mw"] == pytest.approx(4.9547, abs=1e-3)


def test_a_generator_at_a_pq_bus_gives_what_the_case_says(tmp_path: Path) -> None:
    import numpy as np
    from pypower.api import ppoption, runpf

    case = json.loads((DATA / "case9" / "case9.json").read_text())
    del case["gencost"]
    case["gen"].append([5, 40, 15, 99, -99, 1.05, 100, 1, 80, 0, *([0] * 11)])
    grid = write_case(tmp_path / "pq.json", case)
    found = value(task="ac", grid=grid, generation_scale=1.0)
    tables = {name: np.array(case[name], float) for name in ("bus", "gen", "branch")}
    theirs, converged = runpf({"version": "2", "baseMVA": 100.0, **tables}, ppoption(VERBOSE=0, OUT_ALL=0))
    assert converged
    assert found["tables"]["bus"]["vm_pu"] == pytest.approx(theirs["bus"][:, 7].tolist(), abs=1e-6)
    assert found["summary"]["gen_mw"] == pytest.approx(theirs["gen"][:, 1].sum(), abs=1e-3)
    assert found["tables"]["bus"]["p_mw"][4] == pytest.approx(40 - 90)
    assert found["tables"]["bus"]["q_mvar"][4] == pytest.approx(15 - 30)
    lost = value(task="ac", grid=grid, outages=[{"type": "gen", "id": 4}])
    assert lost["summary"]["loss_mw"] == pytest.approx(4.9547, abs=1e-3)


def test_a_grid_without_an_idle_state_is_solved_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As grids with large negative reactances are: lightsim2grid first solves the model's own state."""
    from batchtui.domains.power.solving.network import grid

    monkeypatch.setattr(grid, "_IDLE", 1e5)  # MW at every bus: no state bears that
    grid.grid_of.cache_clear()
    try:
        found = value(task="ac", grid=str(DATA / "case14" / "case14.m"))
    finally:
        grid.grid_of.cache_clear()
    assert found["summary"]["loss_mw"] == pytest.approx(13.39327, abs=1e-3)
    assert "fallback" not in found["summary"]
