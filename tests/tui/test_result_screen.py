"""The reader: answers of every sort, stepped through, searched, copied; none takes long."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Markdown

from batchtui.engine.shared.pool import Backends
from batchtui.model import JobState
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.reading import result
from batchtui.tui.screens.reading.result import MarkdownPage, ResultScreen
from batchtui.tui.screens.reading.result_views import Page, page_of
from batchtui.tui.widgets.reading.json_tree import CHILDREN_LIMIT, JsonTree
from batchtui.tui.widgets.text_view import TextView
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import screen_text, until

SMALL, WIDE = (80, 24), (160, 48)
MARKDOWN = "# Yield\n\nIt is **4.1 GWh**, see [the report](https://example.org/report?a=b) or [this](file:///etc/passwd)."
PAINT_SECONDS = 1.0
"""Of the loop's own processor time, so that a busy machine neither hides a slow paint nor makes one."""
ROUNDS = 3
"""A paint that is slow is slow each time; a neighbour that takes the caches away does so once."""


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    ids = ["first", "bad", "waiting", "twice", "last"]
    sample = Sample(Library(tmp_path / "data"), "k7fq2m", "eval", ids, backend="local", remote=False)
    for n in (0, 1, 3, 4):
        sample.start(n)
    sample.finish(0, raw_response=MARKDOWN, finish_reason="stop")
    sample.finish(1, JobState.FAILED, error="429 rate limited", error_kind="rate_limit", cost_usd=None)
    sample.finish(3, JobState.INVALID, raw_response="{}", error="no total", error_kind="schema")
    sample.finish(3, raw_response='{"total": 7}', parsed_response={"total": 7}, tries=2)
    sample.finish(4, raw_response="the needle and another Needle\n" + "hay\n" * 100 + "needle")
    return sample


def an_app(sample: Sample) -> BatchtuiApp:
    sample.close()
    return app_over(Library(sample.folder.path.parent.parent))


def reader(app: BatchtuiApp) -> ResultScreen:
    assert isinstance(app.screen, ResultScreen)
    return app.screen


def shown(app: BatchtuiApp) -> str:
    return app.screen.query_one(TextView).plain


async def read(pilot: Pilot[None], number: int, numbers: list[int] | None = None) -> None:
    app = pilot.app
    assert isinstance(app, BatchtuiApp)
    app.read_result("k7fq2m", number, numbers or [0, 1, 2, 3, 4])
    await until(pilot, lambda: isinstance(app.screen, ResultScreen) and app.screen.result)


async def test_an_answer_is_plain_text_first(sample: Sample) -> None:
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 0)
        assert shown(app) == MARKDOWN
        text = screen_text(pilot)
        assert "eval > first" in text
        assert "1 of 5" in text
        assert "completed" in text
        assert "120 in 40 out" in text


async def test_next_and_previous_stay_within_the_list(sample: Sample) -> None:
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 3, [1, 3])
        await until(pilot, lambda: "2 of 2" in screen_text(pilot))
        await pilot.press("p")
        await until(pilot, lambda: "rate_limit: 429" in shown(app))
        await pilot.press("left")
        await until(pilot, lambda: any("first job" in words for _, words in app.notes))
        await pilot.press("right")
        await until(pilot, lambda: "total" in shown(app))


async def test_every_view_of_a_job(sample: Sample) -> None:
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 3)
        await pilot.press("2")
        await until(pilot, lambda: '"text": "row 3"' in shown(app))
        await pilot.press("3")
        await until(pilot, lambda: '"parsed_response"' in shown(app))
        await pilot.press("4")
        await until(pilot, lambda: "attempts" in shown(app) and "tokens in" in shown(app))
        await pilot.press("5")
        await until(pilot, lambda: "attempt 2" in shown(app))
        assert "schema: no total" in shown(app)
        await pilot.press("tab")
        await until(pilot, lambda: shown(app) == '{\n  "total": 7\n}')
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ResultScreen))


async def test_a_job_without_a_result_says_so_and_shows_it_once_it_comes(sample: Sample) -> None:
    app = app_over(Library(sample.folder.path.parent.parent))
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 2)
        assert shown(app).startswith("pending: not sent yet")
        sample.start(2)
        sample.finish(2, raw_response="here it is")
        folder = app.link.folder("k7fq2m")
        assert folder
        folder.refresh()
        app.tell({"k7fq2m"})
        await until(pilot, lambda: shown(app) == "here it is")
        sample.close()


async def test_text_is_found_and_stepped_through(sample: Sample) -> None:
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 4)
        view = reader(app).lines
        await pilot.press("slash", *"needle")
        await until(pilot, lambda: view.hits == (1, 3))
        await pilot.press("enter", "n", "n")
        await until(pilot, lambda: view.hits == (3, 3))
        assert view.scroll_offset.y > 50
        await pilot.press("N")
        await until(pilot, lambda: view.hits == (2, 3))
        await pilot.press("escape")
        await until(pilot, lambda: view.hits == (0, 0))
        assert isinstance(app.screen, ResultScreen)
        await pilot.press("p")
        await until(pilot, lambda: "total" in shown(app))


async def test_text_is_found_in_a_later_part(sample: Sample) -> None:
    sample.start(2)
    sample.finish(2, raw_response="straw\n" * 100_000 + "needle")
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 2)
        await until(pilot, lambda: "part 1 of" in screen_text(pilot))
        await pilot.press("slash", *"needle", "enter")
        await until(pilot, lambda: reader(app).lines.hits == (1, 1))


async def test_parts_are_turned(sample: Sample) -> None:
    sample.start(2)
    sample.finish(2, raw_response="".join(f"line {n}\n" for n in range(5000)))
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 2)
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: shown(app).startswith("line 2000\n"))
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        await until(pilot, lambda: shown(app).startswith("line 2000\n"))


async def test_a_link_is_opened_only_after_its_address_was_shown(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = an_app(sample)
    opened: list[str] = []
    monkeypatch.setattr(app, "open_url", lambda url, **_: opened.append(url))
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 0)
        await pilot.press("M")
        markdown = app.screen.query_one(Markdown)
        await until(
            pilot, lambda: app.screen.query_one(MarkdownPage).display and "4.1 GWh" in screen_text(pilot)
        )
        markdown.post_message(Markdown.LinkClicked(markdown, "file:///etc/passwd"))
        await until(pilot, lambda: any("no web address" in words for _, words in app.notes))
        for answer, expected in (("n", []), ("y", ["https://example.org/report?a=b"])):
            markdown.post_message(Markdown.LinkClicked(markdown, "https://example.org/report?a=b"))
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await until(pilot, lambda: "https://example.org/report?a=b" in screen_text(pilot))
            await pilot.press(answer)
            await until(pilot, lambda: isinstance(app.screen, ResultScreen))
            assert opened == expected


async def test_copying_sends_or_writes_a_file(sample: Sample, tmp_path: Path) -> None:
    long = "ä" * 40_000
    sample.start(2)
    sample.finish(2, raw_response=long)
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 0)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == MARKDOWN)
        assert "sent to the terminal's clipboard" in app.notes[-1][1]
        app.read_result("k7fq2m", 2, [2])
        await until(pilot, lambda: reader(app).number == 2 and reader(app).result)
        await pilot.press("y")
        copy = app.data_dir / "copies" / "eval-waiting.txt"
        await until(pilot, lambda: copy.exists())
        assert copy.read_text() == long
        assert copy.stat().st_mode & 0o777 == 0o600
        assert app.clipboard == MARKDOWN
        assert len(base64.b64encode(long.encode())) > 74_994


async def test_an_answer_is_written_to_a_new_file_only(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 0)
        for _ in range(2):
            await pilot.press("w")
            await until(pilot, lambda: app.screen.query("PathInput"))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ResultScreen))
        assert (tmp_path / "eval-first.txt").read_text() == MARKDOWN
        assert "already" in app.notes[-1][1]


async def test_a_json_answer_is_a_tree_that_fills_as_it_is_opened(sample: Sample) -> None:
    answer = {"lines": [{"[/nope]": f"\x1b[31m{n}"} for n in range(5000)], "total": 12.5, "none": None}
    sample.start(2)
    sample.finish(2, raw_response=json.dumps(answer))
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 2)
        await pilot.press("t")
        tree = app.screen.query_one(JsonTree)
        await until(pilot, lambda: tree.display and "total: 12.5" in screen_text(pilot))
        await until(pilot, lambda: "lines: [5,000]" in screen_text(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: len(tree.root.children[0].children) == CHILDREN_LIMIT + 1)
        assert len(tree.root.children[0].children[0].children) == 0
        await pilot.press("down", "enter")
        await until(pilot, lambda: "[/nope]: " in screen_text(pilot))
        assert "\x1b" not in screen_text(pilot)
        await pilot.press("t")
        await until(pilot, lambda: not tree.display)
        await pilot.press("p", "t")
        await until(pilot, lambda: any("no JSON list" in words for _, words in app.notes) or tree.display)


def _monsters() -> dict[str, str]:
    return {
        "ten million characters": "word and more " * 715_000,
        "one line of a million": "x" * 1_000_000,
        "combining marks": "e" + "\u0301" * 100_000,
        "control characters": "\x1b[31m\u202e\x9b2J" * 100_000,
        "newlines": "\n" * 1_000_000,
        "markup": "[/nope][@click=app.quit]x[/]" * 30_000,
        "lone halves": "\ud83d" * 100_000,
        "deep brackets": "[" * 500_000,
        "wide": "漢字" * 200_000,
        "tabs": "\t" * 200_000,
    }


@pytest.mark.parametrize("name", _monsters())
async def test_no_answer_takes_long_to_paint(sample: Sample, name: str) -> None:
    text = _monsters()[name]
    sample.start(2)
    sample.finish(2, raw_response=text, error=text[:100_000], error_kind="x")
    for _ in range(ROUNDS):
        if (longest := await longest_paint(sample)) < PAINT_SECONDS:
            break
    assert longest < PAINT_SECONDS


async def test_nor_do_ten_megabytes_of_figures(sample: Sample) -> None:
    """As an energy model with all of its hours gives them."""
    sample.start(2)
    hours = [n / 7 for n in range(600_000)]
    sample.finish(2, output={"summary": {"specificYield": 1611.5}, "timeSeries": {"poiACPower": hours}})
    assert (sample.folder.path / "results.jsonl").stat().st_size > 9_000_000
    for _ in range(ROUNDS):
        if (longest := await longest_paint(sample)) < PAINT_SECONDS:
            break
    assert longest < PAINT_SECONDS


async def longest_paint(sample: Sample) -> float:
    """Seconds of the loop's own processor time, over every way to look at the answer."""
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 0)
        longest = 0.0
        for key in ("2", "1", "M", "M", "3", "4", "1"):
            if key == "2":
                app.read_result("k7fq2m", 2, [2])
                await pilot.pause()
            before = reader(app)._page
            begin = time.thread_time()
            await pilot.press(key)
            while reader(app)._page is before:
                start = time.thread_time()
                await pilot.pause(0.005)
                longest = max(longest, time.thread_time() - start)
            await pilot.pause()
            longest = max(longest, time.thread_time() - begin if key != "2" else 0)
        assert "\x1b" not in screen_text(pilot)
        assert "\u202e" not in screen_text(pilot)
    return longest


async def test_cleaned_characters_are_counted(sample: Sample) -> None:
    sample.start(2)
    sample.finish(2, raw_response="a\x1b[31mb\x07\u202ec")
    app = an_app(sample)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 2)
        await until(pilot, lambda: "control characters shown as pictures: 3" in screen_text(pilot))


async def test_a_long_answer_is_told_of_while_it_is_read(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of many megabytes takes seconds: what is on the screen is neither empty nor another job's."""
    app, go = an_app(sample), threading.Event()

    def held(folder: BatchFolder, backends: Backends, number: int, *rest: Any) -> Page:
        assert number == 0 or go.wait(30)
        return page_of(folder, backends, number, *rest)

    async with app.run_test(size=SMALL) as pilot:
        await read(pilot, 0)
        monkeypatch.setattr(result, "page_of", held)
        await pilot.press("n")
        await until(pilot, lambda: shown(app) == "reading bad …")
        go.set()
        await until(pilot, lambda: "rate_limit: 429" in shown(app))


async def test_an_answer_waits_for_nothing_that_stands_beside_it(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendering a request can take seconds: a grid of 70,000 buses is read for it."""
    app, go = an_app(sample), threading.Event()

    def held(folder: BatchFolder, backends: Backends, number: int, view: str, *rest: Any) -> Page:
        assert view == "answer" or go.wait(30)
        return page_of(folder, backends, number, view, *rest)

    monkeypatch.setattr(result, "page_of", held)
    async with app.run_test(size=WIDE) as pilot:
        await read(pilot, 0)
        await until(pilot, lambda: shown(app) == MARKDOWN)
        beside = app.screen.query_one("#result-beside TextView", TextView)
        assert not beside.plain
        go.set()
        await until(pilot, lambda: '"text": "row 0"' in beside.plain)
