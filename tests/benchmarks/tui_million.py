"""The job table over a million stored jobs, in CPU time, so that a busy machine says the same as a quiet one.

Run: python -m tests.benchmarks.tui_million [jobs]. Each line: name, value, unit, ratio to its limit, goal, PASS or FAIL.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from batchtui.store.library import Library
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.widgets.tables.job_table import JobTable
from tests.benchmarks.report import line
from tests.benchmarks.table_100k import Painted, make, p95, pressed, rss_mb
from tests.tui.samples import NOW, app_over
from tests.tui.waiting import until

JOBS = 1_000_000
FIRST_ROWS, KEY, STROKE, MEMORY = 0.5, 20.0, 80.0, 80.0
"""Seconds, milliseconds, milliseconds, megabytes."""


async def measure(library: Library) -> bool:
    app = app_over(library, now=lambda: NOW)
    before = rss_mb()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        start = time.process_time()
        app.open_batch("bench2")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, BatchScreen) and app.screen.query(JobTable) and app.screen.table.ids
            ),
        )
        first = time.process_time() - start
        memory = rss_mb() - before
        painted = Painted(pilot, pilot.app.screen.query_one(JobTable), time.process_time)
        keys, strokes = await pressed(pilot, painted)
    passed = line("tui-million-first-rows", first, "s", first / FIRST_ROWS, 1)
    passed &= line("tui-million-key", p95(keys), "ms", p95(keys) / KEY, 1)
    passed &= line("tui-million-filter", p95(strokes), "ms", p95(strokes) / STROKE, 1)
    return line("tui-million-memory", memory, "MB", memory / MEMORY, 1) and passed


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    with tempfile.TemporaryDirectory() as folder:
        library = make(Path(folder) / "data", jobs)
        return 0 if asyncio.run(measure(library)) else 1


if __name__ == "__main__":
    sys.exit(main())
