"""Tables of scenario results: the same columns and values as Parquet and as JSON Lines with CSV."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.results.scenarios import columns as grid_columns
from batchtui.results.scenarios import tables as grid_tables
from batchtui.results.scenarios import writer as grid_writer
from batchtui.results.scenarios.columns import AGGREGATED, BRANCH
from batchtui.results.scenarios.tables import read_table, write_table, write_tables
from batchtui.results.scenarios.writer import TableWriter
from tests import extras

extras.require("power")
np = pytest.importorskip("numpy")

FLOWS = {
    "branch_id": [1, 2],
    "from_bus": [1, 1],
    "to_bus": [2, 5],
    "flow_mw": [1.5, -2.25],
    "loading_pct": [None, 80.0],
}


@pytest.fixture(params=["parquet", "lines"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With pyarrow, and as where it is not installed."""
    if request.param == "lines":
        for module in (grid_columns, grid_tables, grid_writer):
            monkeypatch.setattr(module, "parquet", lambda: None)
    return str(request.param)


def test_reads_what_was_written(tmp_path: Path, form: str) -> None:
    name = write_table(tmp_path / "bus", FLOWS)
    assert name == ("bus.parquet" if form == "parquet" else "bus.jsonl")
    assert read_table(tmp_path, "bus") == FLOWS
    assert read_table(tmp_path, "gen") is None
    assert not list(tmp_path.glob(".*"))  # nothing under a temporary name is left


def test_takes_numpy_and_makes_what_is_no_number_null(tmp_path: Path, form: str) -> None:
    columns = {
        "branch_id": np.array([1, 2, 3]),
        "flow_mw": np.array([0.5, math.nan, 2.0]),
        "loading_pct": [math.nan, None, 7.5],
    }
    write_table(tmp_path / "result", columns)
    assert read_table(tmp_path, "branch") == {
        "branch_id": [1, 2, 3],
        "flow_mw": [0.5, None, 2.0],
        "loading_pct": [None, None, 7.5],
    }


def test_a_column_of_nulls_has_its_own_type(tmp_path: Path) -> None:
    import pyarrow.parquet

    nothing = {name: [None] for name in AGGREGATED}
    write_table(tmp_path / "aggregated_results", nothing)
    schema = pyarrow.parquet.read_schema(tmp_path / "aggregated_results.parquet")
    types = {field.name: str(field.type) for field in schema}
    assert list(types) == list(AGGREGATED)
    assert types["scenario_id"] == types["error"] == "string"
    assert types["attempts"] == types["vm_min_bus"] == "int64"
    assert types["converged"] == "bool"
    assert types["loss_mw"] == types["objective"] == "double"


def test_hostile_text_is_stored_and_runs_in_no_sheet(tmp_path: Path, form: str) -> None:
    ids = ["=1+1", "a\nb", "\ud800", 'ü,"', "-5"]
    write_table(tmp_path / "t", {"scenario_id": ids, "loss_mw": [1.0, -2.0, 3.0, 4.0, 5.0]})
    found = read_table(tmp_path, "t")
    assert found is not None
    assert found["scenario_id"][:2] == ["=1+1", "a\nb"]
    if form == "lines":
        rows = list(csv.reader((tmp_path / "t.csv").open(encoding="utf-8", newline="")))
        assert rows[1] == ["'=1+1", "1.0"]
        assert rows[2] == ["a\nb", "-2.0"]
        assert rows[5][0] == "-5"


def test_says_size_and_hash_of_each_file(tmp_path: Path, form: str) -> None:
    written = write_tables(tmp_path / "job_a", {"branch": FLOWS, "bus": {"bus_id": [1]}})
    ending = "parquet" if form == "parquet" else "jsonl"
    assert written["branch"]["name"] == f"result.{ending}"
    for file in written.values():
        assert (tmp_path / "job_a" / file["name"]).stat().st_size == file["size"]


def test_many_tables_as_one_in_row_groups(tmp_path: Path, form: str) -> None:
    folders = [(f"s{n}", tmp_path / f"job_s{n}") for n in range(5)]
    for n, (_, folder) in enumerate(folders):
        if n != 3:  # one has no such table
            write_tables(folder, {"branch": {**FLOWS, "flow_mw": [float(n), None]}})
    with TableWriter(tmp_path / "branches", ("scenario_id", *BRANCH)) as writer:
        writer.append_tables("branch", folders[:2])
        writer.append_tables("branch", folders[2:])
    found = read_table(tmp_path, "branches")
    assert found is not None
    assert list(found) == ["scenario_id", *BRANCH]
    assert found["scenario_id"] == ["s0", "s0", "s1", "s1", "s2", "s2", "s4", "s4"]
    assert found["flow_mw"] == [0.0, None, 1.0, None, 2.0, None, 4.0, None]
    assert found["loss_mw"] == [None] * 8
    if form == "parquet":
        import pyarrow.parquet

        assert pyarrow.parquet.ParquetFile(tmp_path / "branches.parquet").num_row_groups == 2


def test_a_fault_half_way_leaves_what_was_there(tmp_path: Path, form: str) -> None:
    write_table(tmp_path / "branches", FLOWS)

    def half() -> None:
        with TableWriter(tmp_path / "branches", BRANCH) as writer:
            writer.append(FLOWS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert read_table(tmp_path, "branches") == FLOWS
    assert not list(tmp_path.glob(".*"))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bus.parquet").write_bytes(b"no table")
    with pytest.raises(BadInput, match=r"bus\.parquet"):
        read_table(tmp_path, "bus")
    (tmp_path / "gen.jsonl").write_text(json.dumps({"a": 1}) + "\n" + json.dumps({"b": 1}) + "\n")
    with pytest.raises(BadInput, match="line 2"):
        read_table(tmp_path, "gen")


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "bus", FLOWS)
    monkeypatch.setattr(grid_tables, "parquet", lambda: None)
    with pytest.raises(BadInput, match=r"batchtui\[power\]"):
        read_table(tmp_path, "bus")
