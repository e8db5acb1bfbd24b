"""Texts too long to edit on a screen: pasted or opened they are held as they came, and sent so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from batchtui.tui.widgets.form.field_row import AreaRow
from batchtui.tui.widgets.form.holding_area import HoldingArea, too_long
from tests.tui.test_compose_screen import an_app, compose_screen, note, pane_text, start, title, work
from tests.tui.waiting import screen_text, until

__all__ = ["work"]

LINE = "word " * 200_000
LINES = "a line\r" * 300_000


async def in_prompt(pilot: Pilot[None]) -> AreaRow:
    await start(pilot)
    form = compose_screen(pilot.app).form  # type: ignore[arg-type]
    form.row("backend").text = "openai"
    await until(pilot, lambda: form.form.kind == "openai")
    form.row("job.model").text = "m"
    row = form.row("job.prompt")
    assert isinstance(row, AreaRow)
    row.control.focus()
    await until(pilot, lambda: pilot.app.focused is row.control)
    return row


async def paste(pilot: Pilot[None], text: str) -> None:
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


@pytest.mark.parametrize("text", [LINE, LINES], ids=["a line", "lines"])
async def test_a_long_paste_is_held_sent_whole_and_taken_back(work: Path, text: str) -> None:
    app = an_app(work)
    async with app.run_test(size=(120, 40)) as pilot:
        row = await in_prompt(pilot)
        await pilot.press(*"hi", "left")
        await paste(pilot, text)
        whole = "h" + text.replace("\r", "\n") + "i"
        await until(pilot, lambda: row.text == whole)
        await until(pilot, lambda: f"{len(whole):,} characters in all" in screen_text(pilot))
        assert len(row.area.text) < 1000  # what is laid out at every key
        await pilot.press("x", "enter")
        assert row.text == whole
        await until(pilot, lambda: "row 1 of" in title(app))
        assert len(pane_text(app)) < 100_000
        await pilot.press("f5")
        await until(pilot, lambda: "ready to submit" in title(app))
        await pilot.press("backspace")
        await until(pilot, lambda: row.text == "hi")
        await pilot.press("!")
        assert row.text == "hi!"


async def test_more_that_is_pasted_goes_behind_what_is_held(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=(120, 40)) as pilot:
        row = await in_prompt(pilot)
        await paste(pilot, "x" * 60_000)
        await paste(pilot, "\r\nand more")
        await until(pilot, lambda: row.text == "x" * 60_000 + "\nand more")
        await pilot.press("backspace")
        await until(pilot, lambda: row.text == "")


async def test_a_batch_file_with_a_long_prompt_is_opened_whole(work: Path) -> None:
    prompt = "é\u0301 " * 50_000
    (work / "b.toml").write_text(f'backend = "openai"\n[job]\nmodel = "m"\nprompt = {json.dumps(prompt)}\n')
    app = an_app(work, new_from=work / "b.toml")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "compose" and compose_screen(app).is_mounted)
        await until(pilot, lambda: compose_screen(app).form.form.values.get("job.prompt") == prompt)
        await until(pilot, lambda: f"{len(prompt):,} characters in all" in screen_text(pilot))


async def test_a_usual_paste_is_edited_as_ever(work: Path) -> None:
    app = an_app(work)
    async with app.run_test(size=(120, 40)) as pilot:
        row = await in_prompt(pilot)
        text = "\n".join(["a line of eighty letters or so"] * 1000)
        await paste(pilot, text)
        await until(pilot, lambda: row.text == text)
        assert not row.area.holds
        assert not note(app, "job.prompt")
        await pilot.press("backspace")
        assert row.text == text[:-1]


def test_what_is_too_long() -> None:
    assert not too_long("x" * 50_000)
    assert not too_long(("x" * 50_000 + "\n") * 10)
    assert too_long("x" * 50_001)
    assert too_long("x\n" * 1_000_001)
    assert HoldingArea().whole == ""
