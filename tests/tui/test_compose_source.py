"""The source of a batch while it is composed: paths completed, rows scanned."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from batchtui.model import SourceSpec
from batchtui.tui.models.scan import Scan, scan
from batchtui.tui.widgets.form.path_input import complete


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("penguins.csv", "penguins-raw.csv", "cars.json", ".hidden.csv", "red\x1b[31m.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.csv").write_text("a\n1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "completed", "names"),
    [
        ("pen", "penguins", ["penguins-raw.csv", "penguins.csv"]),
        ("penguins.", "penguins.csv", ["penguins.csv"]),
        ("c", "cars.json", ["cars.json"]),
        ("de", "deep/", ["deep/"]),
        ("deep/", "deep/one.csv", ["one.csv"]),
        ("deep/o", "deep/one.csv", ["one.csv"]),
        (".h", ".hidden.csv", [".hidden.csv"]),
        ("nothing", "nothing", []),
        ("no/such/folder", "no/such/folder", []),
        ("red", "red", []),
        ("\0", "\0", []),
    ],
)
def test_a_path_is_completed_as_far_as_is_certain(
    folder: Path, typed: str, completed: str, names: list[str]
) -> None:
    assert complete(typed, folder) == (completed, names)


def test_an_absolute_path_is_completed(folder: Path) -> None:
    assert complete(f"{folder}/ca", Path("/nowhere"))[0] == f"{folder}/cars.json"


def scanned(file: str, base: Path, *, every: float = 60.0) -> tuple[Scan, list[int]]:
    told: list[int] = []
    found = scan(SourceSpec(file=file), base, lambda: False, lambda so_far: told.append(so_far.rows), every)
    return found, told


def test_a_scan_counts_rows_and_names_bad_lines(tmp_path: Path) -> None:
    lines = ['{"a": 1}'] * 20
    lines[4], lines[11] = "{broken", "[1]"
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    found, told = scanned("rows.jsonl", tmp_path, every=0.0)
    assert (found.rows, found.bad, found.done) == (18, 2, True)
    assert found.words() == "JSONL, 18 rows, 2 cannot be used (line 5, 12)"
    assert told == sorted(told)
    assert (told[0], told[-1], len(told)) == (0, 17, 20)


def test_a_scan_says_why_a_source_cannot_be_used(tmp_path: Path) -> None:
    assert "no such" in scanned("gone.csv", tmp_path)[0].words()
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    assert scanned("a.xlsx", tmp_path)[0].fault


def test_a_scan_names_the_form(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.txt").write_text("x")
    (tmp_path / "b.jsonl").write_text('{"custom_id": "a", "body": {"model": "m"}}\n')
    assert scanned("t.csv.gz", tmp_path)[0].words() == "CSV.GZ, 1 row"
    assert scanned("texts", tmp_path)[0].words() == "folder, 1 row"
    assert scanned("b.jsonl", tmp_path)[0].words() == "OpenAI batch file, 1 row"


def test_a_scan_ends_at_its_limit_only_where_there_is_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batchtui.tui.models.scan.ROWS_LIMIT", 3)
    (tmp_path / "three.csv").write_text("a\n1\n2\n3\n")
    (tmp_path / "four.csv").write_text("a\n1\n2\n3\n4\n")
    assert scanned("three.csv", tmp_path)[0].words() == "CSV, 3 rows"
    assert scanned("four.csv", tmp_path)[0].words() == "CSV, 3+ rows"


def test_a_scan_stops_when_it_is_not_wanted(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n" + "1\n" * 10_000)
    found = scan(SourceSpec(file="rows.csv"), tmp_path, lambda: True, lambda _: None, 0.0)
    assert not found.done
    assert found.rows == 0
    assert found.words() == "CSV, 0… rows"
