"""Results in a file: every format, whole or not at all."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import JobState, Json, Result
from batchtui.results.export.file import export, format_of, json_text, parse_fields, safe_cell

HALF = "\ud83d"


def results() -> Iterator[Result]:
    yield Result(
        job_id="a", status=JobState.COMPLETED, raw_response='two\nlines\rand, a "quote"', row={"x": "=1"}
    )
    yield Result(job_id="b", status=JobState.PENDING, row={"x": "-3"})
    yield Result(job_id="c", status=JobState.FAILED, error=f"broken {HALF}", row={"x": None})


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_json_is_ascii_and_loses_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    assert export(results(), str(path), suffix) == 3
    text = path.read_bytes().decode("ascii")
    rows = json.loads(text) if suffix == "json" else [json.loads(line) for line in text.splitlines()]
    assert [row["job_id"] for row in rows] == ["a", "b", "c"]
    assert rows[2]["error"] == f"broken {HALF}"
    assert rows[1]["status"] == "pending"


def test_an_empty_json_file_is_an_empty_list(tmp_path: Path) -> None:
    export(iter(()), str(tmp_path / "o.json"), "json")
    assert json.loads((tmp_path / "o.json").read_text()) == []


def test_csv_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export(results(), str(path), "csv", columns=("job_id", "raw_response", "row.x", "error"))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["raw_response"] == 'two\nlines\rand, a "quote"'
    assert [row["row.x"] for row in rows] == ["'=1", "-3", ""]
    assert rows[2]["error"] == "broken \\ud83d"


@pytest.mark.parametrize(
    "value",
    [
        "=1+1",
        "+cmd",
        "-x",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1",
        "-2+3",
        "+",
        " =1+1",
        "x;=1+1",
        '"\n=1+1',
        "x;-cmd|x",
        "a\n@SUM(A1)",
    ],
)
def test_cells_that_a_sheet_would_run(value: str) -> None:
    assert safe_cell(value) == "'" + value


@pytest.mark.parametrize(
    "value", ["-5", "+1.5e3", -5, 0.25, "", "a=b", "5-3", "so: - a\n- b\n- c", "a; - b", "x = 1"]
)
def test_cells_that_stay(value: Json) -> None:
    assert safe_cell(value) == value


def test_a_fault_on_the_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def breaking() -> Iterator[Result]:
        yield Result(job_id="a")
        raise RuntimeError("in between")

    with pytest.raises(RuntimeError):
        export(breaking(), str(path), "jsonl")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_the_mode_follows_the_umask_or_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    before = os.umask(0o027)
    try:
        export(results(), str(path), "jsonl")
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o600)
        export(results(), str(path), "jsonl")
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_link_is_followed_and_a_folder_refused(tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("")
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    export(results(), str(tmp_path / "link.jsonl"), "jsonl")
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "real.jsonl").read_text().count("\n") == 3
    for bad in (tmp_path, tmp_path / "none" / "x.jsonl"):
        with pytest.raises(BadInput):
            export(results(), str(bad), "jsonl")


def test_formats_and_fields() -> None:
    assert format_of("A.CSV") == "csv"
    assert format_of("x", "json") == "json"
    with pytest.raises(BadInput, match="no format"):
        format_of("x.doc")
    assert parse_fields("job_id, row.x") == ("job_id", "row.x")
    assert parse_fields(None) is None
    with pytest.raises(BadInput, match='"job_id"'):
        parse_fields("jobid")


def test_what_json_cannot_hold_is_null() -> None:
    assert json_text({"a": float("nan"), "b": [float("inf")]}) == '{"a":null,"b":[null]}'


def test_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra `parquet`")
    path = tmp_path / "out.parquet"
    assert export(results(), str(path), "parquet", columns=("job_id", "attempts", "row.x", "error")) == 3
    assert parquet.read_table(path).to_pylist()[1] == {
        "job_id": "b",
        "attempts": 0,
        "row.x": "-3",
        "error": None,
    }


def test_parquet_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"batchtui\[parquet\]"):
        export(results(), str(tmp_path / "o.parquet"), "parquet")
    assert os.listdir(tmp_path) == []
