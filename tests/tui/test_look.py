"""Panes: frames only where there are rows for them, titles that count, the one in front in colour, little paint."""

from __future__ import annotations

from unittest import mock

import pytest
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widgets import Input

from batchtui.store.library import Library
from batchtui.tui.look import themes
from batchtui.tui.screens.reading.job_preview import JobPreview
from batchtui.tui.widgets.pane import Pane
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until


def edges(pane: Pane) -> tuple[str, str]:
    """The frame of its top and its left side."""
    return pane.styles.border_top[0], pane.styles.border_left[0]


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (160, 29)])
async def test_below_thirty_rows_nothing_is_framed(library: Library, size: tuple[int, int]) -> None:
    app = app_over(library)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.batches_screen().table.row_count() == 7)
        assert app.batches_screen().table.region.y == 1, "under the line of totals"
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: "Jobs 1,200" in screen_text(pilot))
        assert {edges(pane)[0] for pane in app.screen.query(Pane)} == {""}
        assert app.screen.query_one("#jobs").region.y == 2, "its title takes a line"


async def test_frames_say_what_they_hold(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "Batches 7" in screen_text(pilot))
        assert "1 archived" in screen_text(pilot)
        await pilot.press("space", "s")
        await until(pilot, lambda: "1 marked   1 archived   by name" in screen_text(pilot))
        await pilot.press("/", *"daly")
        await until(pilot, lambda: "Batches 1 of 7" in screen_text(pilot))


async def test_the_answer_stands_beside_the_list_and_follows_the_cursor(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: "The site produces 0.1 GWh in the first year," in screen_text(pilot))
        await pilot.press("j", "j", "j", "j", "j")
        await until(pilot, lambda: "a1-00005  ! failed" in screen_text(pilot))
        beside = app.screen.query_one(JobPreview)
        assert "retry after 5 s" in beside.view.plain
        assert "row of the source\ntext  row 5" in beside.view.plain
        first, second = app.screen.query_one("#jobs-pane", Pane), beside
        colour = app.theme_variables["primary"].lower()

        def in_front(pane: Pane) -> bool:
            return pane.styles.border_top[1].hex.lower() == colour

        assert (in_front(first), in_front(second)) == (True, False)
        await pilot.press("tab")
        assert (in_front(first), in_front(second)) == (False, True)
        assert edges(second) == ("round", "blank"), "what one copies has no bars beside it"


async def test_the_request_stands_beside_the_answer(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "enter", "enter")
        await until(pilot, lambda: "1 Answer" in screen_text(pilot))
        assert "row of the source" not in screen_text(pilot)
        await pilot.resize_terminal(160, 48)
        await until(
            pilot, lambda: "─ Request ─" in screen_text(pilot) and '"prompt": "row 0"' in screen_text(pilot)
        )
        await pilot.press("n")
        await until(pilot, lambda: '"prompt": "row 1"' in screen_text(pilot))
        await pilot.press("2")
        await until(pilot, lambda: "─ Answer ─" in screen_text(pilot))


async def test_a_narrow_list_reads_no_answers(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        with mock.patch.object(JobPreview, "_read") as read:
            await pilot.press("j", "j", "enter", "j", "j")
            await until(pilot, lambda: "a1-00002" in screen_text(pilot))
            await pilot.pause(0.3)
        read.assert_not_called()


async def test_a_title_is_painted_by_its_edges(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "Batches 7" in screen_text(pilot))
        pane = app.screen.query_one("#batches-pane", Pane)
        with mock.patch.object(Vertical, "refresh") as refresh:
            pane.entitle(Content("Batches 8"))
            regions = {region for call in refresh.call_args_list for region in call.args}
            refresh.reset_mock()
            pane.entitle(Content("Batches 8"))
        assert regions == {
            Region(-1, -1, pane.outer_size.width, 1),
            Region(-1, pane.outer_size.height - 2, pane.outer_size.width, 1),
        }
        refresh.assert_not_called()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48)])
async def test_hints_of_narrow_fields_are_read_whole(library: Library, size: tuple[int, int]) -> None:
    app = app_over(library)
    async with app.run_test(size=size) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: app.screen.query(".pairs Input"))
        await pilot.pause()
        narrow = list(app.screen.query(".pairs Input").results(Input))
        assert len(narrow) > 10
        cut = [one.placeholder for one in narrow if len(str(one.placeholder)) > one.content_size.width]
        assert cut == []


def test_themes_have_names_of_their_own() -> None:
    assert [theme.name for theme in themes.OWN] == ["batchtui", "batchtui-light"]
    assert [theme.dark for theme in themes.OWN] == [True, False]
