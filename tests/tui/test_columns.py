"""Columns of the lists: chosen and moved by keys, kept between runs, and left out by need where the width ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from batchtui.config import load_settings, settings_path
from batchtui.model import Json
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.columns_dialog import ColumnsDialog
from batchtui.tui.widgets.tables import batch_table, job_table
from batchtui.tui.widgets.tables.columns import Column, chosen, fitting, to_keep, wanted
from tests.tui.samples import app_over
from tests.tui.test_batch_screen import opened
from tests.tui.test_batches_screen import at
from tests.tui.waiting import screen_text, until

ABC = (
    Column("mark", "", 2),
    *(Column(key, key.upper(), 5, drop, about="x") for drop, key in enumerate("abc")),
)


def head(pilot: Pilot[None], title: str) -> list[str]:
    """The titles of the list that is on the screen."""
    line = next(line for line in screen_text(pilot).splitlines() if title in line.split())
    return line.strip("│ ").split()


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (None, "abc"),
        (["c", "-a"], "cb"),
        (["b", "unknown", "b", 7, "-mark"], "bac"),
        ("abc", "abc"),
        (["-a", "-b", "-c"], "abc"),
    ],
)
def test_what_is_kept_may_be_of_another_version_or_by_hand(kept: Json, shown: str) -> None:
    assert "".join(column.key for column in wanted(ABC, kept)) == "mark" + shown
    assert wanted(ABC, to_keep(chosen(ABC, kept))) == wanted(ABC, kept)


def test_the_least_needed_goes_first_wherever_it_stands() -> None:
    moved = wanted(ABC, ["c", "a", "b"])
    assert [c.key for c in fitting(moved, 12)] == ["mark", "a", "b"]
    assert [c.key for c in fitting(moved, 3)] == ["mark", "a"]


@pytest.mark.parametrize("columns", [batch_table.COLUMNS, job_table.COLUMNS])
def test_every_column_but_the_marks_says_what_it_tells(columns: Sequence[Column]) -> None:
    assert [column.key for column in columns if not column.about] == ["mark"]
    assert len({column.key for column in columns}) == len(columns)


async def test_every_column_has_a_cell(library: Library) -> None:
    app = app_over(library, open_batch="k7fq2m")
    async with app.run_test(size=(200, 40)) as pilot:
        await until(pilot, lambda: "ERROR / FIRST LINE" in screen_text(pilot))
        assert {"JOB", "STATE", "TRY", "TIME", "TOK"} <= set(head(pilot, "TRY"))
        await pilot.press("escape")
        await until(
            pilot,
            lambda: (
                {c.title for c in batch_table.COLUMNS if c.title and c.key != "expires"}
                <= set(head(pilot, "NAME"))
            ),
        )


async def test_batches_columns_are_hidden_moved_and_kept(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, "k7fq2m")
        before = head(pilot, "NAME")
        assert before[:3] == ["ID", "NAME", "BACKEND"]
        await pilot.press("o")
        await until(pilot, lambda: "Columns of the batches" in screen_text(pilot))
        await pilot.press("space", "down", "down", "shift+up", "enter")
        await until(pilot, lambda: not isinstance(app.screen, ColumnsDialog))
        assert head(pilot, "NAME")[:3] == ["BACKEND", "NAME", "STATE"]
        assert app.batches_screen().table.current() == "k7fq2m"
        config = app.config
    assert load_settings(settings_path(config.path))["ui"]["columns"]["batches"][:3] == [
        "-id",
        "backend",
        "name",
    ]
    again = BatchtuiApp(config, library.data_dir, worker=False, now=app.now)
    async with again.run_test(size=(80, 24)) as pilot:
        await at(pilot, "k7fq2m")
        assert head(pilot, "NAME")[:3] == ["BACKEND", "NAME", "STATE"]
        await pilot.press("o", "r", "enter")
        assert head(pilot, "NAME") == before


async def test_jobs_columns_hold_in_every_batch_and_escape_changes_nothing(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("o", "space", "escape")
        assert "JOB" in head(pilot, "STATE")
        await pilot.press("o", *["down"] * 2, "space", "down", *["K"] * 3, "enter")
        assert head(pilot, "STATE")[:4] == ["TIME", "JOB", "STATE", "TOK"]
        await pilot.press("s", "s", "s")
        assert head(pilot, "TOK")[:2] == ["TIME", "JOB▴"]
        await pilot.press("escape")
        assert isinstance(pilot.app, BatchtuiApp)
        pilot.app.open_batch("c9m4hn")
        await until(pilot, lambda: pilot.app.screen is not screen and "TOK" in screen_text(pilot))
        assert head(pilot, "STATE")[:4] == ["TIME", "JOB", "STATE", "TOK"]


async def test_the_last_column_stays(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await pilot.press("o", *["space", "down"] * 7, "enter")
        assert "ERROR / FIRST LINE" in screen_text(pilot)


async def test_the_users_own_configuration_wins(library: Library) -> None:
    app = app_over(library)
    app.config.ui = {"columns": {"batches": ["name", "-id"]}}
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, "k7fq2m")
        assert head(pilot, "NAME")[:2] == ["NAME", "BACKEND"]


async def test_the_palette_finds_it(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        await pilot.press("ctrl+p", *"which columns")
        await until(pilot, lambda: "Columns" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ColumnsDialog))
