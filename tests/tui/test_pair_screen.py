"""Two batches compared row by row: both values in sight, both answers side by side, and which is better by a key."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.model import JobState, Outcome
from batchtui.store.files import labels
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.look.word_diff import word_diff
from batchtui.tui.screens.reading.compare import CompareScreen
from batchtui.tui.screens.reading.pair import PairScreen
from tests.results.views.view_samples import a_library, failed, make
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until

LONG = "The amounts add up to the total that is stated at the end of the report that was read"


def said(words: str, cost: float) -> Outcome:
    return Outcome(state=JobState.COMPLETED, raw_response=words, cost_usd=cost)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Library, BatchFolder, BatchFolder]:
    library = a_library(tmp_path)
    one = make(
        library,
        "small",
        [("a", {}, said(f"{LONG}, yes", 0.1)), ("b", {}, said("red", 0.1)), ("c", {}, said("six cats", 0.1))],
    )
    two = make(
        library,
        "large",
        [
            ("a", {}, said(f"{LONG}, no", 0.3)),
            ("b", {}, said("red", 0.3)),
            ("c", {}, said("a few dogs", 0.3)),
        ],
    )
    return library, one, two


async def compared(pilot: Pilot[None], one: BatchFolder, two: BatchFolder) -> CompareScreen:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    await until(pilot, lambda: app.batches_screen().table.ids)
    screen = CompareScreen(one.id, two.id)
    await app.push_screen(screen)
    await until(pilot, lambda: "alike" in screen_text(pilot) and "verdict" in screen_text(pilot))
    return screen


async def test_both_answers_are_in_sight_at_80_columns_the_most_different_first(
    two: tuple[Library, BatchFolder, BatchFolder],
) -> None:
    library, first, second = two
    async with app_over(library).run_test(size=(80, 24)) as pilot:
        await compared(pilot, first, second)
        lines = screen_text(pilot).splitlines()
        head = next(line for line in lines if "alike" in line and "job" in line)
        assert head.split() == ["job", "alike", "(%)", "small", "large", "verdict"]
        rows = [line for line in lines if line.lstrip()[:2] in ("a ", "b ", "c ")]
        assert [row.split()[:2] for row in rows] == [["c", "0"], ["a", "95"], ["b", "100"]]
        assert "six cats" in rows[0]
        assert "a few dogs" in rows[0]
        assert rows[1].count("The amounts add") == 2
        assert "same" in rows[2]
        await until(pilot, lambda: "cost $0.30, then $0.90" in screen_text(pilot))


async def test_enter_shows_both_side_by_side_and_keys_say_which_is_better(
    two: tuple[Library, BatchFolder, BatchFolder],
) -> None:
    library, first, second = two
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await compared(pilot, first, second)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PairScreen) and "0% alike" in screen_text(pilot))
        line = next(line for line in screen_text(pilot).splitlines() if "six cats" in line)
        assert "a few dogs" in line
        await pilot.press("b")
        await until(pilot, lambda: "95% alike" in screen_text(pilot) and "2 of 3" in screen_text(pilot))
        await pilot.press("w")
        await until(pilot, lambda: "3 of 3   the same" in screen_text(pilot))
        assert labels.read(second.path).verdicts == {first.id: {"c": "better", "a": "worse"}}
        await pilot.press("p", "w")
        await until(pilot, lambda: labels.read(second.path).verdicts == {first.id: {"c": "better"}})
        await pilot.press("escape")
        await until(pilot, lambda: "better 1" in screen_text(pilot))


async def test_numbers_of_two_batches_are_both_in_sight_at_80_columns(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    words = "word " * 40
    first = make(library, "p-demo-small", [(f"{n}", {}, said(f"{words}{n}", 0.001 + n)) for n in range(3)])
    second = make(library, "p-demo-large", [(f"{n}", {}, said(f"{n}{words}", 0.002 + n)) for n in range(3)])
    async with app_over(library).run_test(size=(80, 24)) as pilot:
        await compared(pilot, first, second)
        await pilot.press("tab")
        await until(pilot, lambda: "difference" in screen_text(pilot))
        head = next(line for line in screen_text(pilot).splitlines() if "field" in line and "job" in line)
        assert head.split() == ["job", "field", "p-demo-small", "p-demo-large", "difference"]


async def test_a_job_that_failed_on_one_side_says_so(tmp_path: Path) -> None:
    library = a_library(tmp_path)
    first = make(library, "small", [("a", {}, said("yes", 0.1)), ("b", {}, said("yes", 0.1))])
    second = make(library, "large", [("a", {}, said("no", 0.1)), ("b", {}, failed())])
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await compared(pilot, first, second)
        await until(pilot, lambda: "failed" in screen_text(pilot))
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(app.screen, PairScreen) and "alike" in screen_text(pilot))


def test_words_that_differ_are_set_off_on_either_side() -> None:
    one, other = word_diff("The cat, red", "The dog, red")
    assert [one.plain[span.start : span.end] for span in one.spans] == ["cat"]
    assert [other.plain[span.start : span.end] for span in other.spans] == ["dog"]


def test_equal_and_very_long_texts_are_left_as_they_are() -> None:
    assert word_diff("a b", "a b")[0].spans == []
    assert word_diff("a " * 9000, "b")[0].spans == []
