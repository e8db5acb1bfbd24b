"""A click on a head sorts, cells say what they mean in the room there is, and help is read at 60 columns."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.widgets.tables.batch_table import BatchTable
from batchtui.tui.widgets.tables.job_table import JobTable
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import screen_text, until


def place(pilot_text: str, title: str) -> tuple[int, int]:
    """Column and line of a title on the screen."""
    for y, line in enumerate(pilot_text.splitlines()):
        if title in line:
            return line.index(title), y
    raise AssertionError(title)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_click_on_a_head_sorts_and_again_turns_round(library: Library, size: tuple[int, int]) -> None:
    app = app_over(library)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.batches_screen().table.row_count() == 7)

        async def click(widget: type[Widget], title: str) -> None:
            x, y = place(screen_text(pilot), title)
            region = app.screen.query_one(widget).region
            await pilot.click(widget, offset=(x - region.x + 1, y - region.y))

        await click(BatchTable, "NAME")
        await until(pilot, lambda: "NAME▴" in screen_text(pilot))
        assert app.batches_screen().table.ids[:2] == ["f4y7sc", "k7fq2m"]
        await click(BatchTable, "NAME")
        await until(pilot, lambda: "NAME▾" in screen_text(pilot))
        assert app.batches_screen().table.ids[0] == "d5r8vz"
        await click(BatchTable, "COST")
        await until(pilot, lambda: "COST▾" in screen_text(pilot))
        assert app.batches_screen().table.ids[0] == "k7fq2m"
        app.open_batch("c9m4hn")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "Jobs 40" in screen_text(pilot))
        await click(JobTable, "STATE")
        await until(pilot, lambda: "STATE▴" in screen_text(pilot))
        table = app.screen.query_one(JobTable)
        assert list(table.numbers[:2]) == [7, 31]
        await click(JobTable, "STATE")
        await until(pilot, lambda: list(table.numbers[-2:]) == [31, 7])


async def test_a_hundred_thousand_of_them_are_read_whole(library: Library) -> None:
    ids = [f"j{n}" for n in range(120_000)]
    Sample(library, "big001", "big", ids, age=60).close()
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "big001" in screen_text(pilot))
        line = next(line for line in screen_text(pilot).splitlines() if "big001" in line)
        assert "0/120k" in line
        assert "…" not in line


async def test_help_is_read_at_60_columns(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: "Open: Open the batch: its jobs, one a line" in screen_text(pilot))
