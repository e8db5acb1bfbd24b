"""A view as a file, and read back."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from batchtui.errors import BadInput
from batchtui.results.views.export import SVG_ROWS, csv_text, document, format_of, markdown, svg, write_view
from batchtui.results.views.shapes import Bars, Column, Heat, Lines, Picture, Series, Table, View
from tests import extras

if TYPE_CHECKING:
    import pyarrow

ESCAPE = "\x1b]52;c;aGk=\x07"
COLUMNS = (
    Column("bus"),
    Column("flow", "MW", 1),
    Column("count"),
    Column("ok"),
    Column("words"),
    Column("none"),
)
ROWS: list[tuple[str | int | float | bool | None, ...]] = [
    ("=cmd()", 1.25, 3, True, "a|b*c_[x](y)", None),
    (f"{ESCAPE}世界", -2.5, 2**53 + 1, False, "two\nlines", None),
    ("\ud83d half", None, None, None, None, None),
]


def a_view(picture: Picture | None = None) -> View:
    return View(
        "flows", "Flows <b>", Table(COLUMNS, list(ROWS), "of 5"), picture, (), (("mean", 0.123456789),)
    )


def test_csv_reads_back_and_no_sheet_runs_it(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    assert write_view(a_view(), str(path)) == 3
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [column.name for column in COLUMNS]
    assert rows[1][:5] == ["'=cmd()", "1.25", "3", "True", "a|b*c_[x](y)"]
    assert rows[2][2] == str(2**53 + 1)
    assert csv_text(a_view(), raw=True).splitlines()[1].startswith("=cmd()")


def read_parquet(path: Path) -> pyarrow.Table:
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path)


@extras.needs("parquet")
def test_parquet_keeps_types_units_and_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    write_view(a_view(), str(path))
    table = read_parquet(path)
    assert [str(field.type) for field in table.schema] == [
        "string",
        "double",
        "int64",
        "bool",
        "string",
        "string",
    ]
    assert table.schema.field("flow").metadata == {b"unit": b"MW"}
    assert table.column("count").to_pylist() == [3, 2**53 + 1, None]
    assert table.column("bus").to_pylist()[1] == f"{ESCAPE}世界"


@extras.needs("parquet")
def test_columns_of_one_name_and_of_mixed_kinds(tmp_path: Path) -> None:
    view = View("v", "V", Table((Column("a"), Column("a"), Column("big")), [(1, "x", 2**70), (2.5, 3, 1)]))
    write_view(view, str(tmp_path / "v.parquet"))
    table = read_parquet(tmp_path / "v.parquet")
    assert table.column_names == ["a", "a_", "big"]
    assert table.to_pydict() == {"a": [1.0, 2.5], "a_": ["x", "3"], "big": [float(2**70), 1.0]}


@pytest.mark.parametrize(
    "ending", ["csv", "md", "svg", pytest.param("parquet", marks=extras.needs("parquet"))]
)
def test_an_empty_table_is_a_file_too(tmp_path: Path, ending: str) -> None:
    view = View("v", "V", Table((Column("a"),), []))
    assert write_view(view, str(tmp_path / f"v.{ending}")) == 0
    assert (tmp_path / f"v.{ending}").stat().st_size


def test_markdown_holds_picture_and_every_row() -> None:
    text = markdown(a_view(Bars(["a"], [1.0])))
    lines = text.splitlines()
    assert lines[0] == "# Flows \\<b\\>"
    assert "```text" in lines
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 5
    assert rows[0].startswith("| bus | flow (MW) |")
    assert "a\\|b\\*c\\_\\[x\\](y)" in rows[2]
    assert "two\u240alines" in rows[3]
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    "picture",
    [
        None,
        Bars([f"{ESCAPE}a", "世界"], [1.0, -2.0], ESCAPE),
        Lines((Series("<a&b>", [1.0, 2.0], [3.0, 4.0]),), ESCAPE, "&"),
        Heat(["<r>"], ["c"], [[3.0]], (1.0,)),
    ],
)
def test_svg_is_well_formed_and_needs_nothing_from_the_net(picture: Picture | None) -> None:
    text = svg(a_view(picture))
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "@font-face" not in text
    assert "url(http" not in text
    assert "src:" not in text
    assert "\x1b" not in text


def test_a_long_table_is_cut_in_svg_and_says_so() -> None:
    view = View("v", "V", Table((Column("a"),), [(n,) for n in range(SVG_ROWS + 5)]))
    assert "and&#160;5&#160;more" in svg(view)


def test_columns_without_room_are_told_of() -> None:
    view = View("v", "V", Table(tuple(Column(f"column {n}") for n in range(40)), [tuple(range(40))]))
    assert "columns&#160;have&#160;no&#160;room" in svg(view, 80)


def test_a_fault_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "v.svg"
    path.write_text("old")
    broken = View("v", "V", Table((Column("a"), Column("b")), [("only one",)]))
    with pytest.raises(IndexError):
        write_view(broken, str(path))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["v.svg"]
    with pytest.raises(BadInput, match="cannot be written"):
        write_view(a_view(), str(tmp_path / "no" / "v.csv"))


def test_the_form_follows_from_the_name() -> None:
    assert [format_of(name) for name in ("a.CSV", "b.md", "c.svg", "d.parquet")] == [
        "csv",
        "markdown",
        "svg",
        "parquet",
    ]
    with pytest.raises(BadInput, match="may end in"):
        format_of("a.xlsx")
    with pytest.raises(BadInput, match='did you mean "markdown"'):
        format_of("a.md", "markdwn")


def test_the_document_holds_the_values_whole() -> None:
    found = document(a_view())
    assert found["rows"][0][1] == 1.25
    assert found["columns"][1] == {"name": "flow", "unit": "MW"}
