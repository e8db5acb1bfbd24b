"""`open --read-only`: every screen, and no key that changes anything."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from batchtui.store.library import Library
from batchtui.tui.actions import table as actions
from batchtui.tui.app import BatchtuiApp
from tests.terminal.terminals import Pty, clean_env
from tests.tui.samples import NOW, app_over, sample_config, sample_library
from tests.tui.waiting import screen_text, until


def said(app: BatchtuiApp) -> str:
    return app.notes[-1][1]


def stored(path: Path) -> dict[str, str]:
    return {
        str(one.relative_to(path)): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in path.rglob("*")
        if one.is_file()
    }


@pytest.fixture
def reading(library: Library) -> BatchtuiApp:
    return BatchtuiApp(sample_config(library.data_dir), library.data_dir, drive=False, now=lambda: NOW)


def test_what_writes_is_named_in_the_table() -> None:
    assert actions.BY_ID.keys() >= actions.WRITES
    for one in actions.WRITES:
        assert actions.that_writes(f"screen.{actions.BY_ID[one].method}") is actions.BY_ID[one]
    assert actions.that_writes("batch_open") is None
    assert actions.that_writes(("app", "app_quit", ())) is None


async def test_keys_that_write_say_why_they_do_not(reading: BatchtuiApp, library: Library) -> None:
    before = stored(library.data_dir / "batches")
    async with reading.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "Batches 7" in screen_text(pilot))
        assert "reading only" in screen_text(pilot)
        assert "r Retry" not in screen_text(pilot)
        assert "enter Open" in screen_text(pilot)
        for key, title in (
            ("r", "Retry"),
            ("x", "Cancel"),
            ("l", "Limits"),
            ("z", "Archive"),
            ("D", "Remove"),
        ):
            await pilot.press(key)
            assert said(reading).startswith(f"{title}: not in this app")
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: "Jobs 1,200" in screen_text(pilot))
        await pilot.press("plus", "p", "enter")
        await until(pilot, lambda: "1 Answer" in screen_text(pilot))
        await pilot.press("minus", "a")
        assert said(reading).startswith("Note: not in this app")
    assert stored(library.data_dir / "batches") == before


async def test_without_it_they_do(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "r Retry" in screen_text(pilot))
        await pilot.press("j", "x")
        await until(pilot, lambda: len(app.screen_stack) == 2)


def test_from_the_shell(tmp_path: Path) -> None:
    sample_library(tmp_path / "data")
    (tmp_path / "config.toml").write_text("")
    env = clean_env(
        BATCHTUI_DATA_DIR=str(tmp_path / "data"), BATCHTUI_CONFIG=str(tmp_path / "config.toml"), HOME=str(tmp_path),
        TERM="xterm-256color",
    )  # fmt: skip
    before = stored(tmp_path)
    app = Pty(env, "open", "--read-only", "k7fq2m", size=(120, 36))
    try:
        app.shown("Jobs 1,200")
        app.press(b"r")
        app.shown("Retry: not in this app")
    finally:
        app.close()
    assert {name: digest for name, digest in stored(tmp_path).items() if name in before} == before
