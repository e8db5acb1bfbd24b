"""The list of batches: it lives, the cursor stays, and every action asks or answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from batchtui.errors import NotFound
from batchtui.store.disk import clock
from batchtui.store.files import inbox
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Ask, Choose, Confirm
from batchtui.tui.screens.asking.export_dialog import ExportDialog
from batchtui.tui.screens.asking.limit_dialog import LimitDialog
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.batches import BatchesScreen
from tests.tui.samples import NOW, Sample, app_over
from tests.tui.waiting import screen_text, until


def commands(library: Library, batch_id: str) -> list[tuple[str, dict[str, object]]]:
    return [(c.command, c.args) for _, c in inbox.read(library.path(batch_id), 0) if c]


async def at(pilot: Pilot[None], batch_id: str) -> BatchesScreen:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    screen = app.batches_screen()
    await until(pilot, lambda: screen.table.ids)
    screen.select(batch_id)
    await pilot.pause()
    return screen


async def test_all_batches_are_there_with_their_state(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await at(pilot, "k7fq2m")
        assert screen.table.ids == ["e2t6pk", "f4y7sc", "k7fq2m", "d5r8vz", "b3xw9t", "c9m4hn", "g8u3jd"]
        text = screen_text(pilot)
        for words in (
            "▸ processing",
            "? needs you",
            "‖ paused",
            "✓ completed",
            "600/1,200",
            "$0.24 of $5.00",
            "1 needs you",
        ):
            assert words in text
        assert "rate limited, retry after" in text  # the digest of errors
        assert "old-run" not in text
        await pilot.press("Z")
        await until(pilot, lambda: "old-run" in screen_text(pilot))


async def test_what_changes_is_shown_and_the_cursor_stays(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        screen = await at(pilot, "b3xw9t")
        newer = Sample(library, "zz9new", "newcomer", ["a"], age=10)
        newer.close()
        await until(pilot, lambda: "zz9new" in screen.table.ids)
        assert screen.table.current() == "b3xw9t"
        await pilot.press("s", "s", "S")
        assert screen.table.current() == "b3xw9t"
        library.remove("zz9new")
        await until(pilot, lambda: "zz9new" not in screen.table.ids)
        assert screen.table.current() == "b3xw9t"


async def test_a_cost_that_nobody_knows_is_told_from_none(tmp_path: Path) -> None:
    made = Library(tmp_path)
    for name, price, estimate in (("paid", 0.5, None), ("unknown", None, None), ("free", None, 0.0)):
        sample = Sample(made, f"{name}1", name, ["a"], estimated=estimate)
        sample.finish(0, cost_usd=price)
        sample.close()
    Sample(made, "new1", "new", ["a"]).close()
    app = app_over(made)
    async with app.run_test(size=(160, 40)) as pilot:
        table = app.batches_screen().table
        await until(pilot, lambda: len(table.ids) == 4)
        shown = {status.id: table._value("cost", status)[0] for status in app.link.statuses()}
        assert shown == {"paid1": "0.50", "unknown1": "?", "free1": "-", "new1": "-"}


async def test_filter(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        screen = await at(pilot, "k7fq2m")
        await pilot.press("slash", *"openai")
        assert screen.table.ids == ["d5r8vz", "g8u3jd"]
        await pilot.press("enter", "q")  # the list has the focus again: q quits
        await until(pilot, lambda: not app.is_running)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("state:failed", {"k7fq2m", "c9m4hn"}),
        ("state:needs", {"d5r8vz"}),
        ("!completed backend:daly", {"b3xw9t"}),
        ("state:paused", {"f4y7sc"}),
        ("nothing-like-it", set()),
    ],
)
async def test_filter_words(library: Library, query: str, ids: set[str]) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        screen = await at(pilot, "k7fq2m")
        screen.query_one("#filter", Input).value = query
        await until(pilot, lambda: set(screen.table.ids) == ids)
        screen.back()
        screen.action_list_filter()
        screen.back()
        await until(pilot, lambda: len(screen.table.ids) == 7)


async def test_cancel_asks_and_no_is_the_default(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        await at(pilot, "k7fq2m")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        assert commands(library, "k7fq2m") == []
        await pilot.press("x", "y")
        await until(pilot, lambda: commands(library, "k7fq2m"))
        assert commands(library, "k7fq2m") == [("cancel", {})]


async def test_marks_pause_and_retry(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        screen = await at(pilot, "e2t6pk")
        await pilot.press("space")
        assert screen.table.marked == {"e2t6pk"}
        await at(pilot, "b3xw9t")
        await pilot.press("space", "p")
        assert commands(library, "e2t6pk") == commands(library, "b3xw9t") == [("pause", {})]
        await pilot.press("U")
        assert screen.table.marked == set()
        await at(pilot, "f4y7sc")
        await pilot.press("p")
        assert commands(library, "f4y7sc") == [("resume", {})]
        await at(pilot, "c9m4hn")
        await pilot.press("r")
        assert commands(library, "c9m4hn") == [("retry", {})]


async def test_what_needs_a_person_is_settled(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        await at(pilot, "d5r8vz")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await until(pilot, lambda: "its answer was lost" in screen_text(pilot))
        await pilot.press("down", "enter")  # behind a look at the backend: the most cautious comes first
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"batch_x", "enter")
        await until(pilot, lambda: commands(library, "d5r8vz"))
        assert commands(library, "d5r8vz") == [
            ("resolve", {"action": "adopt", "submission": 1, "remote_id": "batch_x"})
        ]


async def test_a_spent_budget_is_raised_where_it_is_settled(library: Library) -> None:
    spent = Sample(library, "zz9new", "spent", ["a", "b"], age=10)
    spent.record("attention", kind="budget", text="the cost limit holds back 2 jobs", actions=["limit"])
    spent.close()
    app = app_over(library)
    async with app.run_test() as pilot:
        await at(pilot, "zz9new")
        await until(pilot, lambda: "no budget" in screen_text(pilot))
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LimitDialog))
        await pilot.press(*"much", "enter")
        await until(pilot, lambda: "expected an amount in US dollars" in screen_text(pilot))
        assert commands(library, "zz9new") == []
        await pilot.press("ctrl+u", *"7.5", "tab", *"5s", "enter")
        await until(pilot, lambda: "from 10s to 24h" in screen_text(pilot))
        await pilot.press("ctrl+u", *"2h", "enter")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        assert commands(library, "zz9new") == [("limit", {"cost_usd": 7.5, "time": "2h"})]


async def test_archive_and_remove(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        screen = await at(pilot, "g8u3jd")
        await pilot.press("z")
        assert commands(library, "g8u3jd") == [("archive", {"on": True})]
        await pilot.press("D", "n")
        assert library.open("g8u3jd")
        await pilot.press("D", "y")
        await until(pilot, lambda: "g8u3jd" not in screen.table.ids)
        with pytest.raises(NotFound):
            library.open("g8u3jd")
        await at(pilot, "k7fq2m")
        await pilot.press("D")
        assert isinstance(app.screen, BatchesScreen)  # it still runs: refused with a word
        assert "cancel it first" in app.notes[-1][1]


async def test_export_writes_the_results(library: Library) -> None:
    app = app_over(library)
    target = library.data_dir / "out.jsonl"
    async with app.run_test() as pilot:
        await at(pilot, "c9m4hn")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists)
        await until(pilot, lambda: "wrote 40 results" in app.notes[-1][1])
    assert len(target.read_text().splitlines()) == 40


async def test_screens_by_number_and_back(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        await at(pilot, "c9m4hn")
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("4")
        await until(pilot, lambda: app.current_mode == "log")
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "batches")
        assert isinstance(app.screen, BatchScreen)
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press("escape", "escape", "escape")
        assert app.is_running


@pytest.mark.parametrize("size", [(40, 10), (60, 14), (69, 20), (80, 24), (119, 30), (120, 40), (200, 60)])
async def test_every_size_works(library: Library, size: tuple[int, int]) -> None:
    app = app_over(library)
    async with app.run_test(size=size) as pilot:
        screen = await at(pilot, "k7fq2m")
        await until(pilot, lambda: "k7fq2m" in screen_text(pilot))
        widths = sum(column.width for column in screen.table._columns_shown)
        assert widths <= screen.table.size.width or size[0] < 50
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert screen.table.current() == "k7fq2m"


async def test_while_you_were_away(library: Library) -> None:
    app = app_over(library)
    app.last_open = clock.stamp(NOW - 3 * 86400)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "Reopened after" in screen_text(pilot))
        await until(pilot, lambda: "ended" in screen_text(pilot))
        await pilot.press("escape")
        assert "Reopened after" not in screen_text(pilot)
