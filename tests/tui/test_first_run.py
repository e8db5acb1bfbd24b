"""The first start: what there is, and what to do, without a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.config import BackendConfig
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.beginning.first_run import FirstRunScreen
from batchtui.tui.screens.composing.screen import ComposeScreen
from tests.tui.samples import NOW, app_over, sample_config
from tests.tui.waiting import screen_text, until


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchtuiApp:
    monkeypatch.chdir(tmp_path)
    return BatchtuiApp(sample_config(Path("home"), "local"), Path("data"), worker=False, now=lambda: NOW)


async def test_it_says_what_can_be_done(app: BatchtuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await until(pilot, lambda: "Nothing leaves this machine" in screen_text(pilot))
        text = screen_text(pilot)
        for words in (
            "Nothing leaves this machine",
            "Compose a batch",
            "Practice",
            "A file of your own",
            "A provider",
            "The tour",
            "no key needed",
            "config.toml",
        ):
            assert words in text


@pytest.mark.parametrize("key", ["n", "enter"])
async def test_composing_is_one_key_away(app: BatchtuiApp, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert app.screen.form.form.backend == "local"
        await pilot.press("escape")
        await until(
            pilot, lambda: app.current_mode == "batches" and not isinstance(app.screen, FirstRunScreen)
        )


async def test_escape_goes_on_to_the_list(app: BatchtuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, FirstRunScreen))


async def test_the_demo_is_named_where_it_cannot_be_started(app: BatchtuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("d")
        await until(pilot, lambda: any("batchtui demo" in words for _, words in app.notes))


async def test_it_is_not_shown_where_there_are_batches(library: Library) -> None:
    app = app_over(library)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert not isinstance(app.screen, FirstRunScreen)


async def test_a_key_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-nobody")
    config = sample_config(tmp_path, "local")
    config.backends["openai"] = BackendConfig(
        name="openai", kind="openai", table={"kind": "openai"}, origin="environment"
    )
    app = BatchtuiApp(config, tmp_path / "data", worker=False, now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(FirstRunScreen())
        await until(pilot, lambda: "OPENAI_API_KEY is set" in screen_text(pilot))
        assert "nobody" not in screen_text(pilot)


async def test_it_shows_as_well_where_providers_are_offered(tmp_path: Path) -> None:
    config = sample_config(tmp_path, "local", "openai")
    app = BatchtuiApp(config, tmp_path / "data", worker=False, now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))


async def test_an_example_is_written_and_opened(app: BatchtuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("e")
        await until(pilot, lambda: "contingencies" in screen_text(pilot))
        await pilot.press(*"files", "enter")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert Path("files/texts.csv").read_text().startswith("file\n")
        await until(pilot, lambda: app.screen.form.form.values.get("source.file") == "texts.csv")
        assert app.screen.elsewhere is None
