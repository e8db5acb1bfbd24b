"""Outside text made safe to show: ten megabytes of each sort cleaned, beside one pass of `str.translate` over them.

Run: python -m tests.benchmarks.cleaning. Each line: name, value, unit, ratio, goal, PASS or FAIL.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from batchtui.text import clean
from tests.benchmarks.report import line

SORTS = {"plain": "x", "accents": "é", "controls": "\x1b", "mixed": "wörld \x1b[31m\n", "marks": "\u0301"}
SIZE = 10_000_000
GOAL = 4.0


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def main() -> int:
    passed = True
    for name, unit in SORTS.items():
        text = (unit * SIZE)[:SIZE]
        bare = milliseconds(lambda text=text: text.translate({0: 1, 0x1B: 0x241B}))
        took = milliseconds(lambda text=text: clean(text))
        passed &= line(f"clean-{name}", took, "ms", took / bare, GOAL)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
