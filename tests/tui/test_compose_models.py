"""Composing: models to choose from with their prices, files and citations, and a batch file that leads elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.backends.base import Probe
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.store.library import Library
from batchtui.tui.models import offered as models
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.composing.pick_model import PickModel
from batchtui.tui.screens.composing.screen import ComposeScreen
from tests.tui.samples import app_over
from tests.tui.waiting import screen_text, until


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(config: object, name: str) -> Probe:
        return Probe(ok=True, message="ok", models=["gpt-4o-mini", "gpt-4o", "nobody-knows-1"])

    monkeypatch.setattr(models, "ask", ask)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-nobody")


def screen_of(pilot: Pilot[None]) -> ComposeScreen:
    screen = pilot.app.screen
    assert isinstance(screen, ComposeScreen)
    return screen


@pytest.mark.usefixtures("offered")
async def test_a_model_is_chosen_from_those_of_the_backend(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        app.compose_batch()
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen._built)
        screen = screen_of(pilot)
        screen.form.row("backend").text = "openai"
        await until(pilot, lambda: screen.form.row("job.model").display)
        screen.form.row("job.model").control.focus()
        await until(pilot, lambda: "chooses from 3 models" in screen_text(pilot))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, PickModel))
        await until(pilot, lambda: "nobody-knows-1" in screen_text(pilot))
        await until(pilot, lambda: "a million tokens" in screen_text(pilot))
        await pilot.press(*"mini")
        await until(pilot, lambda: "nobody-knows-1" not in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert screen.form.form.values["job.model"] == "gpt-4o-mini"
        await until(pilot, lambda: "a million tokens" in screen_text(pilot))


@pytest.mark.usefixtures("offered")
async def test_citations_are_a_field_where_they_are_taken(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(160, 48)) as pilot:
        app.compose_batch()
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen._built)
        screen = screen_of(pilot)
        for backend, shown in (("anthropic", True), ("openai", False)):
            screen.form.row("backend").text = backend
            await until(pilot, lambda: screen.form.row("job.file").display)
            await until(pilot, lambda shown=shown: screen.form.row("job.citations").display is shown)


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
async def test_a_batch_file_that_leads_elsewhere_asks_first(
    library: Library, tmp_path: Path, size: tuple[int, int]
) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    (away / "letter.txt").write_text("a private letter")
    (home / "rows.csv").write_text("text\nhello\n")
    (home / "batch.toml").write_text(
        'name = "foreign"\nbackend = "openai"\n[source]\nfile = "rows.csv"\n[job]\nmodel = "gpt-4o-mini"\n'
        f'prompt = "{{{{ text }}}}"\nfile = "{away}/letter.txt"\nmax_tokens = 20\n[limits]\ncost_usd = 2.0\n'
    )
    app = app_over(library)
    before = set(library.ids())
    async with app.run_test(size=size) as pilot:
        app.compose_batch(path=home / "batch.toml")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and app.screen._built)
        await pilot.pause()
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: "foreign was not run before as it is now." in screen_text(pilot))
        await until(pilot, lambda: "It uploads files to openai" in screen_text(pilot))
        await pilot.press("pagedown")  # on a small terminal the text is longer than its place
        await until(pilot, lambda: "It reads files in" in screen_text(pilot))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert set(library.ids()) == before
        assert Trusted(library.data_dir)._read() == []
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "Submit foreign" in screen_text(pilot))
        text = screen_text(pilot)
        assert "likely <$0.0001" in text
        assert "at most <$0.0001" in text
        assert "limit $2.00" in text
        assert "openai: 1 job in 1 submission" in text
        await pilot.press("y")
        await until(pilot, lambda: set(library.ids()) - before)
