"""The end of a batch of scenarios: folders for tables that came with the results, the summary, the manifest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.model import JobState, Json, Outcome
from batchtui.results.scenarios.columns import AGGREGATED, BRANCH, BUS, CONTINGENCY
from batchtui.results.scenarios.files import folder_name, standing
from batchtui.results.scenarios.place import claim, place_of
from batchtui.results.scenarios.tables import read_table
from batchtui.work.scenarios.summary import write_summary
from tests.work.stored_scenarios import batch, store

BRANCHES = {"branch_id": [1, 2], "from_bus": [1, 2], "to_bus": [2, 3], "flow_mw": [10.0, -5.0]}
CONTINGENCIES = {"outage_branch_id": [1, 2], "status": ["ok", "islanded"], "worst_loading_pct": [99.5, None]}
HOSTILE = "../=b"


def solved(tables: dict[str, Json], **summary: Json) -> Outcome:
    value = {"summary": {"loss_mw": 1.5, "iterations": 3, "converged": True, **summary}, "tables": tables}
    return Outcome(state=JobState.COMPLETED, output={**value, "input_hash": "h", "seconds": 0.25})


def failed(kind: str) -> Outcome:
    return Outcome(state=JobState.FAILED, error="said why", error_kind=kind, output={"seconds": 0.1})


def test_tables_that_came_with_the_results_become_files(tmp_path: Path) -> None:
    folder = batch(tmp_path, ["a", HOSTILE, "c"])
    answers = {0: solved({"branch": BRANCHES}), 1: solved({"branch": BRANCHES, "bus": {"bus_id": [7]}})}
    store(folder, {**answers, 2: failed("islanded")})
    place = claim(folder)
    assert write_summary(folder, place) == {"scenarios": 3, "ok": 2}
    assert place == place_of(folder) == folder.path / "tables"

    rows = read_table(place / "summary", "aggregated_results")
    assert rows is not None
    assert tuple(rows) == AGGREGATED
    assert rows["scenario_id"] == ["a", "../=b", "c"]
    assert rows["status"] == ["ok", "ok", "error"]
    assert rows["error_kind"] == [None, None, "islanded"]
    assert rows["duration_ms"] == [250.0, 250.0, 100.0]
    assert rows["loss_mw"] == [1.5, 1.5, None]
    branches = read_table(place / "summary", "branches")
    assert branches is not None
    assert tuple(branches) == ("scenario_id", *BRANCH)
    assert branches["scenario_id"] == ["a", "a", "../=b", HOSTILE]
    buses = read_table(place / "summary", "buses")
    assert buses is not None
    assert tuple(buses) == ("scenario_id", *BUS)
    assert (buses["scenario_id"], buses["bus_id"], buses["vm_pu"]) == ([HOSTILE], [7], [None])
    assert standing(place / folder_name("a"), "h")
    assert {path.name for path in place.iterdir()} >= {"job_a", "job_..%2F%3Db", "job_c", "summary"}
    said = json.loads((place / "batch_manifest.json").read_text())
    assert (said["task"], said["num_jobs"], said["success"], said["failure"]) == ("ac", 3, 2, 1)
    assert said["stats"]["avg_iterations"] == 3
    assert said["stats"]["median_time_ms"] == 250


def test_contingencies_of_all_scenarios(tmp_path: Path) -> None:
    folder = batch(tmp_path, ["a", "b"], {"task": "n1"})
    store(folder, {n: solved({"branch": BRANCHES, "contingency": CONTINGENCIES}) for n in (0, 1)})
    place = claim(folder)
    write_summary(folder, place)
    found = read_table(place / "summary", "contingencies")
    assert found is not None
    assert tuple(found) == ("scenario_id", *CONTINGENCY)
    assert found["status"] == ["ok", "islanded"] * 2
    assert found["scenario_id"] == ["a", "a", "b", "b"]


@pytest.mark.parametrize("states", [[], [0]])
def test_nothing_solved_gives_tables_without_rows(tmp_path: Path, states: list[int]) -> None:
    folder = batch(tmp_path, ["a"])
    store(folder, {n: failed("bad_input") for n in states})
    place = claim(folder)
    assert write_summary(folder, place) == {"scenarios": len(states), "ok": 0}
    branches = read_table(place / "summary", "branches")
    assert branches == {name: [] for name in ("scenario_id", *BRANCH)}
    said = json.loads((place / "batch_manifest.json").read_text())
    assert said["num_jobs"] == len(states)


def test_a_table_that_cannot_be_read_is_named_and_nothing_half_is_left(tmp_path: Path) -> None:
    folder = batch(tmp_path, ["a"])
    value = {"summary": {}, "files": {"branch": "result.parquet"}, "input_hash": "h"}
    store(folder, {0: Outcome(state=JobState.COMPLETED, output=value)})
    place = claim(folder)
    (place / "job_a").mkdir()
    (place / "job_a/result.parquet").write_bytes(b"torn")
    done = subprocess.run(
        [sys.executable, "-m", "batchtui.work.scenarios.summary", str(folder.path), str(place)],
        input="write\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "job_a/result.parquet" in json.loads(done.stdout)["error"]
    assert list((place / "summary").iterdir()) == []
    assert not (place / "batch_manifest.json").exists()


def test_started_for_nobody_it_ends_and_writes_nothing(tmp_path: Path) -> None:
    folder = batch(tmp_path, ["a"])
    place = claim(folder)
    done = subprocess.run(
        [sys.executable, "-m", "batchtui.work.scenarios.summary", str(folder.path), str(place)],
        input="", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert not (place / "batch_manifest.json").exists()
