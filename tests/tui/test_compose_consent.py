"""Composing: a batch file from elsewhere says what it would run before it may; what was made here is one's own."""

from __future__ import annotations

from pathlib import Path

from batchtui import batchfile
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.model import BatchSpec, SourceSpec
from batchtui.store.library import Library
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.composing.screen import ComposeScreen
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until

SPEC = BatchSpec(
    name="foreign", backend="local", source=SourceSpec(file="rows.csv"), job={"command": ["touch", "owned"]}
)
QUESTION = "was not run before as it is now"


async def test_programs_of_a_file_from_elsewhere_are_shown_first(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "batch.toml"
    (tmp_path / "rows.csv").write_text("text\nhello\n")
    batchfile.save(SPEC, path)
    app = app_over(library)
    before = set(library.ids())
    async with app.run_test(size=(160, 48)) as pilot:
        app.compose_batch(path=path)
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen._built)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: QUESTION in screen_text(pilot))
        await until(pilot, lambda: 'It runs the program ["touch", "owned"] on local.' in screen_text(pilot))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
    assert set(library.ids()) == before


async def test_a_file_that_was_made_here_asks_nothing(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "batch.toml"
    (tmp_path / "rows.csv").write_text("text\nhello\n")
    batchfile.save(SPEC, path)
    Trusted(library.data_dir).own(path)
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        app.compose_batch(path=path)
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen._built)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: "Submit foreign" in screen_text(pilot))
        assert QUESTION not in screen_text(pilot)
        screen = app.screen_stack[-2]
        assert isinstance(screen, ComposeScreen)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        screen._save(SPEC, tmp_path, tmp_path / "saved.toml")
    assert Trusted(library.data_dir).is_own(tmp_path / "saved.toml")
