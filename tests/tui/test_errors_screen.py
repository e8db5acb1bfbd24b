"""The list of causes: counts that add up, one cause opened or tried again, by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.model import JobState
from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.errors import ErrorsScreen
from tests.tui.samples import Sample, app_over
from tests.tui.test_batches_screen import commands
from tests.tui.waiting import screen_text, until


@pytest.fixture
def failed(tmp_path: Path) -> Library:
    """Ten jobs: four and one of a kind, three of another, one without words, one that is well."""
    library = Library(tmp_path / "data")
    sample = Sample(
        library, "k7fq2m", "birds", [f"job-{n}" for n in range(10)], backend="local", remote=False
    )
    for n in range(10):
        sample.start(n)
        if n < 4:
            told = {"error_kind": "exception", "error": f"ValueError: row {n} is odd at 0x{n * 7919 + 10:x}"}
        elif n < 5:
            told = {"error_kind": "exception", "error": "KeyError: 'no such row 7'"}
        elif n < 8:
            told = {
                "error_kind": "rate_limit",
                "error": f"429: request {n:x}f-{n * 99991:012x} is one too many",
            }
        else:
            told = {}
        state = JobState.COMPLETED if n == 9 else JobState.EXPIRED if n == 8 else JobState.FAILED
        sample.finish(n, state, cost_usd=None, **told)  # type: ignore[arg-type]
    sample.end()
    sample.close()
    return library


async def on_errors(pilot: Pilot[None]) -> None:
    await pilot.press("E")
    await until(pilot, lambda: isinstance(pilot.app.screen, ErrorsScreen) and "causes" in screen_text(pilot))


async def test_causes_stand_by_kind_and_their_counts_add_up(failed: Library) -> None:
    app = app_over(failed)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_errors(pilot)
        await until(pilot, lambda: "birds  Errors 4 causes in 9 of 10 jobs" in screen_text(pilot))
        rows = [line.split() for line in screen_text(pilot).splitlines() if "%" in line]
        assert [row[0] for row in rows] == ["4", "1", "3", "1"]
        assert "exception" in rows[0]
        assert "exception" not in rows[1]
        assert "#f" not in screen_text(pilot)
        assert "no such row #" in screen_text(pilot)


async def test_each_cause_shows_a_sample_and_what_helps(failed: Library) -> None:
    app = app_over(failed)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_errors(pilot)
        await until(pilot, lambda: "ValueError: row 0 is odd at 0xa" in screen_text(pilot))
        assert "4 failed, such as job-0" in screen_text(pilot)
        await pilot.press("j", "j")
        await until(pilot, lambda: "limits.concurrency" in screen_text(pilot))


async def test_enter_shows_the_jobs_of_the_cause_and_escape_all(failed: Library) -> None:
    app = app_over(failed)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_errors(pilot)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and len(app.screen.table.numbers) == 3)
        assert isinstance(app.screen, BatchScreen)
        assert list(app.screen.table.numbers) == [5, 6, 7]
        await until(pilot, lambda: "3 of 10 shown   rate_limit: #: request" in screen_text(pilot))
        await pilot.press("escape")
        await until(
            pilot, lambda: isinstance(app.screen, BatchScreen) and len(app.screen.table.numbers) == 10
        )


async def test_r_tries_one_cause_again(failed: Library) -> None:
    app = app_over(failed)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_errors(pilot)
        await pilot.press("r")
        await until(pilot, lambda: commands(failed, "k7fq2m"))
        assert commands(failed, "k7fq2m") == [("retry", {"jobs": ["job-0", "job-1", "job-2", "job-3"]})]


async def test_of_a_batch_without_failures_it_says_so(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G", "E")
        await until(
            pilot, lambda: isinstance(app.screen, ErrorsScreen) and "no job failed" in screen_text(pilot)
        )
        await pilot.press("r")
        await until(pilot, lambda: any("nothing to retry" in words for _, words in app.notes))
