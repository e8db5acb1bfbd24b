"""The app in a browser: a real server and socket; refused without its token, from elsewhere and under another name."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.terminal.terminals import clean_env

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    env = clean_env(
        HOME=str(tmp_path),
        BATCHTUI_DATA_DIR=str(tmp_path / "data"),
        BATCHTUI_CONFIG=str(tmp_path / "config.toml"),
    )
    (tmp_path / "config.toml").write_text("")
    server = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "serve", "--web"], env=env, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    yield server.stdout.readline().strip()
    server.terminate()
    assert server.wait(30) == 0


def test_it_runs_behind_its_token(address: str) -> None:
    asyncio.run(_visit(address))


async def _visit(address: str) -> None:
    where = urlsplit(address)
    assert where.hostname == "127.0.0.1"
    root = f"http://{where.netloc}"
    async with aiohttp.ClientSession() as stranger:
        for path in ("/", "/ws", "/static/", "/?token=wrong"):
            async with stranger.get(root + path) as reply:
                assert reply.status == 403, path
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as person:
        async with person.get(address) as reply:
            assert reply.status == 200
            assert "token" not in str(reply.url)
        for headers in ({"Origin": "http://evil.example"}, {"Host": f"evil.example:{where.port}"}):
            async with person.get(root + "/", headers=headers) as reply:
                assert reply.status == 403, headers
        async with person.ws_connect(f"{root}/ws?width=80&height=24") as page:
            seen = b""
            while b"One terminal for every batch" not in seen:
                message = await page.receive(60)
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), seen[-500:]
                seen += message.data if isinstance(message.data, bytes) else message.data.encode()


def test_it_says_what_it_serves_to(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "batchtui", "serve"]
    done = subprocess.run(command, env=clean_env(HOME=str(tmp_path)), capture_output=True, text=True)
    assert done.returncode == 2
    assert "--web" in done.stderr
