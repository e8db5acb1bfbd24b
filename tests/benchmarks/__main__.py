"""Runs benchmarks, each in a process of its own, and says what became of every line that is promised.

Run: python -m tests.benchmarks [NAME …] [--json]. Without a name all that need neither the package index nor an hour.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.promised import PROMISED

HELPERS = {
    "__init__",
    "__main__",
    "promised",
    "report",
    "pandapower_compare",
    "pandapower_nets",
    "pandapower_small",
}
NAMED_ONLY = {"chat", "matpower_grids", "opf_objectives", "pandapower_grids", "scenarios_100k"}
"""Four need the index, one takes twenty minutes."""
WORDS = ("PASS", "FAIL")


@dataclass(frozen=True, slots=True)
class Measured:
    benchmark: str
    line: str
    value: float
    unit: str
    ratio: float
    goal: float
    verdict: str


def measured(benchmark: str, said: str) -> Measured | None:
    """A line `name value unit ratio goal PASS|FAIL`; None for any other."""
    parts = said.split()
    if len(parts) != 6 or parts[5] not in WORDS:
        return None
    name, value, unit, ratio, goal, verdict = parts
    return Measured(benchmark, name, float(value), unit, float(ratio), float(goal), verdict)


def ran(name: str, quiet: bool) -> tuple[list[Measured], bool]:
    found = []
    command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for said in process.stdout:
            print(said, end="", flush=True, file=sys.stderr if quiet else sys.stdout)
            if one := measured(name, said):
                found.append(one)
    return found, process.returncode == 0


def main() -> int:
    names = [word for word in sys.argv[1:] if not word.startswith("-")]
    as_json = "--json" in sys.argv
    everything = {path.stem for path in Path(__file__).parent.glob("*.py")} - HELPERS
    lines: list[Measured] = []
    failed = []
    for name in names or sorted(everything - NAMED_ONLY):
        found, well = ran(name, as_json)
        lines += found
        if not well:
            failed.append(name)
    left = [one for one in PROMISED if not any(line.line.startswith(one.line) for line in lines)]
    if as_json:
        skipped = [asdict(one) | {"verdict": "SKIP"} for one in left]
        print(json.dumps({"measured": [asdict(line) for line in lines], "skipped": skipped}, indent=1))
    else:
        for one in left:
            print(f"{one.line} SKIP {one.why or f'python -m tests.benchmarks {one.benchmark}'}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
