"""The app around its screens: quitting, settings, commands by name, crashes."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest
from textual._compositor import Compositor, LayoutUpdate
from textual.command import CommandPalette
from textual.driver import Driver
from textual.widgets import OptionList

from batchtui.config import load_settings, settings_path
from batchtui.model import BatchSpec, BatchState, JobState, Problem, SourceSpec
from batchtui.store.disk.lines import StoreFull
from batchtui.store.files import inbox
from batchtui.store.library import Library
from batchtui.tui.actions.leaving import last_words
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Choose
from batchtui.tui.screens.batches import BatchesScreen
from tests.tui.samples import app_over, sample_config
from tests.tui.waiting import screen_text, until


def local_batch(app: BatchtuiApp, seconds: float, count: int = 3) -> str:
    """A batch of programs that run on this machine; its id."""
    from batchtui.engine.plan.planning import create, plan

    source = app.data_dir / "rows.csv"
    app.data_dir.mkdir(exist_ok=True)
    source.write_text("id\n" + "\n".join(f"j{n}" for n in range(count)) + "\n")
    command = [sys.executable, "-c", f"import time; time.sleep({seconds}); print('done')"]
    spec = BatchSpec(
        name="sleepers", backend="local", job={"command": command}, source=SourceSpec(file=str(source))
    )
    draft = app.library.draft()
    planned = plan(spec, app.data_dir, app.backends, draft=draft)
    assert not planned.preflight.stopped, planned.preflight.problems
    return create(planned, draft).id


async def test_jobs_run_and_the_list_lives(tmp_path: Path) -> None:
    app = app_over(Library(tmp_path / "data"), worker=True, now=time.time)
    async with app.run_test(size=(160, 48)) as pilot:
        batch_id = local_batch(app, 0.05)
        app.started_batch(batch_id)
        await until(pilot, lambda: (s := app.link.status(batch_id)) and s.status is BatchState.COMPLETED, 30)
        await until(pilot, lambda: "✓ completed" in screen_text(pilot))
        assert app.batches_screen().table.current() == batch_id
        await pilot.press("enter")
        rows_and_the_answer_beside = 4
        await until(pilot, lambda: screen_text(pilot).count("done") == rows_and_the_answer_beside)
    await asyncio.to_thread(app.link.stop)


async def test_after_a_stop_all_is_painted_again_and_not_what_changed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_over(Library(tmp_path / "data"))
    async with app.run_test() as pilot:
        await pilot.press("?")
        await pilot.pause()
        whole: list[bool] = []
        full = Compositor.render_full_update

        def painted(compositor: Compositor, simplify: bool = False) -> LayoutUpdate:
            whole.append(compositor is app.screen._compositor)
            return full(compositor, simplify)

        monkeypatch.setattr(Compositor, "render_full_update", painted)
        await pilot.pause()
        assert not whole
        app.post_message(Driver.SignalResume())
        await until(pilot, lambda: any(whole))


async def test_quit_asks_while_programs_run_here(tmp_path: Path) -> None:
    app = app_over(Library(tmp_path / "data"), worker=True, now=time.time)
    async with app.run_test() as pilot:
        batch_id = local_batch(app, 30)
        app.started_batch(batch_id)
        await until(pilot, lambda: app.link.in_flight() > 0, 30)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        text = screen_text(pilot)
        assert "Quit is not cancel" in text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        app.screen.query_one(OptionList).highlighted = 1
        await pilot.press("enter")
        await until(pilot, lambda: not app.is_running)
    await asyncio.to_thread(app.link.stop)
    folder = app.library.open(batch_id)
    assert folder.progress.count(JobState.PENDING) == 3
    assert "not finished" in (last_words(app.link) or "")


@pytest.mark.parametrize("key", ["ctrl+p", "question_mark", "slash"])
async def test_ctrl_q_leaves_whatever_takes_letters(tmp_path: Path, key: str) -> None:
    app = app_over(Library(tmp_path / "data"))
    async with app.run_test() as pilot:
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running)


async def test_ctrl_q_leaves_a_dialog_and_asks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_over(Library(tmp_path / "data"))
    async with app.run_test() as pilot:
        monkeypatch.setattr(app.link, "in_flight", lambda: 1)
        app.ask(Choose("Which?", options=[("a", "this")]), lambda _: None)
        await pilot.pause()
        depth = len(app.screen_stack)
        for _ in range(2):
            await pilot.press("ctrl+q")
            await pilot.pause()
            assert len(app.screen_stack) == depth + 1
            assert "Quit is not cancel" in screen_text(pilot)


async def test_ctrl_q_is_free_where_quit_has_other_keys(tmp_path: Path) -> None:
    app = app_over(Library(tmp_path / "data"))
    async with app.run_test() as pilot:
        app.keymap_in_use = {"app.quit": "f12"}
        app.set_keymap(app.keymap_in_use)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert app.is_running
        await pilot.press("f12")
        await until(pilot, lambda: not app.is_running)


@pytest.mark.parametrize("keys", [["p"], ["x", "y"]], ids=["at once", "answered"])
async def test_a_wish_that_the_store_refuses_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: list[str]
) -> None:
    app = app_over(Library(tmp_path / "data"))
    local_batch(app, 1)

    def refused(*_: object) -> int:
        raise StoreFull("the disk is full")

    monkeypatch.setattr(inbox, "post", refused)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "sleepers" in screen_text(pilot))
        await pilot.press(*keys)
        await until(pilot, lambda: any("the disk is full" in line for _, line in app.notes))
        assert not any("cancelling" in line or "paused" in line for _, line in app.notes)
        assert isinstance(app.screen, BatchesScreen)


async def test_finish_first_then_quit(tmp_path: Path) -> None:
    app = app_over(Library(tmp_path / "data"), worker=True, now=time.time)
    async with app.run_test() as pilot:
        batch_id = local_batch(app, 1, count=1)
        app.started_batch(batch_id)
        await until(pilot, lambda: app.link.in_flight() > 0, 30)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: not app.is_running, 20)
    await asyncio.to_thread(app.link.stop)
    assert app.library.open(batch_id).progress.count(JobState.COMPLETED) == 1


async def test_a_chosen_theme_is_remembered(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "ui" not in load_settings(settings_path(app.config.path))
        app.theme = "nord"
        await until(
            pilot, lambda: load_settings(settings_path(app.config.path)).get("ui") == {"theme": "nord"}
        )


async def test_commands_by_name(library: Library) -> None:
    app = app_over(library)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.batches_screen().table.ids)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"archived")
        await until(pilot, lambda: "Archived too" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await until(pilot, lambda: "h6v5ra" in app.batches_screen().table.ids)


async def test_a_damaged_batch_is_named_and_the_others_load(library: Library) -> None:
    for name in ("batch.json", "events.jsonl"):  # which holds the header once more
        (library.path("g8u3jd") / name).write_text("{")
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: len(app.batches_screen().table.ids) == 6)
        await pilot.press("4")
        await until(pilot, lambda: "g8u3jd" in screen_text(pilot) and "cannot be read" in screen_text(pilot))


async def test_what_is_wrong_in_the_config_is_said(library: Library) -> None:
    app = app_over(library)
    app.config.problems.append(
        Problem(message="expected int [/nope]", file="config.toml", key="limits.x", fatal=False)
    )
    async with app.run_test(notifications=True) as pilot:
        await until(pilot, lambda: "expected int [/nope]" in screen_text(pilot))


async def test_the_first_run_offers_something(tmp_path: Path) -> None:
    from batchtui.tui.screens.beginning.first_run import FirstRunScreen

    app = BatchtuiApp(sample_config(tmp_path, "local"), tmp_path / "data", worker=False)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, BatchesScreen))
        await until(pilot, lambda: "No batches yet" in screen_text(pilot))


@pytest.mark.parametrize("cause", [True, False])
def test_crash_text_has_no_values(cause: bool) -> None:
    from batchtui.tui.crash import crash_text

    def fail() -> None:
        secret = "sk-test-value"
        raise ValueError(f"wrong {len(secret)}")

    try:
        try:
            fail()
        except ValueError as fault:
            if cause:
                raise RuntimeError("outer") from fault
            raise
    except Exception as fault:
        text = crash_text(fault).plain
    assert "wrong 13" in text
    assert "in fail" in text
    assert "sk-test-value" not in text
