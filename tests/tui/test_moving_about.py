"""From screen to screen: digits, and the palette, which finds what lives on other screens."""

from __future__ import annotations

import pytest
from textual.command import CommandList, CommandPalette

from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.batches import BatchesScreen
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.screens.help import HelpScreen
from batchtui.tui.screens.log import LogScreen
from batchtui.tui.screens.setup.backends import BackendsScreen
from batchtui.tui.screens.setup.remote import RemoteScreen
from tests.tui.samples import app_over
from tests.tui.waiting import until


async def test_digits_lead_to_the_screen_they_name_whatever_was_opened_over_it(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, BackendsScreen))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        await pilot.press("escape", "4", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))


@pytest.mark.parametrize(
    ("words", "screen"),
    [("adopt openai", RemoteScreen), ("backends", BackendsScreen), ("batch tox", BatchScreen)],
)
@pytest.mark.parametrize("over", ["1", "4"])
async def test_the_palette_finds_what_lives_on_other_screens(
    library: Library, over: str, words: str, screen: type
) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press(over, "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*(("space" if letter == " " else letter) for letter in words))
        await until(pilot, lambda: app.screen.query_one(CommandList).option_count)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, screen))
