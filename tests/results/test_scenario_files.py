"""A scenario's folder: safe names, and results that stand only where inputs and files are as they were."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.results.scenarios.files import folder_name, keep, keep_failure, standing, taken_over
from batchtui.results.scenarios.rows import tables_of
from batchtui.work.slurm_runner.files import Results
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


def test_a_result_of_an_earlier_batch_is_taken_over_and_each_stays_its_own(tmp_path: Path) -> None:
    older, earlier, later = (tmp_path / name for name in ("older", "earlier", "later"))
    keep(older / "job_a", RESULT, TABLES)
    keep(earlier / "job_a", {**RESULT, "input_hash": "h2"}, TABLES)
    assert taken_over(later / "job_a", [earlier, older], "h3") is None
    assert taken_over(later / "job_b", [earlier, older], "h1") is None
    assert not later.exists()

    found = taken_over(later / "job_a", [earlier, tmp_path / "nowhere", older], "h1")
    assert found == standing(later / "job_a", "h1") == standing(older / "job_a", "h1")
    bus = found["files"]["bus"]["name"]
    assert os.path.samefile(older / "job_a" / bus, later / "job_a" / bus)  # on the disk once

    whole = (older / "job_a" / bus).read_bytes()
    keep(later / "job_a", {**RESULT, "input_hash": "h4"}, {**TABLES, "bus": {"bus_id": [2]}})
    assert (older / "job_a" / bus).read_bytes() == whole
    assert standing(older / "job_a", "h1")


def test_a_torn_result_is_not_taken_over_and_without_links_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, later = tmp_path / "earlier", tmp_path / "later"
    files = keep(earlier / "job_a", RESULT, TABLES)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refused)
    assert taken_over(later / "job_a", [earlier], "h1")
    assert not os.path.samefile(earlier / "job_a" / files["bus"], later / "job_a" / files["bus"])
    assert standing(later / "job_a", "h1")

    (earlier / "job_a" / files["bus"]).write_bytes(b"torn")
    again = tmp_path / "again"
    assert taken_over(again / "job_a", [earlier], "h1") is None
    assert standing(again / "job_a", "h1") is None
    (earlier / "job_a" / files["bus"]).unlink()
    assert taken_over(again / "job_a", [earlier], "h1") is None
    assert not list((again / "job_a").iterdir())


def test_tables_that_a_cluster_packed_are_read_and_torn_ones_are_told(tmp_path: Path) -> None:
    tables = {"branch": {"branch_id": list(range(500)), "flow_mw": [0.5] * 500}}
    results = Results(str(tmp_path), 3, 0)
    results.write({"task": 0, "form": "task", "value": {"summary": {}, "tables": tables}})
    results.write({"task": 1, "form": "task", "value": {"summary": {}, "tables": TABLES}})
    first, second = (
        json.loads(line)["value"] for line in (tmp_path / "results/0/3.0.jsonl").read_text().splitlines()
    )
    assert (tables_of(first), tables_of(second)) == (tables, TABLES)
    file = Path(second["tables_at"]["file"])
    assert file.stat().st_size < len(json.dumps(tables)) / 2
    file.write_bytes(file.read_bytes()[:-3])
    assert tables_of(first) == tables
    with pytest.raises(ValueError, match="cut off"):
        tables_of(second)
    file.write_bytes(b"?" * 500)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        tables_of(first)

    file.write_text(json.dumps(TABLES))  # as they were before
    assert tables_of({"tables_at": {"file": str(file), "offset": 0, "length": 1000}}) == TABLES
