"""Marks in lists: one by one, up to the cursor, and along with it; always of what is shown."""

from __future__ import annotations

from batchtui.store.library import Library
from batchtui.tui.widgets.tables.marks import Marks
from tests.tui.samples import app_over
from tests.tui.test_batch_screen import opened
from tests.tui.test_batches_screen import at, commands
from tests.tui.test_what_keys_act_on import narrow, said
from tests.tui.waiting import screen_text, until


def test_a_stretch_shrinks_on_its_way_back_and_leaves_what_was_marked_before() -> None:
    marks = Marks[int]()
    rows = range(10)
    marks.turn(3)
    marks.extend(rows, 2, 3)
    marks.extend(rows, 3, 4)
    assert marks.chosen == {2, 3, 4}
    marks.extend(rows, 4, 3)
    marks.extend(rows, 3, 2)
    marks.extend(rows, 2, 1)
    assert marks.chosen == {1, 2, 3}
    marks.extend(rows, 8, 9)
    assert marks.chosen == {1, 2, 3, 8, 9}


def test_the_last_mark_is_one_that_still_stands() -> None:
    marks = Marks[str]()
    assert not marks.reach("abcdef", 3)
    marks.turn("b")
    assert not marks.reach("acdef", 3)
    assert marks.reach("abcdef", 4)
    assert marks.chosen == set("bcde")
    marks.turn("e")
    assert not marks.reach("abcdef", 0)
    marks.turn("f")
    assert marks.reach("abcdef", 4)
    assert marks.chosen == set("bcdef")


async def test_jobs_up_to_the_cursor_are_marked_and_retried(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("V")
        assert "space marks a row, then V" in said(pilot)
        await pilot.press("f", "space", "j", "j", "V")
        assert sorted(screen.table.marked) == [5, 102, 199, 296]
        await until(pilot, lambda: "4 marked" in screen_text(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "Retry 4 jobs" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: commands(library, "k7fq2m"))
        assert commands(library, "k7fq2m") == [
            ("retry", {"jobs": ["a1-00005", "a1-00102", "a1-00199", "a1-00296"]})
        ]


async def test_what_a_filter_hides_is_not_marked(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, _):
        screen = await narrow(pilot, "status:failed", 7)
        await pilot.press("g", "space", "G", "ctrl+@")
        assert sorted(screen.table.marked) == [5, 102, 199, 296, 393, 490, 587]


async def test_batches_are_marked_along_with_the_cursor(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        screen = await at(pilot, "e2t6pk")
        await pilot.press("shift+down", "shift+down")
        assert screen.table.marked == {"e2t6pk", "f4y7sc", "k7fq2m"}
        await pilot.press("shift+up")
        assert screen.table.marked == {"e2t6pk", "f4y7sc"}
        assert screen.table.current() == "f4y7sc"
        await pilot.press("U", "space", "j", "V")
        assert screen.table.marked == {"f4y7sc", "k7fq2m", "d5r8vz"}


async def test_the_palette_marks_up_to_the_cursor(library: Library) -> None:
    async with opened(library, "k7fq2m") as (pilot, screen):
        await pilot.press("space", "j", "ctrl+p", *"mark to here")
        await until(pilot, lambda: "Mark to here" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: sorted(screen.table.marked) == [0, 1, 2])
