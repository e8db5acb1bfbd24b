"""A key does what is on the screen: to what is marked, else shown; where a filter hides some, both counts are asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from batchtui.model import JOB_STATES, JobState
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.tui.actions.scope import scope_of
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.models.answer_search import AnswerSearch
from batchtui.tui.screens.asking.dialogs import Choose, Confirm
from batchtui.tui.screens.asking.export_dialog import ExportDialog
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from tests.tui.samples import app_over
from tests.tui.test_batch_screen import opened
from tests.tui.test_batches_screen import at, commands
from tests.tui.waiting import screen_text, until

FAILED = ["a1-00005", "a1-00102", "a1-00199", "a1-00296", "a1-00393", "a1-00490", "a1-00587"]
SHOWN = ["a1-00102", "a1-00199"]
"""Of the failed ones those that the filter `id:a1-001` shows."""


async def narrow(pilot: Pilot[None], query: str, count: int) -> BatchScreen:
    screen = pilot.app.screen
    assert isinstance(screen, BatchScreen)
    await pilot.press("slash", *query, "enter")
    await until(pilot, lambda: len(screen.table.numbers) == count)
    await until(pilot, lambda: screen._search and screen._search.found is not None)
    return screen


def said(pilot: Pilot[None]) -> str:
    assert isinstance(pilot.app, BatchtuiApp)
    return pilot.app.notes[-1][1] if pilot.app.notes else ""


@pytest.mark.parametrize(
    ("keys", "sent"), [(["enter"], SHOWN), (["down", "enter"], FAILED), (["escape"], None)]
)
async def test_retry_under_a_filter_names_both_counts(
    library: Library, keys: list[str], sent: list[str] | None
) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await narrow(pilot, "id:a1-001", 100)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        text = screen_text(pilot)
        assert "Retry 2 of 7 jobs?" in text
        assert "The 2 shown" in text
        assert "All 7" in text
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
        assert commands(library, "k7fq2m") == ([("retry", {"jobs": sent})] if sent else [])


async def test_a_filter_that_hides_every_failure_does_nothing_but_words(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await narrow(pilot, "id:a1-0000 !error:rate", 9)
        await pilot.press("r")
        assert "none of the jobs shown" in said(pilot)
        assert "7 failed" in said(pilot)
        await pilot.press("x")
        assert "600 processing" in said(pilot)
        assert isinstance(pilot.app.screen, BatchScreen)
    assert commands(library, "k7fq2m") == []


async def test_a_key_that_comes_before_the_answers_are_read_acts_on_what_is_found(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, read = threading.Event(), AnswerSearch.read

    def slow(search: AnswerSearch, folder: BatchFolder, cancelled: Callable[[], bool]) -> object:
        assert go.wait(60)
        return read(search, folder, cancelled)

    monkeypatch.setattr(AnswerSearch, "read", slow)
    async with opened(library, "k7fq2m") as (pilot, _):
        screen = pilot.app.screen
        assert isinstance(screen, BatchScreen)
        await pilot.press("slash", *"id:a1-001", "enter")
        await until(pilot, lambda: screen._search and screen._search.reading)
        await pilot.press("r")
        await until(pilot, lambda: "still being read" in said(pilot))
        assert pilot.app.screen is screen
        go.set()
        await until(pilot, lambda: "Retry 2 of 7 jobs?" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert commands(library, "k7fq2m") == []


async def test_only_failures_shown_are_all_of_them(library: Library) -> None:
    """`f` hides what did not fail, so there is nothing to choose; what it may cost is asked."""
    async with opened(library, "k7fq2m") as (pilot, _):
        await pilot.press("f", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await until(pilot, lambda: 'Retry 7 jobs of "eval-may-full"?' in screen_text(pilot))
        await pilot.press("enter")  # the cautious answer is the first
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
        assert commands(library, "k7fq2m") == []


async def test_marked_jobs_that_a_filter_hides_are_asked_for(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("f", "ctrl+a")
        assert len(screen.table.marked) == 7
        await narrow(pilot, "id:a1-001", 2)
        await pilot.press("r")
        await until(pilot, lambda: "Retry 2 of 7 marked jobs?" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: commands(library, "k7fq2m"))
        assert commands(library, "k7fq2m") == [("retry", {"jobs": SHOWN})]


async def test_what_changed_while_it_was_asked_is_left_alone(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await narrow(pilot, "id:a1-001", 100)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        assert screen.folder
        screen.folder.progress.states[102] = JOB_STATES.index(JobState.PENDING)
        await pilot.press("enter")
        await until(pilot, lambda: commands(library, "k7fq2m"))
        assert commands(library, "k7fq2m") == [("retry", {"jobs": ["a1-00199"]})]
        assert "1 job changed meanwhile and is left alone" in said(pilot)


@pytest.mark.parametrize(("keys", "sent"), [(["enter"], 100), (["down", "enter"], 0), (["escape"], None)])
async def test_cancel_under_a_filter_names_both_counts(
    library: Library, keys: list[str], sent: int | None
) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await narrow(pilot, "id:a1-007", 100)
        await pilot.press("x")
        await until(pilot, lambda: "Cancel 100 of 600 jobs?" in screen_text(pilot))
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
        found = commands(library, "k7fq2m")
        assert [name for name, _ in found] == ([] if sent is None else ["cancel"])
        assert [len(args.get("jobs", [])) for _, args in found] == ([] if sent is None else [sent])


@pytest.mark.parametrize(
    ("marks", "keys", "label", "lines"),
    [
        (0, [], "the 100 shown", 100),
        (0, ["down"], "the 100 shown", 1200),
        (1, [], "the 1 marked", 1),
        (1, ["down"], "all 1,200", 1200),
    ],
)
async def test_the_file_holds_what_was_chosen(
    library: Library, tmp_path: Path, marks: int, keys: list[str], label: str, lines: int
) -> None:
    target = tmp_path / "out.jsonl"
    async with opened(library, "k7fq2m") as (pilot, _):
        await narrow(pilot, "id:a1-001", 100)
        await pilot.press(*["space"] * marks, "e")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportDialog))
        await until(pilot, lambda: label in screen_text(pilot))
        await until(pilot, lambda: "all 1,200" in screen_text(pilot))
        pilot.app.screen.query_one(Input).value = str(target)
        await pilot.press(*keys, "enter")
        await until(pilot, lambda: "wrote" in said(pilot))
    found = [json.loads(line)["job_id"] for line in target.read_text().splitlines()]
    assert len(found) == lines
    assert found == sorted(found)
    assert lines == 1200 or all(job_id.startswith("a1-001") for job_id in found)


async def test_a_filter_that_shows_nothing_exports_nothing(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await narrow(pilot, "id:nowhere", 0)
        await pilot.press("e")
        assert "the filter shows no job" in said(pilot)
        assert isinstance(pilot.app.screen, BatchScreen)


async def test_work_that_costs_nothing_is_retried_without_a_word(library: Library) -> None:
    async with opened(library, "c9m4hn") as (pilot, _):
        await pilot.press("r")
        await until(pilot, lambda: commands(library, "c9m4hn"))
        assert commands(library, "c9m4hn") == [("retry", {"jobs": ["line-7", "line-31"]})]


async def test_marked_batches_that_the_filter_hides_are_asked_for(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        for batch_id in ("c9m4hn", "g8u3jd"):
            await at(pilot, batch_id)
            await pilot.press("space")
        await pilot.press("slash", *"invoices", "enter", "z")
        await until(pilot, lambda: "Archive 1 of 2 marked batches?" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: commands(library, "g8u3jd"))
        assert commands(library, "c9m4hn") == []
        await pilot.press("escape", "slash", *"site-sweep", "enter", "z")
        assert "are hidden" in said(pilot)
    assert commands(library, "b3xw9t") == []


async def test_marked_batches_are_tagged_and_exported(library: Library, tmp_path: Path) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        for batch_id in ("c9m4hn", "g8u3jd"):
            await at(pilot, batch_id)
            await pilot.press("space")
        await pilot.press("T")
        await until(pilot, lambda: "Tag 2 batches" in screen_text(pilot))
        await pilot.press(*"good !draft", "enter")
        await until(pilot, lambda: commands(library, "g8u3jd"))
        tags = ("tag", {"add": ["good"], "remove": ["draft"]})
        assert commands(library, "c9m4hn") == commands(library, "g8u3jd") == [tags]
        await pilot.press("e")
        await until(pilot, lambda: "Export 2 marked batches" in screen_text(pilot))
        app.screen.query_one(Input).value = str(tmp_path / "*.csv")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "n-1-contingency.csv").exists())
        await until(pilot, lambda: (tmp_path / "invoices-2026-10.csv").exists())


@pytest.mark.parametrize(
    ("listed", "marked", "meant", "shown"),
    [
        (range(5), set(), [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ([4, 1], set(), [0, 1, 2, 3, 4], [1, 4]),
        ([4, 1], {1, 2}, [1, 2], [1]),
        ([], {2}, [2], []),
    ],
)
def test_scope(listed: list[int], marked: set[int], meant: list[int], shown: list[int]) -> None:
    scope = scope_of(5, listed, marked)
    assert (list(scope.meant), list(scope.shown), scope.hides) == (meant, shown, len(shown) < len(meant))


@pytest.mark.parametrize(("marks", "words"), [(0, "100 of 1,200 jobs"), (2, "2 of 1,200 jobs")])
async def test_views_are_over_what_is_marked_or_shown(library: Library, marks: int, words: str) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await narrow(pilot, "id:a1-001", 100)
        await pilot.press(*["space"] * marks, "v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ViewsScreen))
        view = pilot.app.screen
        assert isinstance(view, ViewsScreen)
        await until(pilot, lambda: words in screen_text(pilot) and view._view)
        assert view._view
        held = {str(row[0]) for row in view._view.table.rows}
        assert held
        assert all(job_id.startswith("a1-001") for job_id in held)
        assert len(held) <= (marks or 100)
        await pilot.press("a")
        await until(pilot, lambda: view._view and len(view._view.table.rows) == 593)
        assert words not in screen_text(pilot)


async def test_a_batch_is_renamed_where_the_name_is_free(library: Library) -> None:
    async with app_over(library).run_test() as pilot:
        await at(pilot, "c9m4hn")
        for name, sent in (("invoices-2026-10", []), ("grids", [("rename", {"name": "grids"})])):
            await pilot.press("N")
            await until(pilot, lambda: "Rename" in screen_text(pilot))
            pilot.app.screen.query_one(Input).value = name
            await pilot.press("enter")
            await until(pilot, lambda: "is free" in said(pilot) or commands(library, "c9m4hn"))
            assert commands(library, "c9m4hn") == sent
