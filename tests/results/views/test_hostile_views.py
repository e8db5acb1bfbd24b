"""Views of the worst that can stand in a result: every string, figures of any size, tables that are none."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from batchtui.errors import BadInput, NotFound
from batchtui.model import Json
from batchtui.results.export.file import json_text
from batchtui.results.scenarios.place import MARK
from batchtui.results.views import registry, side_by_side
from batchtui.results.views.drawings.picture import draw
from batchtui.results.views.export import csv_text, document, markdown, svg, write_view
from batchtui.results.views.figures import is_figure, number, ticks
from batchtui.results.views.generic import _bounds
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars, Column, Heat, Lines, Picture, Series, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.text import cell, clean
from batchtui.tui.models.table_rows import TableRows
from tests import extras
from tests.results.views.hostile_samples import HUGE, TABLES, scenarios, sizes
from tests.tui.test_hostile import HOSTILE

ODD = {
    "fence": "```", "script": "<script>alert(1)</script>", "cdata": "]]>", "face": "@font-face{", "brace": "}",
    "entity": "&lt;b&gt;&#27;", "no-xml": "\ufffe\uffff", "pipe": "a|b\\|c", "link": "[x](javascript:alert(1))",
    "image": "![x](http://127.0.0.2/x)", "html": "</pre></td><img src=x onerror=alert(1)>", "sheet": "=cmd|'/c calc'!A1",
}  # fmt: skip
STRINGS = HOSTILE | ODD
ELEMENTS = {"svg", "style", "defs", "clipPath", "rect", "text", "g", "line", "circle"}


def pictures(text: str) -> list[Picture]:
    series = tuple(Series(f"{n}{text}", [0.0, 1.0, 2.0], [1.0, n, 4.0]) for n in range(3))
    return [
        Bars([text, f"b{text}"], [1.0, -2.0], text),
        Lines(series, text, text, (text, text, text)),
        Lines((Series(text, [1.0, 2.0], [3.0, 4.0]),), text, text),
        Heat([text, f"r{text}"], [text, text], [[1.0, 3.0], [None, 2.0]], (1.5,), text),
    ]


def a_view(text: str, picture: Picture | None = None) -> View:
    rows: list[tuple[Json, ...]] = [(text, 1.5, text), (f"}}{text}", None, None)]
    columns = (Column(text, text), Column("n"), Column(f"c{text}"))
    return View(text, text, Table(columns, rows, text), picture, (), ((text, text), ("b", 2)))


def drawn(picture: Picture) -> str:
    return "\n".join(
        draw(picture, width, height, ascii_only=ascii_only).plain
        for width, height in ((20, 5), (78, 18))
        for ascii_only in (True, False)
    )


@pytest.mark.parametrize("name", STRINGS)
def test_no_string_acts_in_a_picture_or_a_file(name: str) -> None:
    text = STRINGS[name]
    for picture in pictures(text):
        shown = drawn(picture)
        assert clean(shown) == shown
        assert all("\n" not in line.plain for line in draw(picture, 78, 18).split("\n"))
    view = a_view(text, pictures(text)[1])
    assert_a_drawing(svg(view))
    assert_markdown(markdown(view), view)
    rows = list(csv.reader(io.StringIO(csv_text(view, raw=True), newline="")))
    assert len(rows) == 3
    assert rows[1][0] == text
    sheet = list(csv.reader(io.StringIO(csv_text(view), newline="")))
    assert not [one for row in sheet for one in row if one.startswith(("=", "@", "\t", "\r"))]
    assert json.loads(json_text(document(view)))["rows"][0][0] == text


def assert_a_drawing(text: str) -> None:
    """XML of shapes and words alone, none of which runs or fetches anything."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        assert element.tag.partition("}")[2] in ELEMENTS
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            assert "href" not in key
            assert "://" not in value
            assert "url(" not in value or "url(#" in value
    assert "@import" not in (root.findtext("{http://www.w3.org/2000/svg}style") or "")
    assert "@font-face" not in text.partition("</style>")[0]


def assert_markdown(text: str, view: View) -> None:
    """One title, one fence that closes at its own end, a table of as many cells as columns, no tag, no link."""
    assert clean(text) == text
    lines = text.split("\n")
    fence = next(line for line in lines if line.startswith("```"))[: -len("text")]
    ends = [at for at, line in enumerate(lines) if line.strip() == fence]
    assert len(ends) == 1
    longest = max(
        len(line) - len(line.lstrip("`")) for line in lines[lines.index(f"{fence}text") + 1 : ends[0]]
    )
    assert longest < len(fence)
    words = lines[: lines.index(f"{fence}text")] + lines[ends[0] + 1 :]
    for line in words:
        bare = line.replace("\\\\", "")
        assert not [at for at in range(1, len(bare)) if bare[at] in "<[&`" and bare[at - 1] != "\\"], line
    table = [line for line in words if line.startswith("| ")]
    assert len(table) == 2 + len(view.table.rows)
    assert {line.replace("\\\\", "").replace("\\|", "").count("|") for line in table} == {4}


def every_view(folder: BatchFolder) -> list[View]:
    """Each view over every axis it offers, over one job and over two."""
    found = []
    first, second, *_ = folder.jobs.ids
    for name, _ in registry.names(folder):
        view = registry.build(folder, name)
        found.append(view)
        for y in view.choices:
            found.append(registry.build(folder, name, Options(y=y)))
            found.append(registry.build(folder, name, Options(x=view.choices[0], y=y)))
        found += [registry.build(folder, name, Options(jobs=jobs)) for jobs in ((first,), (first, second))]
    return found


def assert_usable(view: View, folder: Path) -> None:
    """It is drawn, sorted, narrowed and written in every form."""
    if view.picture:
        drawn(view.picture)
    rows = TableRows(view.table)
    for at in range(len(view.table.columns)):
        rows.numbers("", at, True)
    rows.numbers("huge>1 !near:3", 0, False)
    for ending in ("csv", "md", "svg", *(["parquet"] if extras.has("parquet") else [])):
        write_view(view, str(folder / f"v.{ending}"))
    json.loads(json_text(document(view)))


@pytest.mark.parametrize("kind", ["local", "daly"])
def test_figures_of_any_size_break_no_view(tmp_path: Path, kind: str) -> None:
    library = Library(tmp_path / "data")
    folder = sizes(library, "sizes", kind)
    views = every_view(folder)
    assert len(views) > 20
    for view in views:
        assert_usable(view, tmp_path)
    table = registry.build(folder, "table")
    names = [column.name for column in table.table.columns]
    assert any(name.endswith("odd") for name in names)
    fields = side_by_side.fields(folder, "r0", "r1")
    assert cell(str(HUGE)) in [row[1] for row in fields.table.rows]


def test_two_batches_of_any_size_are_compared(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    first, second = sizes(library, "a"), sizes(library, "b", turned=True)
    view = registry.build_of_two(first, second, "differences")
    for y in (None, *view.choices):
        assert_usable(registry.build_of_two(first, second, "differences", Options(y=y)), tmp_path)


def test_what_is_a_figure() -> None:
    assert [is_figure(value) for value in (1, -0.0, 1e299, True, None, "1")] == [True] * 3 + [False] * 3
    assert not any(is_figure(value) for value in (HUGE, -HUGE, 1.7e308, float("nan"), float("inf")))
    assert number(HUGE) == "1.000000e+400"


@pytest.mark.parametrize(
    ("low", "high"), [(1e17, 1e17 + 16), (0.0, 5e-324), (-1e299, 1e299), (1e299, 1e299), (5.0, 5.0 + 1e-15)]
)
def test_bounds_and_ticks_end(low: float, high: float) -> None:
    bounds = _bounds([low, high])
    assert bounds[0] <= low
    assert bounds[-1] >= high
    assert bounds == sorted(set(bounds))
    assert len(bounds) < 30
    assert ticks(low, high, 5)
    drawn(Lines((Series("a", [low, high], [high, low]),)))


BROKEN: dict[str, Json] = {
    "text": "\x1b]0;PWNED\x07", "huge": HUGE, "nothing": None, "list": [1], "object": {"a": 1}, "truth": True, "wide": 1.7e308,
}  # fmt: skip


@pytest.mark.parametrize("task", ["n1", "acopf"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_cell_of_a_table_that_is_something_else(tmp_path: Path, name: str, task: str) -> None:
    """Each column in turn holds in one row what it never should: views are built without that cell."""
    library = Library(tmp_path / "data")
    for table, row in TABLES.items():
        for column in row:
            broken = json.dumps({**row, column: BROKEN[name]})
            folder = scenarios(library, f"{table} {column}", "", task, {table: [broken, json.dumps(row)]})
            for view in built(folder):
                assert clean(markdown(view)) == markdown(view)
                json.loads(json_text(document(view)))


def built(folder: BatchFolder) -> list[View]:
    """The views of its scenarios; what is refused says so in words."""
    found = []
    for name, _ in registry.names(folder):
        if name not in ("table", "plot", "histogram"):
            found.append(registry.build(folder, name))
    return found


LINES = {
    "list": "[1, 2]", "deep": "[" * 100_000, "digits": '{"branch_id":' + "9" * 5000 + "}", "not json": "{", "nan": "NaN",
    "empty": "",
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_a_table_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    folder = scenarios(Library(tmp_path / "data"), "s", tables={table: [LINES[name]] for table in TABLES})
    for view, table in (("loading", "result"), ("voltages", "bus"), ("contingencies", "contingency")):
        with pytest.raises(BadInput, match=rf"{table}\.jsonl: cannot be read"):
            registry.build(folder, view)


def test_a_rating_that_only_some_scenarios_have(tmp_path: Path) -> None:
    """The worst scenario of a branch is the one it is told of, also where others have no loading."""
    folder = scenarios(Library(tmp_path / "data"), "s")
    place = folder.path / "tables"
    first = next(place.glob("job_s0*")) / "result.jsonl"
    first.write_text(json.dumps({**TABLES["result"], "loading_pct": None, "flow_mw": 7.0}) + "\n")
    view = registry.build(folder, "loading")
    assert view.jobs == ("s1-",)
    assert view.table.rows[0][-1] == 1.5
    assert isinstance(view.picture, Heat)
    assert view.picture.values == [[None, 105.0]]


@extras.needs("power")
def test_why_there_are_no_tables_is_said(tmp_path: Path) -> None:
    """Deleted, written over by another batch, cut in half, and before any scenario has completed."""
    library = Library(tmp_path / "data")
    folder, other = scenarios(library, "s"), scenarios(library, "o")
    place = folder.path / "tables"
    note = "this batch's tables are not in"
    mark = (place / MARK).read_text()
    (place / MARK).write_text(mark.replace(folder.id, other.id))
    for view in ("loading", "voltages", "contingencies"):
        assert f"batch {other.id} wrote over" in registry.build(folder, view).table.note
    shutil.rmtree(place)
    for view in ("loading", "voltages", "contingencies"):
        assert note in registry.build(folder, view).table.note
    with pytest.raises(NotFound, match=note):
        registry.build(folder, "flows", Options(row="1 s0-"))
    assert registry.build(folder, "scenarios").table.rows
    two = registry.build_of_two(folder, other, "buses")
    assert two.table.note.startswith(f"s: {note}")
    summary = other.path / "tables" / "summary"
    (summary / "buses.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match=r"buses\.parquet: cannot be read .* run the batch's file again"):
        registry.build(other, "voltages")


def test_before_any_scenario_has_completed(tmp_path: Path) -> None:
    folder = scenarios(Library(tmp_path / "data"), "s", done=0)
    for view in ("loading", "voltages", "contingencies"):
        assert "no scenario completed" in registry.build(folder, view).table.note
    with pytest.raises(NotFound, match="no scenario completed"):
        registry.build(folder, "flows")


def test_a_text_beside_a_figure_is_told(tmp_path: Path) -> None:
    folder = sizes(Library(tmp_path / "data"), "sizes")
    rows = {row[0]: row for row in side_by_side.fields(folder, "r0", "r1").table.rows}
    assert rows["output.summary.huge"][1:] == (cell(str(HUGE)), 2, None)
    assert rows["output.summary.word"][1:] == (1, "1e400", None)
