"""Costs that are of no use: an optimal power flow is refused with their line, every other task goes with a note."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.readers.arrow_folder import load, save
from batchtui.domains.power.scenarios.checks import faults_of
from batchtui.model import Json
from tests import extras
from tests.cli.cli_help import Cli
from tests.domains.power.power_help import DATA, value
from tests.domains.power.three_buses import LINEAR, three, written

NINE = (DATA / "case9" / "case9.m").read_text()
ROW = "\t2\t1500\t0\t3\t0.11\t5\t150;\n"
WRONG = [
    ("\t2\t1500\t0\t5\t0.11\t5\t150;\n", 37, "gencost row 1: 7 columns where 9 are needed"),
    ("\t7\t1500\t0\t3\t0.11\t5\t150;\n", 37, "gencost row 1: is neither piecewise linear (1) nor polynomial (2)"),
    ("\t2\t1500\t0\t3\tNaN\t5\t150;\n", 37, "gencost row 1: every number must be finite"),
    ("\t1\t1500\t0\t1\t0\t0;\n", 37, "gencost row 1: NCOST is 1; pieces need two points at least"),
    ("", 37, "gencost row 1: 2 rows of costs for 3 generators"),
]  # fmt: skip


def check_tasks(grid: str | Path, says: str) -> None:
    """Tasks without costs are solved and tell, those with costs are refused."""
    for task in ("dc", "ac", "n1"):
        found = value(task=task, grid=str(grid))["summary"]
        (note,) = (note for note in found["notes"] if "costs" in note)
        assert note.startswith("the costs are of no use, so an optimal power flow is refused: "), note
        assert says in note
    for task in ("dcopf", "acopf"):
        with pytest.raises(Fault) as caught:
            value(task=task, grid=str(grid))
        assert caught.value.kind == "bad_input"
        assert says in caught.value.message


@pytest.mark.parametrize(("row", "line", "says"), WRONG)
def test_before_a_run_an_optimum_alone_is_refused_with_file_and_line(
    tmp_path: Path, row: str, line: int, says: str
) -> None:
    path = tmp_path / "grid.m"
    assert ROW in NINE
    path.write_text(NINE.replace(ROW, row))
    for task in ("dc", "ac", "n1"):
        assert faults_of(path, task=task) == []
    for task in ("dcopf", "acopf"):
        (fault,) = faults_of(path, task=task)
        assert str(fault) == f"{path}, line {line}: {says}"


@extras.needs("power")
@pytest.mark.parametrize(("row", "line", "says"), WRONG)
def test_other_tasks_give_what_they_give_without_costs(
    tmp_path: Path, row: str, line: int, says: str
) -> None:
    path = tmp_path / "grid.m"
    path.write_text(NINE.replace(ROW, row))
    check_tasks(path, says)
    for task in ("dc", "ac"):
        ours, theirs = (value(task=task, grid=str(one)) for one in (path, DATA / "case9/case9.m"))
        assert ours["tables"] == theirs["tables"]
        assert f"line {line}: {says}" in ours["summary"]["notes"][0]
        assert "notes" not in theirs["summary"]


@extras.needs("power")
@pytest.mark.parametrize(
    ("costs", "says"),
    [
        ("expensive", "gencost is no list of rows"),
        ([LINEAR, 10], "gencost row 2 is no list of numbers"),
        ([LINEAR, [2, 0, 0, 2, None, 0]], "gencost row 2 is no list of numbers"),
        ([LINEAR, [2, 0, 0, 2, 10**400, 0]], "gencost row 2: has a number that is too large"),
        ([LINEAR, []], "gencost row 2: is neither piecewise"),
        ([LINEAR], "gencost row 1: 1 row of costs for 2 generators"),
    ],
)  # fmt: skip
def test_of_json_too(tmp_path: Path, costs: Json, says: str) -> None:
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(three(gencost=costs)))
    check_tasks(path, says)


@extras.needs("power")
def test_of_a_mat_file_too(tmp_path: Path) -> None:
    import numpy
    from scipy.io import savemat

    tables = {name: numpy.array(table, dtype=float) for name, table in three().items()}
    cells = numpy.array(["a lot", numpy.eye(2)], dtype=object)
    for costs, says in ((cells, "gencost is no matrix"), (numpy.eye(5), "5 rows of costs for 2 generators")):
        savemat(tmp_path / "grid.mat", {"mpc": {**tables, "gencost": costs}})
        check_tasks(tmp_path / "grid.mat", says)
        (tmp_path / "grid.mat").unlink()


@extras.needs("power")
def test_of_a_folder_of_arrow_files_too_beside_what_was_guessed(tmp_path: Path) -> None:
    found = load(DATA / "case14/gat/grid.arrow")
    found.of("generators")[1] |= {"cost_model": 1, "cost_values": [0.0, 0.0, 10.0]}
    save(found, tmp_path / "grid.arrow")
    check_tasks(tmp_path / "grid.arrow", "row 2: cost model 1 with 3 values is unknown")
    assert any("no shunts" in note for note in read_case(tmp_path / "grid.arrow").notes)


@extras.needs("power")
def test_one_manifest_solves_the_one_and_refuses_the_other(tmp_path: Path) -> None:
    written(tmp_path, gencost=[LINEAR, [2, 0, 0, 9, 1]])
    manifest = {"grid": "three.json", "solver": "ac", "scenarios": [{"id": "base"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "config.toml").write_text("")
    cli = Cli(tmp_path)
    says = "gencost row 2: 5 columns where 13 are needed"
    ran = cli("run", "manifest.json", "--out", "out.jsonl")
    assert ran.code == 0, ran.err
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert says in row["output"]["summary"]["notes"][0]
    checked = cli("check", "manifest.json", "--set", "job.task=acopf")
    assert says in checked.err + checked.out
    ran = cli("run", "manifest.json", "--set", "job.task=acopf", "--out", "opf.jsonl")
    assert ran.code == 1
    row = json.loads((tmp_path / "opf.jsonl").read_text())
    assert (row["status"], row["error_kind"]) == ("failed", "bad_input")
    assert says in row["error"]
