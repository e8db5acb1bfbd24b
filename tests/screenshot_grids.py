"""Pictures of the views over scenarios on a grid: IEEE 118 bus with ratings and IEEE 14 bus, solved as they are taken."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.reading.compare import CompareScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from tests.tui.waiting import until

POWER = Path(__file__).parent / "data" / "power"
RATED, SMALL = "pglib/pglib_opf_case118_ieee.m", "case14/case14.m"
RUNS = {
    "flow": (RATED, "ac", 24, "1.0"),
    "more load": (RATED, "ac", 24, "1.04"),
    "outages": (RATED, "n1", 1, "1.0"),
    "dispatch": (RATED, "dcopf", 24, "1.0"),
    "small": (SMALL, "ac", 24, "1.0"),
}
"""By batch: its grid, its task, how many scenarios, and the scale of loads."""


def solve(library: Library, name: str) -> str:
    """Run one of RUNS to its end beside the batches of `library`; its id."""
    case, task, count, scale = RUNS[name]
    folder = library.data_dir / "grids"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "scenarios.json"
    grid = str(POWER / case)
    loads = sorted((POWER / ("case14" if case == SMALL else "case118") / "loads").glob("case*.csv"))
    scenarios = [{"id": path.stem, "grid": grid, "loads": str(path)} for path in loads]
    manifest.write_text(json.dumps({"scenarios": scenarios, "solver": task}))
    settings = {"name": name, "source.limit": count, "job.load_scale": scale, "output.dir": folder / name}
    command = [
        sys.executable,
        "-m",
        "batchtui",
        "--data-dir",
        str(library.data_dir),
        "run",
        "--trust",
        str(manifest),
        "-q",
    ]
    subprocess.run(
        [*command, *(part for k, v in settings.items() for part in ("--set", f"{k}={v}"))], check=False
    )
    return library.find(name).id


def view(batch: str, name: str, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Take a view of one of RUNS, after these keys."""

    async def act(pilot: Pilot[None]) -> None:
        app = _app(pilot)
        screen = ViewsScreen(await _there(pilot, solve(app.library, batch)), first=name)
        await _shown(pilot, screen, keys)

    return act


def comparison(first: str, second: str, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Take two of RUNS side by side, after these keys."""

    async def act(pilot: Pilot[None]) -> None:
        library = _app(pilot).library
        ids = [await _there(pilot, solve(library, name)) for name in (first, second)]
        await _shown(pilot, CompareScreen(*ids), keys)

    return act


async def _there(pilot: Pilot[None], batch_id: str) -> str:
    app = _app(pilot)
    app.link.refresh()
    await until(pilot, lambda: app.link.folder(batch_id) is not None)
    return batch_id


async def _shown(pilot: Pilot[None], screen: ViewsScreen, keys: tuple[str, ...]) -> None:
    _app(pilot).push_screen(screen)
    for key in ("", *keys):
        if key:
            await pilot.press(key)
        await until(pilot, lambda: screen._view is not None and not screen._words)
        await pilot.pause(0.5)


def _app(pilot: Pilot[None]) -> BatchtuiApp:
    assert isinstance(pilot.app, BatchtuiApp)
    return pilot.app
