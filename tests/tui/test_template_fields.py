"""`{{ fields }}` as one types them: coloured, red where no column is so called, completed, and put in once."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.widgets.form.compose_form import ComposeForm
from batchtui.tui.widgets.form.holding_area import HoldingArea
from batchtui.tui.widgets.form.template_fields import completion, fields, unfinished
from tests.tui.samples import NOW, sample_config
from tests.tui.waiting import screen_text, until

COLUMNS = ["species", "island", "body mass"]


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("{{ species }} of {{island}}", [True, True]),
        ("{{ specis }}", [False]),
        ('{{ row["body mass"] }} {{ species.upper }}', [True, True]),
        ("{{ }} {{ 3 }} {{ open", [True, True]),
    ],
)
def test_fields_and_columns(line: str, known: list[bool]) -> None:
    assert [place.known for place in fields(line, COLUMNS)] == known
    assert all(place.known for place in fields(line, [])), "nothing is wrong while no source is named"


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [("of {{ ", "", (3, 0)), ("{{spe", " }} x", (5, 3)), ("{{ species }} ", "", (0, 0)), ("spe", "", (0, 0))],
)
def test_what_was_begun_is_replaced(before: str, after: str, whole: tuple[int, int]) -> None:
    assert unfinished(before, after) == whole


@pytest.mark.parametrize(
    ("before", "after", "rest"),
    [("{{ spe", "", "cies }}"), ("{{ ", "", ""), ("{{ bod", "", ""), ("{{ spe", " is", ""), ("spe", "", "")],
)
def test_the_first_column_that_goes_on_so_completes(before: str, after: str, rest: str) -> None:
    assert completion(before, after, COLUMNS) == rest


async def begun(pilot: Pilot[None], app: BatchtuiApp) -> HoldingArea:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen.query(ComposeForm))
    form = app.screen.query_one(ComposeForm)
    form.row("source.file").text = "birds.csv"
    form.row("backend").text = "openai"
    form.row("job.prompt").text = "x"
    area = form.row("job.prompt").control
    assert isinstance(area, HoldingArea)
    await until(pilot, lambda: area._columns)
    form.row("job.prompt").text = ""
    area.focus()
    await pilot.pause()
    return area


async def test_on_the_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("birds.csv").write_text("species,island\nAdelie,Dream\n")
    app = BatchtuiApp(sample_config(tmp_path, "openai"), tmp_path / "data", worker=False, now=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.screen_stack[1:])
        await pilot.press("escape")
        area = await begun(pilot, app)
        await pilot.press(*"{{ isl")
        assert area.suggestion == "and }}"
        await pilot.press("right")
        assert area.text == "{{ island }}"
        await pilot.press(*" {{ ", "f3")
        await until(pilot, lambda: "Insert a column" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: area.text == "{{ island }} {{ species }}")
        await pilot.press(*" {{ specis }}")
        spans = {(span.start, span.end): str(span.style) for span in area.get_line(0).spans}
        assert spans[0, 12] == spans[13, 26] != spans[27, 39]
        assert "bold" in spans[27, 39]
        row = app.screen.query_one(ComposeForm).row("sweep")
        row.text = "max_tokens = [1, 2, 3]\ntemperature = [0, 1]"
        await until(pilot, lambda: "6 jobs for each row" in screen_text(pilot))
        area.put("{{ island }}")
        await until(pilot, lambda: "id 1.1" in screen_text(pilot))
