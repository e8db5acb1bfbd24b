"""A batch that is only followed from here says so on the screen, while it runs and after it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.model import JobState, Outcome
from batchtui.store.files.inbox import read
from batchtui.store.library import Library
from batchtui.tui.screens.asking.dialogs import Choose
from batchtui.tui.screens.info import InfoScreen
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import screen_text, until

WHY = "it came in a bundle that was made on north, where it may go on"


async def test_it_is_told_and_taken_over_by_a_person(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    sample = Sample(library, "k7fq2m", "away", ["a", "b"], follows=WHY)
    text = f"this batch is only followed from here, and nothing of it is sent: {WHY}"
    sample.record("attention", kind="copy", text=text, actions=["adopt", "take-over"])
    sample.close()
    app = app_over(library)
    async with app.run_test(size=(160, 40)) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        await until(pilot, lambda: "needs you" in screen_text(pilot))
        shown = " ".join(screen_text(pilot).split())
        assert "This batch is only followed from here" in shown
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await until(pilot, lambda: "Some of it is there" in screen_text(pilot))
        await until(pilot, lambda: "This is the one that drives it" in screen_text(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: list(read(library.path("k7fq2m"), 0)))
    [(_, command)] = read(library.path("k7fq2m"), 0)
    assert command is not None
    assert (command.command, command.args) == ("resolve", {"action": "take-over"})


@pytest.mark.parametrize("size", [(80, 24), (160, 40)])
async def test_one_that_has_ended_says_where_it_is_from(tmp_path: Path, size: tuple[int, int]) -> None:
    library = Library(tmp_path / "data")
    sample = Sample(library, "k7fq2m", "away", ["a"], follows=WHY)
    sample.record("start", n=0, **{"try": 1})
    sample.writer.store(0, 1, "a", Outcome(state=JobState.COMPLETED, raw_response="ok"))
    sample.record("ended", state="completed")
    sample.close()
    app = app_over(library)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        await until(pilot, lambda: WHY[:30] in " ".join(screen_text(pilot).split()))
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InfoScreen))
        await until(pilot, lambda: WHY in " ".join(screen_text(pilot).split()))
