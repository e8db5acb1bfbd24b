"""A provider from the screen: which keys were found, asked before it is written, and what to do where one is not set."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.beginning.first_run import FirstRunScreen
from batchtui.tui.screens.setup.backends import BackendsScreen
from tests.tui.samples import NOW
from tests.tui.waiting import screen_text, until


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchtuiApp:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    config = load_config(tmp_path / "config.toml")
    return BatchtuiApp(config, tmp_path / "data", worker=False, now=lambda: NOW)


async def pick(app: BatchtuiApp, pilot: object, name: str) -> None:
    await pilot.press("p")  # type: ignore[attr-defined]
    await until(pilot, lambda: "the keys that were found" in screen_text(pilot))  # type: ignore[arg-type]
    await until(pilot, lambda: isinstance(app.focused, Input))  # type: ignore[arg-type]
    await pilot.press(*name, "enter")  # type: ignore[attr-defined]


async def test_one_that_answers_is_written(
    app: BatchtuiApp, demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-nobody")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{demo_server().url}/v1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("p")
        await until(pilot, lambda: "OPENAI_API_KEY is set" in screen_text(pilot))
        await pilot.press(*"openai", "enter")
        await until(pilot, lambda: "the variable OPENAI_API_KEY (set)" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: app.config.path.exists())
        await until(pilot, lambda: any("it answers" in words for _, words in app.notes))
        table = tomllib.loads(app.config.path.read_text())["backends"]["openai"]
        assert table["api_key_env"] == "OPENAI_API_KEY"
        assert "nobody" not in app.config.path.read_text()
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen) and "openai" in screen_text(pilot))
        await pilot.press("p")
        await until(pilot, lambda: "in the configuration" in screen_text(pilot))


async def test_one_without_its_key_is_told_and_nothing_is_written(app: BatchtuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pick(app, pilot, "mistral")
        await until(pilot, lambda: "export MISTRAL_API_KEY=" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing was written" in screen_text(pilot))
        assert "MISTRAL_API_KEY is not set" in " ".join(
            line.partition("█")[2].strip() for line in screen_text(pilot).splitlines()
        )
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        assert not app.config.path.exists()


async def test_a_server_of_ones_own_is_asked_for_its_address(
    app: BatchtuiApp, demo_server: Callable[..., DemoServer]
) -> None:
    url = demo_server().url
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(BackendsScreen())
        await until(pilot, lambda: isinstance(app.screen, BackendsScreen))
        await pick(app, pilot, "buttermilk")
        await until(pilot, lambda: "buttermilk: where is the server?" in screen_text(pilot))
        await pilot.press("ctrl+u", *f"{url}/buttermilk", "enter")
        await until(pilot, lambda: app.config.path.exists() or "did not answer" in screen_text(pilot))
        assert "did not answer" not in screen_text(pilot)
        assert tomllib.loads(app.config.path.read_text())["backends"]["buttermilk"]["base_url"].startswith(
            url
        )
