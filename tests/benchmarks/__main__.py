"""Runs every benchmark, each in a process of its own. Run: python -m tests.benchmarks [NAME …]"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HELPERS = {"__init__", "__main__", "report", "pandapower_compare", "pandapower_nets", "pandapower_small"}
NAMED_ONLY = {
    "matpower_grids",
    "opf_objectives",
    "pandapower_grids",
    "scenarios_100k",
}  # three need the index, one takes twenty minutes


def main() -> int:
    names = sys.argv[1:] or sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - NAMED_ONLY)
    failed = [
        name
        for name in names
        if name not in HELPERS
        and subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"]).returncode
    ]
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
