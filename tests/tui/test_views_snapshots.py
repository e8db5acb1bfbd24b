"""What views look like at two sizes, in other themes, and without colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from batchtui.results.views.shapes import Bars, Column, Heat, Lines, Picture, Series, Table, View
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from batchtui.tui.screens.reading.compare import CompareScreen
from batchtui.tui.screens.reading.views import ViewsScreen
from tests.results.views.view_samples import sweep
from tests.tui.samples import app_over
from tests.tui.waiting import until

SIZES = [(80, 24), (160, 48)]
Compare = Callable[..., bool]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PICTURES: dict[str, Picture] = {
    "lines": Lines(
        (Series("fixed", [float(n) for n in range(12)], [210.0, 260, 340, 400, 450, 470, 480, 440, 370, 300, 220, 190]),
         Series("tracker", [float(n) for n in range(12)], [240.0, 300, 400, 480, 550, 580, 590, 530, 440, 350, 250, 215])),
        "month", "MWh", MONTHS),
    "heat": Heat(
        [f"line {n} (65-68)" for n in range(30)], [f"s{n:03}" for n in range(200)],
        [[(7 * n * n + m * (n % 4)) % 131 if (n + m) % 37 else None for m in range(200)] for n in range(30)],
        (50, 80, 90, 100), "%"),
    "bars": Bars(["irradiance", "soiling", "shading", "modules", "wiring"], [1.5, -2.0, -4.25, -3.0, -0.75], "%"),
}  # fmt: skip


def ready(app: BatchtuiApp) -> Callable[[Pilot[None]], object]:
    """Wait until the view is read and its picture drawn."""

    async def wait(pilot: Pilot[None]) -> None:
        def settled() -> bool:
            screen = app.front()
            if not isinstance(screen, ViewsScreen) or screen._words or screen._view is None:
                return False
            return not list(app.workers) and not list(screen.workers)

        await until(pilot, lambda: isinstance(app.front(), ViewsScreen))
        await until(pilot, settled)
        await pilot.pause()

    return wait


def an_app(tmp_path: Path) -> BatchtuiApp:
    library = Library(tmp_path / "data")
    sweep(library)
    return app_over(library)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["table", "plot", "histogram", "duration"])
def test_views(snap_compare: Compare, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    app = an_app(tmp_path)

    async def before(pilot: Pilot[None]) -> None:
        app.push_screen(ViewsScreen(app.library.ids()[0], first=name))
        await ready(app)(pilot)  # type: ignore[misc]

    assert snap_compare(app, run_before=before, terminal_size=size)


class Shown(ViewsScreen):
    """One picture, whatever the batch holds."""

    picture_name = ""

    def build_view(self, *_: object) -> View:
        rows: list[tuple[str | int | float | bool | None, ...]] = [
            (f"run {n}", n * 1.5, n) for n in range(12)
        ]
        table = Table((Column("run"), Column("energy", "MWh", 1), Column("n")), rows, "first 12 of 40 runs")
        return View("v", "Runs", table, PICTURES[self.picture_name], (), (("runs", 40), ("mean", 412.4)))


def showing(app: BatchtuiApp, name: str) -> Callable[[Pilot[None]], object]:
    async def before(pilot: Pilot[None]) -> None:
        screen = Shown(app.library.ids()[0])
        screen.picture_name = name
        app.push_screen(screen)
        await ready(app)(pilot)  # type: ignore[misc]

    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Compare, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    app = an_app(tmp_path)
    assert snap_compare(app, run_before=showing(app, name), terminal_size=size)


@pytest.mark.parametrize("theme", ["ansi-dark", "textual-light"])
@pytest.mark.parametrize("name", ["heat", "lines"])
def test_themes(snap_compare: Compare, tmp_path: Path, name: str, theme: str) -> None:
    app = an_app(tmp_path)
    app.config.ui = {"theme": theme}
    assert snap_compare(app, run_before=showing(app, name), terminal_size=(80, 24))


@pytest.mark.parametrize("name", PICTURES)
def test_without_colour(
    snap_compare: Compare, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    app = an_app(tmp_path)
    assert snap_compare(app, run_before=showing(app, name), terminal_size=(80, 24))


@pytest.mark.parametrize("name", PICTURES)
def test_ascii(snap_compare: Compare, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    app = an_app(tmp_path)
    assert snap_compare(app, run_before=showing(app, name), terminal_size=(80, 24))


@pytest.mark.parametrize("size", [*SIZES, (60, 14)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_compare(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    library = Library(tmp_path / "data")
    first, second = sweep(library), sweep(library, "again", loss=3)
    app = app_over(library)

    async def before(pilot: Pilot[None]) -> None:
        app.push_screen(CompareScreen(first.id, second.id))
        await ready(app)(pilot)  # type: ignore[misc]

    assert snap_compare(app, run_before=before, terminal_size=size)
