"""P16: a terminal that does not read, as a frozen SSH connection, stops neither polling nor saving."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.model import BatchState
from batchtui.store.folder import BatchFolder
from tests.crashes.batch_service import BatchService
from tests.engine.bench import Bench, until
from tests.promises.whole import figure
from tests.terminal.terminals import ESCAPE, Pty, clean_env

LOOKS = 20
"""How often a batch is polled before it has ended, all of it after the terminal froze."""

SECONDS = figure(60, 600)
"""At most, until all of these were made."""


@pytest.fixture
def service() -> Iterator[BatchService]:
    with BatchService(looks=figure(LOOKS, 600)) as service:
        yield service


def made(folder: Path, service: BatchService, account: str) -> BatchFolder:
    """A batch that the app drives once it is open, and that the service holds until it is let go."""
    folder.mkdir()
    table = {"kind": "openai", "base_url": f"{service.url}/{account}/v1", "poll_interval": 0.1, "settle": 0.2}
    fields = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    (folder / "config.toml").write_text(f"[backends.lab]\n{fields}")
    bench = Bench(folder, load_config(folder / "config.toml", env={}))
    try:
        return bench.create(bench.spec("lab", 12, {"model": "demo", "prompt": account + " {{ text }}"}))
    finally:
        bench.close()


@contextlib.contextmanager
def app(folder: Path) -> Iterator[Pty]:
    own = {
        "BATCHTUI_DATA_DIR": str(folder / "data"),
        "BATCHTUI_CONFIG": str(folder / "config.toml"),
        "BATCHTUI_STATE_DIR": str(folder / "state"),
    }
    terminal = Pty(clean_env() | own)
    try:
        terminal.shows(b"batchtui")
        yield terminal
    finally:
        terminal.close()


def polls(service: BatchService, account: str) -> int:
    return service.calls[account, "GET"]


def test_p16_a_frozen_terminal_stops_neither_polling_nor_saving(
    tmp_path: Path, service: BatchService
) -> None:
    service.held = {"frozen", "read"}
    folders = {account: made(tmp_path / account, service, account) for account in ("frozen", "read")}
    with app(tmp_path / "frozen") as frozen, app(tmp_path / "read") as read:
        until(lambda: len(service.creates) == 2)
        frozen.settle()
        frozen.fill(b"?", ESCAPE, b"3", b"1")
        before = {account: polls(service, account) for account in folders}
        saved = folders["frozen"].path / "events.jsonl"
        size = saved.stat().st_size
        service.held = set()

        def completed(account: str) -> bool:
            read.read(0)
            folders[account].refresh()
            return folders[account].state() is BatchState.COMPLETED

        until(lambda: completed("read"), deadline=SECONDS)
        asked = {account: polls(service, account) - before[account] for account in folders}
        assert asked["frozen"] > asked["read"] / 3, asked
        until(lambda: completed("frozen"), deadline=SECONDS)
        assert saved.stat().st_size > size
        assert [folders["frozen"].result(n).raw_response for n in range(12)] == [
            f"answer to frozen text of row {n}" for n in range(12)
        ]
