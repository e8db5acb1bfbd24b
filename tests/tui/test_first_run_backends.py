"""The list of backends: what is configured, and what they say when they are asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import DataTable

from batchtui.config import BackendConfig
from batchtui.demo.server import DemoServer
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.setup.backends import BackendsScreen
from tests.tui.samples import NOW, sample_config
from tests.tui.waiting import screen_text, until


def an_app(tmp_path: Path, **tables: dict[str, object]) -> BatchtuiApp:
    config = sample_config(tmp_path, "local")
    for name, table in tables.items():
        config.backends[name] = BackendConfig(
            name=name, kind=str(table["kind"]), table=table, origin="config.toml"
        )
    return BatchtuiApp(config, Library(tmp_path / "data").data_dir, worker=False, now=lambda: NOW)


async def test_backends_are_listed_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_server: Callable[..., DemoServer]
) -> None:
    url = demo_server().url
    monkeypatch.setenv("A_KEY", "sk-test-key-of-nobody")
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    app = an_app(
        tmp_path,
        here={"kind": "openai", "base_url": f"{url}/v1", "api_key_env": "A_KEY"},
        nokey={"kind": "openai", "api_key_env": "NO_SUCH_KEY"},
        gone={"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "A_KEY"},
    )
    async with app.run_test(size=(120, 30)) as pilot:
        app.push_screen(BackendsScreen())
        await until(pilot, lambda: [table for table in app.screen.query(DataTable) if table.row_count == 4])
        await until(pilot, lambda: "not asked yet" in screen_text(pilot))
        assert "NO_SUCH_KEY is not set" in screen_text(pilot)
        await pilot.press("a")
        screen = app.screen
        assert isinstance(screen, BackendsScreen)
        await until(pilot, lambda: len(screen._answers) == 4, seconds=60)
        assert screen._answers["local"].ok
        assert screen._answers["here"].ok, screen._answers["here"].message
        assert "NO_SUCH_KEY" in screen._answers["nokey"].message
        assert not screen._answers["gone"].ok
        await pilot.press("down")
        assert "nobody" not in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, BackendsScreen))
