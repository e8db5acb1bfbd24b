"""`import batchtui` against bare Python: what a program pays that does not use it yet.

Run: python -m tests.benchmarks.import_time. Each line: name, value, unit, ratio, goal, PASS or FAIL; the ratio is of
milliseconds over bare Python to the 30 that it may cost.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks.report import line

ROUNDS = 21
GOAL_MS = 30.0
BARRED = ("textual", "httpx", "asyncio")


def milliseconds(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - begin) * 1000


def over_bare(code: str) -> float:
    """The median of the differences, taken by turns so that a busy machine burdens both alike."""
    milliseconds(code)  # once for the bytecode
    return statistics.median(milliseconds(code) - milliseconds("pass") for _ in range(ROUNDS))


def main() -> int:
    look = f"import batchtui, sys; sys.exit(any(name in sys.modules for name in {BARRED!r}))"
    light = subprocess.run([sys.executable, "-c", look]).returncode == 0
    package = over_bare("import batchtui")
    passed = line("import-batchtui", package, "ms", package / GOAL_MS, 1.0)
    whole = over_bare("from batchtui import Batch")
    passed &= line("import-batch", whole, "ms", whole / (5 * GOAL_MS), 1.0)
    passed &= line("import-barred", float(not light), "modules", float(not light), 0.0)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
