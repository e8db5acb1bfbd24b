"""From a manifest to its worst contingency, and on to the flows behind it: by keyboard, with real solvers."""

from __future__ import annotations

from pathlib import Path

from batchtui.config import load_config
from batchtui.model import ENDED_BATCH_STATES
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.batches import BatchesScreen
from batchtui.tui.screens.composing.screen import ComposeScreen
from batchtui.tui.screens.reading.result import ResultScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from tests import extras
from tests.tui.waiting import screen_text, until

SMALL = (80, 24)


@extras.needs("power")
async def test_the_worst_contingency_in_under_ten_keystrokes(case14: Path) -> None:
    data = case14.parent / "data"
    app = BatchtuiApp(load_config(None, env={}), data, new_from=Path("manifest_ac.json"))
    async with app.run_test(size=SMALL) as pilot:
        try:
            await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
            await until(pilot, lambda: '"ac"' in screen_text(pilot))
            keys = ["ctrl+t"]
            await pilot.press("ctrl+t")
            await until(pilot, lambda: '"n1"' in screen_text(pilot))
            keys.append("f9")
            await pilot.press("f9")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            keys.append("y")
            await pilot.press("y")
            await until(pilot, lambda: isinstance(app.screen, BatchesScreen) and app.link.folders())
            (folder,) = app.link.folders()
            await until(pilot, lambda: folder.state() in ENDED_BATCH_STATES, seconds=60)
            keys.append("v")
            await pilot.press("v")
            await until(pilot, lambda: isinstance(app.screen, ViewsScreen))
            screen = app.screen
            assert isinstance(screen, ViewsScreen)
            await until(pilot, lambda: screen._view is not None and not screen._words)
            assert len(keys) < 10
            view = screen._view
            assert view is not None
            assert view.name == "contingencies"
            await until(pilot, lambda: str(view.table.rows[0][0]) in screen_text(pilot))

            await pilot.press("down", "enter")
            await until(pilot, lambda: screen._name == "flows" and not screen._words)
            await until(pilot, lambda: "Flows after the outage of" in screen_text(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: screen._name == "contingencies" and not screen._words)
            assert screen.table.cursor == 1
            await pilot.press("tab", "tab")
            await until(pilot, lambda: screen._name == "scenarios" and not screen._words)
            await pilot.press("p")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ResultScreen))
            await until(pilot, lambda: "voltage" in screen_text(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, BatchesScreen | BatchScreen))
        finally:
            app.link.stop()
