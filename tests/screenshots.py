"""Makes screenshots/ anew: today's app over the demo server. Run: python -m tests.screenshots [NAME …]"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from batchtui.cli.setup.demo import make
from batchtui.config import load_config
from batchtui.demo.samples import FAULTS, samples
from batchtui.demo.server import DemoServer
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchStatus
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.reading.compare import CompareScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from batchtui.tui.widgets.form.compose_form import ComposeForm
from tests import screenshot_grids as grids
from tests.results.views.view_samples import sweep

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "screenshots"
FONT, FONT_SIZE, SCALE = "DejaVu Sans Mono", "20.27px", 13 / 12.2
"""A letter as wide as a cell, and both of whole pixels, so that lines meet."""
Shot = tuple[tuple[int, int], Callable[[Pilot[None]], Awaitable[None]]]


def png(svg: str) -> bytes:
    """The picture with a font that is installed everywhere, so that columns stay columns."""
    import cairosvg

    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg).replace("Fira Code", FONT)
    svg = re.sub(r' textLength="[^"]*"', "", svg.replace("font-size: 20px", f"font-size: {FONT_SIZE}"))
    data: bytes = cairosvg.svg2png(bytestring=svg.encode(), scale=SCALE)
    return data


async def _until(pilot: Pilot[None], true: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit("the app never came to show what the picture is of")
        await pilot.pause(0.05)


def _app(pilot: Pilot[None]) -> BatchtuiApp:
    assert isinstance(pilot.app, BatchtuiApp)
    return pilot.app


async def _batches(pilot: Pilot[None]) -> None:
    app = _app(pilot)
    await _until(pilot, lambda: sum(s.finished for s in _statuses(app)) > 400)


def _statuses(app: BatchtuiApp) -> list[BatchStatus]:
    return [status for folder in app.link.folders() if (status := app.link.status(folder.id))]


async def _batch(pilot: Pilot[None]) -> None:
    await _batches(pilot)
    await pilot.press("enter")
    await pilot.pause(1)


async def _result(pilot: Pilot[None]) -> None:
    await _batch(pilot)
    await pilot.press("enter")
    await pilot.pause(1)


async def _compose(pilot: Pilot[None]) -> None:
    await _batches(pilot)
    await pilot.press("n")
    await pilot.pause(0.5)
    form = _app(pilot).screen.query_one(ComposeForm)
    for key, text in DRAFT.items():
        form.row(key).text = text
        await pilot.pause(0.5)
    await pilot.pause(1)


async def _views(pilot: Pilot[None], *keys: str) -> None:
    """A sweep of sites over their spacing, and the same with more losses."""
    app = _app(pilot)
    first, second = sweep(app.library, "ridge sites"), sweep(app.library, "ridge sites, soiled", loss=3)
    app.link.refresh()
    await _until(pilot, lambda: app.link.folder(first.id) and app.link.folder(second.id))
    if keys:
        app.push_screen(ViewsScreen(first.id, first="plot"))
    else:
        app.push_screen(CompareScreen(first.id, second.id))
    for key in keys:
        await pilot.pause(1)
        await pilot.press(*key.split())
    await pilot.pause(1.5)


async def _plot(pilot: Pilot[None]) -> None:
    await _views(pilot, "x", "g c r enter")


async def _compare(pilot: Pilot[None]) -> None:
    await _views(pilot)


async def _facts(pilot: Pilot[None]) -> None:
    await _batches(pilot)
    await pilot.press("j", "j", "i")
    await pilot.pause(1)


async def _log(pilot: Pilot[None]) -> None:
    await _batches(pilot)
    await pilot.press("4")
    await pilot.pause(1)


async def _help(pilot: Pilot[None]) -> None:
    await _batches(pilot)
    await pilot.press("question_mark")
    await pilot.pause(0.5)


DRAFT = {
    "source.file": "reviews.csv",
    "backend": "openai",
    "job.model": "gpt-4.1-mini",
    "job.system": "You are precise.",
    "job.prompt": "Summarise this review in one sentence:\n\n{{ text }}",
    "job.max_tokens": "200",
    "limits.cost_usd": "5",
}
SMALL, LARGE = (80, 24), (160, 48)
SHOTS: dict[str, Shot] = {
    "batches": (LARGE, _batches),
    "batches-80x24": (SMALL, _batches),
    "batch": (LARGE, _batch),
    "batch-80x24": (SMALL, _batch),
    "result-80x24": (SMALL, _result),
    "compose": (LARGE, _compose),
    "facts-80x24": (SMALL, _facts),
    "log": (LARGE, _log),
    "help-80x24": (SMALL, _help),
    "views": (LARGE, _plot),
    "views-80x24": (SMALL, _plot),
    "compare": (LARGE, _compare),
    "scenarios": (LARGE, grids.view("flow", "scenarios")),
    "loading": (LARGE, grids.view("flow", "loading")),
    "loading-80x24": (SMALL, grids.view("flow", "loading")),
    "voltages": (LARGE, grids.view("small", "voltages")),
    "duration-80x24": (SMALL, grids.view("flow", "duration")),
    "contingencies": (LARGE, grids.view("outages", "contingencies")),
    "contingencies-80x24": (SMALL, grids.view("outages", "contingencies")),
    "flows": (LARGE, grids.view("outages", "contingencies", "enter")),
    "opf": (LARGE, grids.view("dispatch", "opf")),
    "prices": (LARGE, grids.view("dispatch", "prices")),
    "binding-80x24": (SMALL, grids.view("dispatch", "binding")),
    "compare-grids": (LARGE, grids.comparison("flow", "more load", "tab")),
}


async def take(name: str) -> None:
    """One picture, of an app and a server of its own."""
    size, act = SHOTS[name]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder_name,
        DemoServer(faults=FAULTS) as server,
    ):
        folder = Path(folder_name)
        os.chdir(folder)
        (folder / "reviews.csv").write_text(
            "id,text\n" + "".join(f"r{n},Review number {n}.\n" for n in range(120))
        )
        server.write_config(folder / "config.toml")
        config = load_config(folder / "config.toml", env={})
        library, backends = Library(folder / "data"), Backends(config, env={})
        for sample in samples():
            make(sample, folder, library, backends)
        app = BatchtuiApp(config, library.data_dir)
        async with app.run_test(size=size) as pilot:
            try:
                await act(pilot)
                svg = app.export_screenshot()
            finally:
                app.link.stop()
        os.chdir(ROOT)
    TARGET.mkdir(exist_ok=True)
    (TARGET / f"{name}.png").write_bytes(png(svg))
    print(TARGET / f"{name}.png")


def main() -> None:
    for name in sys.argv[1:] or SHOTS:
        asyncio.run(take(name))


if __name__ == "__main__":
    main()
