"""A list with nothing to show says why, and what to do next, with the keys as they are set."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.beginning.first_run import FirstRunScreen
from batchtui.tui.screens.log import LogScreen
from tests.tui.samples import NOW, app_over, sample_config
from tests.tui.waiting import screen_text, until

SIZES = [(80, 24), (160, 48), (60, 16)]


def middle(text: str, words: str) -> bool:
    """Whether the line with the words stands in the middle of the screen, both ways."""
    lines = text.splitlines()
    row = next(number for number, line in enumerate(lines) if words in line)
    left = len(lines[row]) - len(lines[row].lstrip(" │"))  # whatever frame it stands in
    return len(lines) // 4 <= row <= 3 * len(lines) // 4 and left >= 2


@pytest.mark.parametrize("size", SIZES)
async def test_no_batches(tmp_path: Path, size: tuple[int, int]) -> None:
    config = sample_config(tmp_path, "local")
    config.keys["batch.new"] = "B"
    app = BatchtuiApp(config, tmp_path / "data", worker=False, now=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("escape")
        await until(pilot, lambda: "  B  " in screen_text(pilot))
        text = screen_text(pilot)
        assert middle(text, "No batches yet")
        for words in ("composes one", "batchtui run FILE"):
            assert words in text
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("escape", "4")
        await until(
            pilot, lambda: isinstance(app.screen, LogScreen) and "1  the batches" in screen_text(pilot)
        )


async def test_a_filter_that_hides_all_is_told_where_it_stands(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"zzzz", "enter")
        await until(pilot, lambda: "No batch matches the filter" in screen_text(pilot))
        assert middle(screen_text(pilot), "clears the filter")
        await pilot.press("escape")
        await until(pilot, lambda: "No batch matches" not in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("slash", *"zzzz", "enter")
        await until(pilot, lambda: "jobs matches the filter" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "jobs matches the filter" not in screen_text(pilot))


async def test_no_backend(tmp_path: Path) -> None:
    config = sample_config(tmp_path)
    config.backends.clear()
    app = BatchtuiApp(config, tmp_path / "data", worker=False, now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("b")
        await until(pilot, lambda: "No backend is configured" in screen_text(pilot))
        assert "adds one, tested before it is written" in screen_text(pilot)
