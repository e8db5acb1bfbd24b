"""The job table: chosen by columns or by reading, marked, opened, and kept in its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.model import JobState
from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.reading.result import ResultScreen
from tests.tui.samples import Sample, app_over
from tests.tui.test_batches_screen import commands
from tests.tui.waiting import screen_text, until


@asynccontextmanager
async def opened(library: Library, batch_id: str) -> AsyncIterator[tuple[Pilot[None], BatchScreen]]:
    app = app_over(library, open_batch=batch_id)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.screen.table.numbers)
        assert isinstance(app.screen, BatchScreen)
        yield pilot, app.screen


async def test_rows_show_answers_errors_and_states(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        text = screen_text(pilot)
        assert "The site produces 0.1 GWh" in text
        assert "rate_limit: 429 rate limi" in text
        assert "600 processing" in text
        await pilot.press("G")
        assert screen.table.current() == 1199
        await until(pilot, lambda: "a1-01199" in screen_text(pilot))
        await pilot.press("g")
        assert screen.table.current() == 0


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("a1-0000", 10),
        ("status:fai", 7),
        ("error:rate 102", 1),
        ("!status:processing !error:rate", 593),
        ("RATE", 7),
        ("!a1-", 0),
        ("status:completed,failed", 600),
    ],
)
async def test_filter_by_columns(library: Library, query: str, count: int) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("slash")
        screen.query_one("#filter").value = query  # type: ignore[attr-defined]
        await until(pilot, lambda: len(screen.table.numbers) == count)


async def test_enter_reads_answers_too(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("slash", *"593.1", "enter")
        await until(pilot, lambda: list(screen.table.numbers) == [593])
        await pilot.press("escape")
        await until(pilot, lambda: len(screen.table.numbers) == 1200)


@pytest.mark.parametrize("query", ["Adelie", "!Adelie", "output_tokens>50"])
async def test_words_that_answers_may_hold_say_that_enter_reads_them(library: Library, query: str) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await pilot.press("slash", *query)
        await until(pilot, lambda: "enter reads the answers" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "enter reads the answers" not in screen_text(pilot))


async def test_states_and_ids_need_no_reading(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("slash", *"status:failed id:a1-001")
        await until(pilot, lambda: len(screen.table.numbers) == 2)
        assert "enter reads" not in screen_text(pilot)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("query", ["error:exploded", "late", "error_kind=crash"])
async def test_a_filter_follows_what_comes(tmp_path: Path, query: str, confirmed: bool) -> None:
    """Typed or confirmed, it shows what has come since; only answers need the reading that enter asks for."""
    sample = Sample(
        Library(tmp_path / "data"),
        "abc234",
        "live",
        [f"q{n}" for n in range(6)],
        backend="chat",
        remote=False,
    )
    bad = {"error_kind": "crash", "error": "it exploded late"}
    try:
        sample.start(0)
        sample.finish(0, JobState.FAILED, **bad)
        async with opened(Library(tmp_path / "data"), "abc234") as (pilot, screen):
            await pilot.press("slash", *query, *(["enter"] if confirmed else []))
            if confirmed or "=" not in query:
                await until(pilot, lambda: list(screen.table.numbers) == [0])
            for n in (2, 3):
                sample.start(n)
                sample.finish(n, JobState.FAILED, **bad)
            sample.start(4)
            sample.finish(4, raw_response="fine")
            if confirmed or "=" not in query:
                await until(pilot, lambda: list(screen.table.numbers) == [0, 2, 3])
            else:
                await until(pilot, lambda: "enter reads the answers" in screen_text(pilot))
    finally:
        sample.close()


async def test_a_filter_that_makes_no_sense_says_so(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("slash")
        screen.query_one("#filter").value = "colour=red"  # type: ignore[attr-defined]
        await until(pilot, lambda: 'unknown field "colour"' in screen_text(pilot))


async def test_failed_only_keeps_the_cursor_on_its_job(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        screen.table.select(102)
        await pilot.press("f")
        assert list(screen.table.numbers) == [5, 102, 199, 296, 393, 490, 587]
        assert screen.table.current() == 102
        await pilot.press("f")
        assert screen.table.current() == 102
        await pilot.press("s", "S")
        assert screen.table.current() == 102


async def test_marked_jobs_are_retried_and_cancelled(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("f", "space", "space", "r")
        await until(pilot, lambda: 'Retry 2 jobs of "eval-may-full"?' in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: commands(library, "k7fq2m"))
        assert commands(library, "k7fq2m") == [("retry", {"jobs": ["a1-00005", "a1-00102"]})]
        assert screen.table.marked == set()
        await pilot.press("f", "G", "space", "x")
        await until(pilot, lambda: 'Cancel job "a1-01199"?' in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: len(commands(library, "k7fq2m")) == 2)
        assert commands(library, "k7fq2m")[1] == ("cancel", {"jobs": ["a1-01199"]})


async def test_enter_reads_the_result(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ResultScreen))
        await until(pilot, lambda: "1.1 GWh" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))


async def test_the_log_tells_the_batch(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await pilot.press("t")
        await until(pilot, lambda: "submission 2 was taken as msgbatch_01Mkb" in screen_text(pilot))
        await pilot.press("slash", *"a1-00587", "enter")
        await until(pilot, lambda: "429 rate limited, retry after 587 s" in screen_text(pilot))
        await pilot.press("W", "f", "g")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
