"""The line of keys at the bottom: what one came for is in it at any width."""

from __future__ import annotations

import pytest

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
