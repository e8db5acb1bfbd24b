"""Scenarios in a worker: hashed, taken as they are where their result stands, else solved and kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.work.scenarios.inputs import input_hash
from batchtui.work.scenarios.keeping import NotWritten, Scenario, Value, kept
from tests import extras


class Solver:
    """Answers in order, an exception for a scenario whose loads say so."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, scenarios: list[Scenario]) -> Iterator[Value | Exception]:
        for scenario in scenarios:
            self.asked.append(scenario["id"])
            if Path(scenario["loads"]).read_text() == "bad":
                yield ValueError("no")
            else:
                yield {
                    "summary": {"loss_mw": 1.0},
                    "tables": {"branch": {"branch_id": [1], "flow_mw": [2.0]}},
                }


@pytest.fixture
def scenarios(tmp_path: Path) -> list[Scenario]:
    (tmp_path / "grid.m").write_text("grid")
    made = []
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").write_text(name)
        made.append(
            {
                "id": name, "task": "ac", "grid": str(tmp_path / "grid.m"), "loads": str(tmp_path / f"{name}.csv"),
                "outages": None, "folder": str(tmp_path / f"job_{name}"), "input_hash": None, "attempt": 2,
            }
        )  # fmt: skip
    return made


def ids(values: list[Value | Exception]) -> list[Json]:
    return [value.get("reused", False) if isinstance(value, dict) else str(value) for value in values]


@extras.needs("power")
def test_solved_once_then_taken_as_they_are(scenarios: list[Scenario], tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("bad")
    solver = Solver()
    first = list(kept(scenarios, solver))
    assert ids(first) == [False, "no", False]
    assert isinstance(first[0], dict)
    assert first[0]["files"] == {"branch": "result.parquet"}
    assert "tables" not in first[0]
    result = json.loads((tmp_path / "job_a/result.json").read_text())
    assert (result["scenario_id"], result["task"], result["status"], result["attempts"]) == (
        "a",
        "ac",
        "ok",
        2,
    )
    assert result["input_hash"] == first[0]["input_hash"]

    again = list(kept(scenarios, solver))
    assert ids(again) == [True, "no", True]
    assert solver.asked == ["a", "b", "c", "b"]
    assert isinstance(again[2], dict)
    assert again[2]["summary"]["loss_mw"] == 1.0


@extras.needs("power")
def test_changed_inputs_and_changed_files_are_solved_again(scenarios: list[Scenario], tmp_path: Path) -> None:
    solver = Solver()
    list(kept(scenarios, solver))
    (tmp_path / "a.csv").write_text("A")  # as long, other content
    (tmp_path / "job_b/result.parquet").write_bytes(b"torn")
    solver.asked.clear()
    assert ids(list(kept(scenarios, solver))) == [False, False, True]
    assert solver.asked == ["a", "b"]


def test_without_a_folder_tables_come_inline(scenarios: list[Scenario]) -> None:
    value = next(kept([{**scenarios[0], "folder": None}], Solver()))
    assert isinstance(value, dict)
    assert value["tables"] == {"branch": {"branch_id": [1], "flow_mw": [2.0]}}
    assert json.dumps(value)


def test_a_folder_that_cannot_be_written_is_told_and_may_be_tried_again(
    scenarios: list[Scenario], tmp_path: Path
) -> None:
    (tmp_path / "job_a").write_text("a file")
    value = next(kept(scenarios[:1], Solver()))
    assert isinstance(value, NotWritten)
    assert value.transient
    assert "job_a" in str(value)


def test_the_hash_is_of_contents_and_options(scenarios: list[Scenario], tmp_path: Path) -> None:
    first = scenarios[0]
    hash_ = input_hash(first)
    assert hash_ == input_hash({**first, "id": "other", "folder": None, "attempt": 3})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tmp_path / "a.csv", elsewhere / "z.csv")
    assert hash_ == input_hash({**first, "loads": str(elsewhere / "z.csv")})
    others = [
        {**first, "task": "dc"},
        {**first, "load_scale": 1.1},
        {**first, "outages": [{"type": "branch", "id": 3}]},
        {**first, "loads": scenarios[1]["loads"]},
        {**first, "loads": None},
        {**first, "dc_model": "powermodels"},
    ]
    hashes = {input_hash(one) for one in others}
    assert len(hashes | {hash_}) == len(others) + 1
    assert input_hash({**first, "loads": str(tmp_path / "gone.csv")}) is None


def test_a_grid_may_be_a_folder(tmp_path: Path) -> None:
    grid = tmp_path / "grid.arrow"
    grid.mkdir()
    (grid / "buses.arrow").write_text("1")
    scenario = {"task": "ac", "grid": str(grid)}
    before = input_hash(scenario)
    (grid / "buses.arrow").write_text("2")
    os.utime(grid / "buses.arrow", ns=(1, 1))
    assert input_hash(scenario) not in (before, None)
