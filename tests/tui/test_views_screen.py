"""Tables and pictures over a batch, by keyboard."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from batchtui.results.views import registry
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.pick import Pick
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.composing.dialogs import AskPath
from batchtui.tui.screens.reading.compare import CompareScreen
from batchtui.tui.screens.reading.pair import PairScreen
from batchtui.tui.screens.reading.result import ResultScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from tests.results.views.view_samples import answers, make, sweep
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until


@pytest.fixture
def few(tmp_path: Path) -> Library:
    library = Library(tmp_path / "data")
    sweep(library)
    return library


def an_app(library: Library, name: str = "sweep") -> BatchtuiApp:
    return app_over(library, open_batch=library.find(name).id)


def views(pilot: Pilot[None]) -> ViewsScreen:
    assert isinstance(pilot.app, BatchtuiApp)
    screen = pilot.app.front()
    assert isinstance(screen, ViewsScreen)
    return screen


async def opened(pilot: Pilot[None], *keys: str) -> ViewsScreen:
    """The views of the batch, the first one read."""
    await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
    await pilot.press(*keys, "v")
    await until(pilot, lambda: isinstance(pilot.app.screen, ViewsScreen))
    screen = views(pilot)
    await until(pilot, lambda: screen._view is not None and not screen._words)
    return screen


async def shows(pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: words in screen_text(pilot))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
async def test_from_the_batch_to_every_view(few: Library, size: tuple[int, int]) -> None:
    app = an_app(few)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await shows(pilot, "site-00")
        for title in ("Plot", "Histogram", "Duration curve", "Table"):
            await pilot.press("tab")
            await until(
                pilot, lambda title=title: screen._name == title.split()[0].lower() and not screen._words
            )
            if title != "Table":
                await until(pilot, lambda: any(char in screen_text(pilot) for char in "┤█"))
        await pilot.press("shift+tab")
        await shows(pilot, "Duration curve of")


async def test_columns_are_chosen_by_keyboard(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("x")
        assert any("no columns to choose" in words for _, words in app.notes)
        await pilot.press("tab")
        await shows(pilot, "place in the batch")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press(*"gcr", "enter")
        await shows(pilot, "summary.annual_mwh over gcr")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press("down", "enter")
        await until(pilot, lambda: screen._view is not None and screen._view.axes == ("gcr", "gcr"))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press(*"histo", "enter")
        await shows(pilot, "Histogram of")


async def test_picture_and_table_change_places(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "j")
        await pilot.press("tab")
        await until(pilot, lambda: screen.picture.display and not screen.table.display)
        await pilot.press("enter")  # the rows first
        assert screen.table.display
        await pilot.press("p")
        assert screen.picture.display
        await pilot.press("p")
        assert screen.table.display
        assert not screen.picture.display
        assert app.focused is screen.table
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: screen.size.width == 140)
        await pilot.press("p")
        await until(pilot, lambda: screen.picture.display and screen.table.display)


async def test_sort_filter_and_read(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("right", "s")
        await shows(pilot, "by summary.annual_mwh, largest first")
        assert screen.table.numbers[0] == 17
        await pilot.press("S")
        assert screen.table.numbers[0] == 0
        await pilot.press("slash", *"gcr>0.4 !site-19", "enter")
        await shows(pilot, "of 18 rows")
        rows = screen._view.table.rows if screen._view else []
        assert [rows[n][0] for n in screen.table.numbers] == [
            f"site-{n}" for n in (11, 12, 14, 15, 16, 17, 18)
        ]
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, ResultScreen))
        await shows(pilot, "site-12")
        await pilot.press("n")
        await shows(pilot, "site-14")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("escape")  # the filter first
        assert screen.is_current
        assert screen.query_one(Input).value == ""
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))


@pytest.mark.parametrize("ending", ["csv", "svg"])
async def test_a_view_is_written(few: Library, tmp_path: Path, ending: str) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, AskPath))
        app.screen.query_one(Input).value = str(tmp_path / f"out.{ending}")
        await pilot.press("enter")
        await until(pilot, lambda: any("18 rows written" in words for _, words in app.notes))
    assert (tmp_path / f"out.{ending}").stat().st_size > 100


async def test_a_faulty_ending_is_told(few: Library, tmp_path: Path) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, AskPath))
        app.screen.query_one(Input).value = str(tmp_path / "out.xlsx")
        await pilot.press("enter")
        await until(pilot, lambda: any("may end in" in words for _, words in app.notes))


async def test_two_marked_jobs_side_by_side(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("space", "j", "space", "C")
        await until(pilot, lambda: isinstance(app.screen, ViewsScreen))
        await shows(pilot, "site-02 less site-00")
        await shows(pilot, "output.summary.annual_mwh")
        await pilot.press("enter")
        assert any("no single job" in words for _, words in app.notes)
        await pilot.press("a")
        await shows(pilot, "18 rows")


async def test_one_job_marked_is_told(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("space", "C")
        assert any("mark two jobs" in words for _, words in app.notes)


async def test_from_a_result_its_own_fields(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, ResultScreen))
        await pilot.press("v")
        await shows(pilot, "Fields of site-01")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
async def test_two_batches_by_largest_difference(few: Library, size: tuple[int, int]) -> None:
    sweep(few, "again", loss=3)
    answers(few)
    app = an_app(few)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press(*"again", "enter")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        await shows(pilot, "again less sweep")
        await shows(pilot, "site-19")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press(*"annual", "enter")
        await shows(pilot, "again less sweep: summary.annual_mwh")
        await until(pilot, lambda: not views(pilot)._words)
        if not views(pilot).table.display:
            await pilot.press("p")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PairScreen))
        await shows(pilot, "site-19")


async def test_batches_without_a_common_job_say_so(few: Library) -> None:
    answers(few)
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press("enter")
        await shows(pilot, "have no job id in common")


async def test_keys_answer_while_a_view_is_read(few: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    held, build = threading.Event(), registry.build

    def slow(*arguments: object) -> object:
        assert held.wait(30)
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "build", slow)
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        await pilot.press("v")
        await shows(pilot, "reading …")
        await pilot.press("tab", "question_mark")
        await shows(pilot, "view.picture")
        await pilot.press("escape")
        held.set()
        await shows(pilot, "summary.annual_mwh over jobs")  # the newest counts


async def test_hostile_names_and_values_are_shown_clean(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    from tests.results.views.view_samples import completed

    bad = "\x1b]52;c;aGk=\x07[/nope][@click=app.quit]"
    make(library, f"n{bad}", [(f"j{n}{bad}", {bad: n}, completed(**{bad: {bad: n}})) for n in range(3)])
    app = app_over(library, open_batch=library.ids()[0])
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        for _ in range(4):
            await pilot.press("tab")
            await until(pilot, lambda: not screen._words)
            await pilot.pause()
            text = screen_text(pilot)
            assert "\x1b" not in text
            assert "\x07" not in text
            assert "[/nope]" in text


async def test_a_live_batch_says_that_results_came_since(few: Library) -> None:
    app = an_app(few)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen._finished -= 1
        screen.changed({screen.batch_id})
        await shows(pilot, "results came since; R reads them")
        await pilot.press("R")
        await until(pilot, lambda: "came since" not in screen_text(pilot))
