"""The app in a real browser: composed, watched and read there by keys, and refused without its token."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.terminal.terminals import clean_env

pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")
pytest.importorskip("pyte")

from tests.terminal.chromium import PROGRAM, SIZE, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is here")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "birds.csv").write_text("species\nAdelie\nGentoo\nChinstrap\n")
    env = clean_env(
        HOME=str(tmp_path),
        BATCHTUI_DATA_DIR=str(tmp_path / "data"),
        BATCHTUI_CONFIG=str(tmp_path / "config.toml"),
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "batchtui", "serve", "--web"],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait(30)


def test_a_batch_is_composed_watched_and_read_in_a_browser(address: str, tmp_path: Path) -> None:
    asyncio.run(_use(address, tmp_path / "seen.png"))


async def _use(address: str, seen: Path) -> None:
    async with browser() as page:
        where = urlsplit(address)
        await page.open(f"http://{where.netloc}/")
        for _ in range(200):
            if "open the whole address" in await page.body():
                break
            await asyncio.sleep(0.05)
        assert "open the whole address that `batchtui serve --web` printed" in await page.body()
        await page.call("Page.navigate", url=address)
        await page.shows("One terminal for every batch")
        await page.click(SIZE[0] // 2, SIZE[1] * 3 // 4)
        await page.press("Escape")
        await page.shows("No batches yet")
        await page.press("n")
        await page.shows("Source", "f9 Submit")
        await page.press("birds.csv", "Tab", "Tab", "Tab", "echo {{ species }} flies not")
        await page.shows("CSV, 3 rows", "Adelie", "row 1 of 3")
        await page.press("F9")
        await page.shows("Submit birds: 3 jobs to local?")
        await page.press("y")
        await page.shows("✓ completed", "3/3")
        await page.press("Enter")
        await page.shows("Jobs 3", "Chinstrap flies not")
        await page.press("jj", "Enter")
        await page.shows("1 Answer", "Chinstrap flies not", "3 of 3", "─ Request ─", '"Chinstrap"')
        seen.write_bytes(await page.picture())
    assert len(seen.read_bytes()) > 20_000, "what is drawn is more than an empty page"
