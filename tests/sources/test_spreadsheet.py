"""Spreadsheets as sources: the same table written by three programs."""

from __future__ import annotations

import contextlib
import random
import zipfile
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import SourceSpec
from batchtui.sources.readers import open_source
from batchtui.sources.source import Source
from batchtui.sources.tables import spreadsheet
from batchtui.sources.templates.template import render_id
from tests.sources.source_help import problems_of, rows_of

SHEETS = Path(__file__).parents[1] / "data/sheets"
COLUMNS = ["id", "price", "day", "at", "ok", "note"]


@pytest.fixture
def calamine() -> None:
    pytest.importorskip("python_calamine", reason="needs the extra `excel`")


def opened(name: str, **settings: object) -> Source:
    return open_source(SourceSpec(file=name, **settings), SHEETS)  # type: ignore[arg-type]


@pytest.mark.usefixtures("calamine")
@pytest.mark.parametrize("name", ["table.xlsx", "table.xls", "table.ods"])
def test_a_sheet_is_rows_with_types(name: str) -> None:
    source = opened(name)
    rows = rows_of(source)
    assert source.columns == COLUMNS
    assert [tuple(row.values.values()) for row in rows] == [
        (1, 1.5, "2024-05-01", "2024-05-01T10:30:00", True, "one"),
        (2, None, "2024-05-02", "2024-05-02T00:00:05", False, ""),
        (3, 3, "", "", True, '{"tone": "dry"}'),
    ]
    assert [type(row.values["id"]) for row in rows] == [int] * 3
    assert [row.line for row in rows] == [2, 3, 5]
    assert [render_id(None, row, source.id_column) for row in rows] == ["1", "2", "3"]


@pytest.mark.usefixtures("calamine")
def test_empty_rows_are_left_out_and_counted() -> None:
    (problem,) = problems_of(opened("table.xlsx"))
    assert not problem.fatal
    assert problem.message == "5 empty rows left out (lines 4, 6, 7, 8, 9)"


@pytest.mark.usefixtures("calamine")
def test_a_sheet_is_named_or_the_first() -> None:
    other = opened("table.xlsx", sheet="Other")
    assert [(row.line, row.values) for row in rows_of(other)] == [(3, {"key": "a", "value": 7})]
    assert "no rows" in problems_of(opened("table.xlsx", sheet="Empty"))[0].message
    with pytest.raises(BadInput, match=r'source\.sheet: no sheet "Othre"; did you mean "Other"\?'):
        opened("table.xlsx", sheet="Othre")
    with pytest.raises(BadInput, match='sheets: "Data", "Other", "Empty"'):
        opened("table.xlsx", sheet="zzz")


@pytest.mark.usefixtures("calamine")
def test_skip_and_where_choose_among_a_sheets_rows() -> None:
    assert [row.values["id"] for row in rows_of(opened("table.ods", skip=1, where="ok=true"))] == [3]


@pytest.mark.usefixtures("calamine")
@pytest.mark.parametrize(
    "content", [b"", b"id,x\n1,2\n", b"PK\x03\x04 and no more", b"\xd0\xcf\x11\xe0" * 200]
)
def test_what_is_no_sheet_is_refused(tmp_path: Path, content: bytes) -> None:
    for ending in ("xlsx", "xls", "ods"):
        (tmp_path / f"rows.{ending}").write_bytes(content)
        with pytest.raises(BadInput, match="not a readable spreadsheet"):
            open_source(SourceSpec(file=f"rows.{ending}"), tmp_path)


@pytest.mark.usefixtures("calamine")
def test_an_archive_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "SIZE_LIMIT", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 100_000)
    with pytest.raises(BadInput, match="unpacked"):
        open_source(SourceSpec(file="bomb.xlsx"), tmp_path)


@pytest.mark.usefixtures("calamine")
@pytest.mark.parametrize("name", ["bomb.xlsx", "bomb.ods"])
def test_one_that_grows_a_hundredfold_is_refused_as_well(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<c/>" * 17_000_000)
    with pytest.raises(BadInput, match="more than 64 MB of text at over 100 times the packed size"):
        open_source(SourceSpec(file=name), tmp_path)


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with pytest.raises(BadInput, match=r"pip install 'batchtui\[excel\]'"):
        opened("table.xlsx")


def test_a_workbook_under_another_name_is_told(tmp_path: Path) -> None:
    for name, ending in (("table.xlsx", ".xlsx"), ("table.xls", ".xls")):
        (tmp_path / "rows.csv").write_bytes((SHEETS / name).read_bytes())
        with pytest.raises(BadInput, match=f"its ending, {ending}"):
            open_source(SourceSpec(file="rows.csv"), tmp_path)


@pytest.mark.usefixtures("calamine")
def test_a_damaged_workbook_ends_nothing_but_its_reader(tmp_path: Path) -> None:
    chance = random.Random(3)
    good = (SHEETS / "table.xls").read_bytes()
    for _ in range(12):
        bad = bytearray(good)
        for _ in range(6):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        (tmp_path / "rows.xls").write_bytes(bad[: chance.randrange(600, len(bad))])
        with contextlib.suppress(BadInput):
            list(open_source(SourceSpec(file="rows.xls"), tmp_path).rows())
