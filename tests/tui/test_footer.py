"""The line of keys at the bottom: what one came for is in it at any width."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from batchtui.store.library import Library
from batchtui.tui.screens.composing.screen import ComposeScreen
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until


@pytest.mark.parametrize("width", [40, 60, 80])
async def test_submit_is_never_dropped(library: Library, width: int) -> None:
    app = app_over(library)
    async with app.run_test(size=(width, 16)) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        await until(pilot, lambda: "f9 Submit" in screen_text(pilot).splitlines()[-1])


def footer(pilot: Pilot[None]) -> str:
    return screen_text(pilot).splitlines()[-1]


async def test_what_one_came_for_is_never_dropped(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(60, 16)) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        for words in ("enter Open", "n New", "/ Filter", "x Cancel", "? Help", "q Quit"):
            assert words in footer(pilot)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: "enter Read" in footer(pilot))
        for words in ("r Retry", "/ Filter", "x Cancel", "? Help", "q Quit"):
            assert words in footer(pilot)


async def test_at_80_columns_the_jobs_that_failed_are_a_key_away(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: "f Failed only" in footer(pilot))


async def test_what_types_a_letter_is_not_offered_as_a_key(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "q Quit" in footer(pilot))
        await pilot.press("slash")
        await until(pilot, lambda: "q Quit" not in footer(pilot).replace("ctrl+q", ""))
        assert "f1 Help" in footer(pilot)
        assert "ctrl+q Quit" in footer(pilot)
        for words in ("n New", "r Retry", "space Mark", "/ Filter", "1 Batches"):
            assert words not in footer(pilot)
        await pilot.press("q", "enter")
        await until(pilot, lambda: "r Retry" in footer(pilot))
        await pilot.press("escape", "2")
        await until(pilot, lambda: "ctrl+l Models" in footer(pilot) and "f9 Submit" in footer(pilot))
        assert "? Help" not in footer(pilot)
