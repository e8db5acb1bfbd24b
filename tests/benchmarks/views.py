"""Views over a million stored jobs: how long until the first is shown, and how long a key ever has to wait meanwhile.

The wait is set against that of the same app while nothing is read. Run: python -m tests.benchmarks.views [jobs]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from textual.pilot import Pilot

from batchtui.results.views.drawings.picture import draw
from batchtui.results.views.shapes import Lines, Series
from batchtui.store.library import Library
from batchtui.tui.screens.reading.views import ViewsScreen
from tests.benchmarks.report import line
from tests.tui.samples import NOW, Sample, app_over
from tests.tui.waiting import until

JOBS = 1_000_000
WAIT_GOAL = 0.2
"""Seconds that a key may wait while a view is read; a collection of the whole heap is among it."""
SHOWN_GOAL = 15.0
DRAW_GOAL = 0.5


def make(path: Path, jobs: int) -> Library:
    """One batch of results with a few figures each."""
    library = Library(path)
    sample = Sample(library, "bench7", "a-million", [f"job-{n:07}" for n in range(jobs)], age=86_400, backend="local",
                    remote=False)  # fmt: skip
    for n in range(jobs):
        sample.finish(
            n, took=0, output={"summary": {"loss_mw": n % 977 / 10, "overloads": n % 7}}, cost_usd=None
        )
    sample.end()
    sample.close()
    return library


class Ticks:
    """How late a timer of 5 ms ever comes: what a key would have waited."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, time.perf_counter() - before - 0.005)


async def longest_wait(during: object) -> float:
    ticks = Ticks()
    task = asyncio.create_task(ticks.run())
    await during  # type: ignore[misc]
    task.cancel()
    return ticks.longest


async def measure(library: Library) -> bool:
    sys.setswitchinterval(0.001)  # as the app does
    app = app_over(library, now=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        app.link.status("bench7")  # the list of batches shows it
        await pilot.pause()
        quiet = await longest_wait(asyncio.sleep(2))
        start = time.perf_counter()
        busy = await longest_wait(opened(pilot))
        shown = time.perf_counter() - start
    print(
        f"# nothing read: a key waits {1000 * quiet:.1f} ms at most; this run's size {shown:.2f} s",
        file=sys.stderr,
    )
    held = line("views_longest_wait", busy, "s", busy / WAIT_GOAL, 1)
    soon = line("views_first_shown", shown, "s", shown / SHOWN_GOAL, 1)
    return held and soon


async def opened(pilot: Pilot[None]) -> None:
    pilot.app.push_screen(ViewsScreen("bench7"))
    await until(pilot, lambda: isinstance(pilot.app.screen, ViewsScreen), 60)
    screen = pilot.app.screen
    assert isinstance(screen, ViewsScreen)
    await until(pilot, lambda: screen._view is not None, 120)


def drawn() -> bool:
    """Pictures of 20,000 points, the import of plotext left out."""
    series = Series("a", [float(n) for n in range(20_000)], [n * 7919 % 1009 / 10 for n in range(20_000)])
    draw(Lines((series,)), 40, 10)
    took = []
    for points in (False, True):
        start = time.perf_counter()
        draw(Lines((series,), points=points), 120, 40)
        took.append(time.perf_counter() - start)
    return line("views_draw_20000", max(took), "s", max(took) / DRAW_GOAL, 1)


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    good = drawn()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        library = make(Path(folder) / "data", jobs)
        print(f"# stored {jobs:,} jobs in {time.perf_counter() - start:.1f} s", file=sys.stderr)
        return 0 if asyncio.run(measure(library)) and good else 1


if __name__ == "__main__":
    sys.exit(main())
