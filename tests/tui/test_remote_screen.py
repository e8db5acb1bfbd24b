"""What lives at a backend, and taking it over, against the demo server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from textual.widgets import DataTable

from batchtui.config import BackendConfig
from batchtui.demo.server import DemoServer
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.asking.dialogs import Ask
from batchtui.tui.screens.setup.backends import BackendsScreen
from batchtui.tui.screens.setup.remote import RemoteScreen
from tests.tui.samples import NOW, sample_config
from tests.tui.waiting import screen_text, until

LINE = (
    '{"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": '
    '[{"role": "user", "content": "hello"}]}}\n'
)


def made_elsewhere(url: str) -> str:
    """A batch that another program submitted; its id."""
    headers = {"Authorization": "Bearer sk-test-key-of-nobody"}
    with httpx.Client(base_url=f"{url}/v1", headers=headers) as client:
        sent = client.post("/files", files={"file": ("in.jsonl", LINE)}, data={"purpose": "batch"}).json()
        made = client.post(
            "/batches",
            json={
                "input_file_id": sent["id"],
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
            },
        )
        return str(made.json()["id"])


def an_app(tmp_path: Path, url: str) -> BatchtuiApp:
    config = sample_config(tmp_path, "local")
    table = {"kind": "openai", "base_url": f"{url}/v1", "api_key_env": "A_KEY"}
    config.backends["here"] = BackendConfig(name="here", kind="openai", table=table, origin="config.toml")
    return BatchtuiApp(config, Library(tmp_path / "data").data_dir, worker=False, now=lambda: NOW)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
async def test_a_batch_made_elsewhere_is_taken_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    demo_server: Callable[..., DemoServer],
    size: tuple[int, int],
) -> None:
    url = demo_server().url
    monkeypatch.setenv("A_KEY", "sk-test-key-of-nobody")
    remote_id = await asyncio.to_thread(made_elsewhere, url)
    app = an_app(tmp_path, url)
    async with app.run_test(size=size) as pilot:
        app.push_screen(BackendsScreen())
        await until(pilot, lambda: [table for table in app.screen.query(DataTable) if table.row_count == 2])
        await pilot.press("enter")  # local: nothing lives there
        await until(pilot, lambda: any("nothing lives there" in words for _, words in app.notes))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, RemoteScreen))
        await until(pilot, lambda: "1 batch lives there" in screen_text(pilot))
        await until(pilot, lambda: remote_id[:20] in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("ctrl+u", *"rescued", "enter")
        await until(pilot, lambda: any("taken over as batch" in words for _, words in app.notes))
        folder = next(iter(app.link.folders()))
        assert folder.header.name == "rescued"
        assert folder.header.adopted == remote_id
        app.push_screen(RemoteScreen("here"))
        await until(pilot, lambda: isinstance(app.screen, RemoteScreen))
        await until(pilot, lambda: f"followed here as batch {folder.id}" in screen_text(pilot))


async def test_a_backend_that_is_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-test-key-of-nobody")
    app = an_app(tmp_path, "http://127.0.0.1:9")
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(RemoteScreen("here"))
        await until(pilot, lambda: "did not say" in screen_text(pilot), seconds=60)
        await until(pilot, lambda: "here" in screen_text(pilot))
