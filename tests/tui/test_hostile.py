"""Outside text on every screen: shown letter for letter, and no byte of it acts on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.model import JobState
from batchtui.store.library import Library
from batchtui.text import cell, clean
from batchtui.tui.widgets.guard import Guard
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import screen_text, until

STRINGS = Path(__file__).parent.parent / "data" / "hostile" / "hostile-strings.jsonl"
WORST = (
    "osc0-title-bel", "osc8-link", "osc52-write", "csi-clear", "csi-alt-off", "csi-nested", "dcs-sixel", "c1-csi",
    "c1-osc", "c0-cr", "c0-so", "c0-del", "bidi-trojan-source", "hidden-tags", "hidden-vs-flood", "unicode-lone-high",
    "markup-click", "markup-close-name", "markup-link-bare", "markup-spoof", "markup-css-var", "unicode-ls-ps",
)  # fmt: skip


def _strings() -> dict[str, str]:
    rows = [json.loads(line) for line in STRINGS.read_text().splitlines()]
    return {row["name"]: json.loads(f'"{row["escaped"]}"') for row in rows}


HOSTILE = _strings()


def hostile_library(path: Path, text: str, batch_id: str = "h0st1l") -> Library:
    """A batch with the text as its name, a job's id, an error, an answer, a remote id and what needs a person."""
    library = Library(path)
    sample = Sample(
        library, batch_id, text or " ", [f"{n}-{text}" for n in range(3)], backend="openai", tags=[text]
    )
    sample.submit(0, 3, f"batch_{text}")
    sample.poll("ended")
    sample.finish(0, raw_response=text, finish_reason=text, model=text)
    sample.finish(1, JobState.FAILED, error=text, error_kind=text or "kind")
    sample.record("attention", kind="unsure", sub=1, text=f"look: {text}", actions=["adopt", text or "x"])
    sample.record("unsure", sub=1, reason=text)
    sample.close()
    return library


def assert_harmless(pilot: Pilot[None]) -> None:
    """Every rendered segment, and the picture of the screen, is free of what a terminal could obey."""
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            assert clean(segment.text) == segment.text, repr(segment.text)
            assert "\n" not in segment.text
            assert not (segment.style and (segment.style.link or "@click" in segment.style.meta))
    pilot.app.export_screenshot()


@pytest.mark.parametrize("name", WORST)
async def test_every_screen(tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    app = app_over(hostile_library(tmp_path, text))
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        batches = app.batches_screen()
        await until(pilot, lambda: batches.table.ids)
        assert_harmless(pilot)
        assert cell(text)[:12] in screen_text(pilot) or len(text) < 2
        app.say(text, "error")
        for keys in (["u"], ["escape"], ["x"], ["escape"], ["e"], ["escape"], ["enter"], ["slash", "z", "escape"], ["f"],
                     ["enter"], ["2"], ["3"], ["4"], ["1"], ["escape"], ["escape"], ["t"], ["W"], ["escape"], ["1"],
                     ["ctrl+p"], ["escape"], ["question_mark"], ["escape"]):  # fmt: skip
            await pilot.press(*keys)
            await pilot.pause()
            assert_harmless(pilot)
        assert app.is_running
        assert app.title == "batchtui"


@pytest.mark.parametrize("name", [name for name in WORST if name.startswith("markup")])
async def test_markup_is_shown_as_it_is(tmp_path: Path, name: str) -> None:
    app = app_over(hostile_library(tmp_path, HOSTILE[name]), open_batch="h0st1l")
    async with app.run_test(size=(160, 30)) as pilot:
        await until(pilot, lambda: f"0-{HOSTILE[name]}"[:20] in screen_text(pilot))


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_the_guard_lets_nothing_through(name: str) -> None:
    from rich.segment import Segment
    from textual.color import Color

    segments = Guard().apply([Segment(HOSTILE[name])], Color(0, 0, 0))
    assert all(clean(segment.text) == segment.text and "\n" not in segment.text for segment in segments)
