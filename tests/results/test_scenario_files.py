"""A scenario's folder: safe names, and results that stand only where inputs and files are as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.results.scenarios.files import folder_name, keep, keep_failure, standing
from tests import extras

RESULT: dict[str, Json] = {
    "scenario_id": "a",
    "status": "ok",
    "input_hash": "h1",
    "summary": {"loss_mw": 1.0},
}
TABLES = {"branch": {"branch_id": [1], "flow_mw": [2.0]}, "bus": {"bus_id": [1]}}


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        ("case14_s001", "job_case14_s001"),
        ("../../etc", "job_..%2F..%2Fetc"),
        ("a b:c~", "job_a%20b%3Ac%7E"),
        ("ü", "job_%C3%BC"),
        ("..", "job_.."),
    ],
)
def test_a_folder_for_any_id(scenario: str, name: str) -> None:
    assert folder_name(scenario) == name


def test_long_ids_stay_apart_and_short_enough() -> None:
    names = {folder_name("ä" * 500 + str(n)) for n in range(50)}
    assert len(names) == 50
    assert all(len(name.encode()) <= 120 for name in names)


@extras.needs("power")
def test_a_result_stands_for_its_own_inputs(tmp_path: Path) -> None:
    folder = tmp_path / "job_a"
    assert keep(folder, RESULT, TABLES) == {"branch": "result.parquet", "bus": "bus.parquet"}
    found = standing(folder, "h1")
    assert found is not None
    assert found["summary"] == {"loss_mw": 1.0}
    assert standing(folder, "h2") is None
    assert standing(folder, None) is None
    assert standing(tmp_path / "job_b", "h1") is None


@extras.needs("power")
def test_a_changed_or_lost_file_does_not_stand(tmp_path: Path) -> None:
    folder = tmp_path / "job_a"
    keep(folder, RESULT, TABLES)
    whole = (folder / "bus.parquet").read_bytes()
    (folder / "bus.parquet").write_bytes(whole[:-1] + b"?")  # as long as before
    assert standing(folder, "h1") is None
    (folder / "bus.parquet").write_bytes(whole)
    assert standing(folder, "h1")
    (folder / "result.parquet").unlink()
    assert standing(folder, "h1") is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"status": "ok"', '{"status":"ok","input_hash":"h1","files":{"branch":{"name":"../x"}}}'],
)
def test_a_broken_result_does_not_stand(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    assert standing(tmp_path, "h1") is None


def test_a_failure_takes_the_place_of_an_earlier_result(tmp_path: Path) -> None:
    folder = tmp_path / "job_a"
    keep(folder, RESULT, TABLES)
    (folder / "notes.txt").write_text("somebody's own")
    keep_failure(folder, {"scenario_id": "a", "status": "error", "error_kind": "islanded"})
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "result.json"]
    assert json.loads((folder / "result.json").read_text())["error_kind"] == "islanded"
