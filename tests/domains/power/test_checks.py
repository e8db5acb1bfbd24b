"""What is told about a scenario before it runs, and that telling it loads no library of numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.scenarios.checks import faults_of
from batchtui.domains.power.scenarios.loads import read_loads
from batchtui.model import Json
from tests import extras
from tests.domains.power.power_help import DATA, jobs_of

FOURTEEN = DATA / "case14" / "case14.m"


def faults(folder: Path, text: str) -> list[Fault]:
    path = folder / "loads.csv"
    path.write_text(text)
    return faults_of(FOURTEEN, path, task="ac")


def test_the_fault_set_but_for_what_only_solving_shows() -> None:
    jobs = jobs_of(DATA / "case14" / "manifest_faults.json")
    told = {
        name: [(fault.kind, fault.line) for fault in faults_of(job["grid"], job["loads"], job["outages"])]
        for name, job in jobs.items()
    }
    assert told == {
        "good_a": [],
        "partial_csv": [],
        "no_loads": [],
        "diverges": [],
        "missing_file": [("missing_file", None)],
        "missing_grid": [("missing_file", None)],
        "unknown_bus": [("bad_input", 13)],
        "bad_cell": [("bad_input", 4)],
        "bad_columns": [("bad_input", 1)],
        "islanded": [("islanded", None)],
        "unknown_branch": [("bad_input", None)],
    }


def test_checking_needs_the_standard_library_only() -> None:
    script = """
import json, sys
from batchtui.domains.power.scenarios.checks import faults_of
from batchtui.domains.power import fault
from batchtui.domains.power.grids import read
from batchtui.domains.power.scenarios import loads, outages, scenario
assert not faults_of(sys.argv[1], sys.argv[2], [{"type": "branch", "id": 3}], task="acopf")
heavy = {"numpy", "scipy", "pandas", "pyarrow", "lightsim2grid", "pypower"} & {name.partition(".")[0] for name in sys.modules}
assert not heavy, heavy
"""
    loads = DATA / "case14" / "loads" / "case14_s001.csv"
    subprocess.run(
        [sys.executable, "-c", script, FOURTEEN, loads], check=True, env={**os.environ, "PYTHONPATH": "."}
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "bus_id is missing"),
        ("bus_id,p_mw\n2,1", 1, "q_mvar is missing"),
        ("bus_id,p_mw,q_mvar\n2,1\n", 2, "column 3: is empty"),
        ("bus_id,p_mw,q_mvar\n2,,1\n", 2, "column 2: is empty"),
        ("bus_id,p_mw,q_mvar\n\n2,nan,1\n", 3, "no number"),
        ("bus_id,p_mw,q_mvar\n2,inf,1\n", 2, "no number"),
        ("bus_id,p_mw,q_mvar\n2,1_0,1\n", 2, "no number"),
        ("bus_id,p_mw,q_mvar\n2,1e999,1\n", 2, "no number"),
        ("bus_id,p_mw,q_mvar\n2.5,1,1\n", 2, "no bus number"),
        ("bus_id,p_mw,q_mvar\n2,1,1\n3,1,1\n2,1,1\n", 4, "bus 2 is there twice"),
        ("bus_id,p_mw,pd,q_mvar\n2,1,1,1\n", 1, "more than once"),
        ("bus_id,bus_id,p_mw,q_mvar\n2,2,1,1\n", 1, "more than once"),
        ("bus_id,p_mw,q_mvar,scale\n2,1,1,x\n", 2, "column 4"),
        ("bus_id,p_mw,q_mvar\n0,1,1\n", 2, "no bus 0 in the grid"),
        ("bus_id,p_mw,q_mvar\n2,1,\x001\n", 2, "binary"),
        ('bus_id,p_mw,q_mvar\n"2,1,1\n', 3, ""),
        ("bus_id,p_mw,q_mvar\n2,1," + "9" * 200_000 + "\n", 2, ""),
    ],
)  # fmt: skip
def test_a_loads_file_that_cannot_be_used(tmp_path: Path, text: str, line: int, says: str) -> None:
    (fault,) = faults(tmp_path, text)
    assert (fault.kind, fault.line) == ("bad_input", line)
    assert says in fault.message
    assert len(str(fault)) < 400


@pytest.mark.parametrize(
    "head", ["bus_id,p_mw,q_mvar", "bus,pd,qd", " Bus , Active_Power_MW , reactive_power_mvar "]
)
def test_the_names_of_the_columns(tmp_path: Path, head: str) -> None:
    path = tmp_path / "loads.csv"
    path.write_text(f"{head}\r\n2,20,10\r\n\r\n3.0, 30 ,-1e1\r\n")
    assert read_loads(path) == {2: (20.0, 10.0, 2), 3: (30.0, -10.0, 4)}


def test_a_scale_applies_to_its_row(tmp_path: Path) -> None:
    path = tmp_path / "loads.csv"
    path.write_text("name,bus_id,scale,q_mvar,p_mw\nA,2,1.5,10,20\nB,3,0,10,20\n")
    assert read_loads(path) == {2: (30.0, 15.0, 2), 3: (0.0, 0.0, 3)}


@pytest.mark.parametrize(
    ("outages", "says"),
    [
        ([{"type": "branch", "id": 0}], "branch 0; the grid has branch rows 1 to 20"),
        ([{"type": "branch", "id": "1.5"}], "no row number"),
        ([{"type": "branch", "id": "x"}], "no row number"),
        ([{"type": "branch"}], "no row number"),
        ([{"type": "branch", "id": True}], "no row number"),
        ([{"type": "gen", "id": 6}], "generator 6; the grid has generator rows 1 to 5"),
        ([{"type": "brunch", "id": 1}], 'did you mean "branch"?'),
        ([{"type": "bus", "id": 1}], "branch or generator"),
        ([3], "no table"),
        ("3", "no list"),
        ([{"type": "gen", "id": 1}], "bus 1 has no generator in service"),
    ],
)
def test_outages_that_cannot_be(outages: Json, says: str) -> None:
    (fault,) = faults_of(FOURTEEN, None, outages)
    assert fault.kind == "bad_input"
    assert says in fault.message


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"task": "acc"}, 'unknown task “acc”; did you mean "ac"?'),
        ({"task": "dc", "dc_model": "matpowr"}, 'did you mean "matpower"?'),
        ({"task": "ac", "dc_model": "matpower"}, "AC equations"),
        ({"task": "dc", "load_scale": float("nan")}, "load_scale"),
        ({"task": "dcopf", "generation_scale": 2.0}, "generation_scale"),
        ({"task": "dc", "slack": 99}, "no bus 99"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Json], says: str) -> None:
    (fault,) = faults_of(FOURTEEN, **options)
    assert fault.kind == "bad_input"
    assert says in fault.message


def test_every_fault_of_a_scenario_is_told_at_once(tmp_path: Path) -> None:
    told = faults_of(tmp_path / "no.m", tmp_path / "no.csv", [{"type": "bus", "id": 1}], task="x")
    assert [fault.kind for fault in told] == ["bad_input", "missing_file", "missing_file", "bad_input"]


def test_a_grid_without_a_reference_bus_asks_for_one(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    case["bus"][0][1] = 2
    path = tmp_path / "none.json"
    path.write_text(json.dumps(case))
    (fault,) = faults_of(path)
    assert "no reference bus" in fault.message
    assert not faults_of(path, slack=1)
    case["bus"][0][1] = case["bus"][1][1] = 3
    path.write_text(json.dumps(case))
    assert not faults_of(path), "several are held"
    case["gen"] = case["gen"][2:]
    case["gencost"] = case["gencost"][2:]
    path.write_text(json.dumps(case))
    (fault,) = faults_of(path)
    assert "the reference buses 1, 2 have no generator in service" in fault.message


def test_a_line_without_reactance_stops_only_the_dc_equations(tmp_path: Path) -> None:
    case = json.loads((DATA / "case9" / "case9.json").read_text())
    case["branch"][1][3] = 0.0
    path = tmp_path / "resistive.json"
    path.write_text(json.dumps(case))
    assert not faults_of(path, task="ac")
    for options in ({"task": "dc"}, {"task": "dcopf"}, {"task": "n1", "dc_model": "matpower"}):
        (fault,) = faults_of(path, **options)
        assert "branch row 2 has no reactance" in fault.message


def test_of_a_grid_that_needs_a_library_only_the_rest_is_checked(tmp_path: Path) -> None:
    folder = DATA / "case14" / "gat" / "grid.arrow"
    loads = tmp_path / "loads.csv"
    loads.write_text("bus_id,p_mw,q_mvar\n999,1,1\n")
    assert faults_of(folder, loads, [{"type": "branch", "id": 999}]) == []
    loads.write_text("bus_id,p_mw\n")
    assert [fault.kind for fault in faults_of(folder, loads)] == ["bad_input"]


@pytest.mark.parametrize(
    ("task", "lacking"), [("ac", "numpy"), ("n1", "lightsim2grid"), ("dcopf", "pypower")]
)
def test_without_the_extra_a_task_says_what_to_install(task: str, lacking: str) -> None:
    script = """
import sys
sys.modules[sys.argv[3]] = None  # as if it were not installed
from batchtui.domains.power.tasks import solve_many
from batchtui.domains.power.extras import missing_extra
(found,) = solve_many([{"task": sys.argv[1], "grid": sys.argv[2], "folder": None}])
assert (found.kind, found.transient) == ("missing_extra", False), found
assert sys.argv[3] in str(found) and "pip install 'batchtui[power]'" in str(found), found
assert missing_extra(sys.argv[1]).message == found.message
"""
    extras.require("power")
    subprocess.run(
        [sys.executable, "-c", script, task, FOURTEEN, lacking],
        check=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
