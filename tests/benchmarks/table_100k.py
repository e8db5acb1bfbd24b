"""The job table over 100,000 stored jobs: first rows, key to paint, filter keystroke, memory.

Prints `name value unit goal PASS/FAIL` lines. Run: python tests/benchmarks/table_100k.py
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from textual.pilot import Pilot
from textual.strip import Strip

from batchtui.model import JobState
from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.widgets.tables.job_table import JobTable
from tests.tui.samples import NOW, Sample, app_over
from tests.tui.waiting import until

JOBS = 100_000
NAMES = {" ": "space", ":": "colon", "!": "exclamation_mark", "-": "minus"}


def make(path: Path, jobs: int = JOBS) -> Library:
    """One batch with every job ended, a fiftieth of them failed."""
    library = Library(path)
    sample = Sample(library, "bench2", "hundred-thousand", [f"job-{n:06}" for n in range(jobs)], age=86_400)
    sample.submit(0, jobs)
    sample.poll("ended")
    for n in range(jobs):
        if n % 50 == 7:
            sample.finish(
                n,
                JobState.FAILED,
                took=0,
                error_kind="rate_limit",
                error=f"429 rate limited, retry after {n % 60} s",
            )
        else:
            sample.finish(
                n, took=0, raw_response=f"The answer to question {n} is {n * 7}.\nAnd a second line."
            )
    sample.record("collected", sub=1)
    sample.record("ended")
    sample.close()
    return library


def rss_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


class Painted:
    """Times keys from the press until the first paint with new lines of the table, by `clock`."""

    def __init__(
        self, pilot: Pilot[None], table: JobTable, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._pilot = pilot
        self._clock = clock
        self._at: float | None = None
        self._drawn = False
        display, line = pilot.app._display, table.render_line

        def painted(*args: object) -> None:
            display(*args)  # type: ignore[arg-type]
            if self._drawn and self._at is None:
                self._at = clock()

        def drawn(y: int) -> Strip:
            self._drawn = True
            return line(y)

        pilot.app._display = painted  # type: ignore[method-assign, assignment]
        table.render_line = drawn  # type: ignore[method-assign]

    async def press(self, key: str) -> float | None:
        """Milliseconds; None for a key that changed nothing in the table."""
        self._at, self._drawn = None, False
        start = self._clock()
        await self._pilot.press(key)
        return (self._at - start) * 1000 if self._at is not None else None


def p95(found: list[float | None]) -> float:
    values = [value for value in found if value is not None]
    return sorted(values)[int(len(values) * 0.95)]


def report(name: str, value: float, unit: str, goal: float) -> bool:
    good = value <= goal
    print(f"{name} {value:.2f} {unit} {goal:g} {'PASS' if good else 'FAIL'}", flush=True)
    return good


async def pressed(pilot: Pilot[None], painted: Painted) -> tuple[list[float | None], list[float | None]]:
    """Keys that move about, and those that type filters and take them back."""
    keys = [
        await painted.press(key) for key in ["j", "down", "pagedown", "pagedown", "G", "k", "g", "ctrl+d"] * 6
    ]
    await pilot.press("slash")
    strokes = []
    for word in ("7", "retry", "status:failed 42", "!job-00"):
        strokes += [await painted.press(NAMES.get(char, char)) for char in word]
        strokes += [await painted.press("backspace") for _ in word]
    return keys, strokes


async def measure(library: Library) -> bool:
    app = app_over(library, now=lambda: NOW)
    before, begun = rss_mb(), time.perf_counter()
    async with app.run_test(size=(120, 40)) as pilot:
        frame = time.perf_counter() - begun
        start = time.perf_counter()
        app.open_batch("bench2")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, BatchScreen) and app.screen.query(JobTable) and app.screen.table.ids
            ),
        )
        first = time.perf_counter() - start
        memory = rss_mb() - before
        keys, strokes = await pressed(pilot, Painted(pilot, pilot.app.screen.query_one(JobTable)))
        results = [
            report("table_first_frame", frame, "s", 1.0),
            report("table_first_rows", first, "s", 1.0),
            report("table_key_to_paint_p95", p95(keys), "ms", 50),
            report("table_filter_keystroke_p95", p95(strokes), "ms", 50),
            report("table_memory_added", memory, "MB", 60),
            report("table_rss", rss_mb(), "MB", 200),
        ]
    return all(results)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        library = make(Path(folder) / "data")
        print(f"# stored {JOBS:,} jobs in {time.perf_counter() - start:.1f} s", file=sys.stderr)
        return 0 if asyncio.run(measure(library)) else 1


if __name__ == "__main__":
    sys.exit(main())
