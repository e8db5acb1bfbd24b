"""1,000 AC power flows of case118 through `batchtui run` on two workers: a Parquet table each, and the summary.

Timed from the first solve in a warm worker to the end of the program; what came before (the start of Python, the check
of the manifest, the imports of the workers) is printed apart. Run: python -m tests.benchmarks.thousand_scenarios [N]
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.report import line

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests/data/power/case118"
GOAL_SECONDS = 3.0
ROUNDS = 3
"""Whatever else the machine does only ever adds."""


def manifest(folder: Path, count: int) -> Path:
    """Scenarios with a loads file each: every load of the case times a number from 0.9 to 1.1."""
    draw = random.Random(118)
    with (CASE / "loads/case118_s001.csv").open(newline="") as file:
        base = list(csv.DictReader(file))
    (folder / "loads").mkdir()
    scenarios = []
    for n in range(count):
        with (folder / f"loads/s{n}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["bus_id", "p_mw", "q_mvar"])
            for row in base:
                factor = draw.uniform(0.9, 1.1)
                writer.writerow([row["bus_id"], float(row["p_mw"]) * factor, float(row["q_mvar"]) * factor])
        scenarios.append({"id": f"s{n:05}", "grid": str(CASE / "case118.m"), "loads": f"loads/s{n}.csv"})
    path = folder / "manifest.json"
    path.write_text(json.dumps({"scenarios": scenarios, "solver": "ac", "max_jobs": 2}))
    return path


def first_solve(place: Path) -> float:
    """Unix seconds at which it began: when the first table was written, less the time that its solve took."""
    written = min(place.glob("job_*/result.parquet"), key=lambda path: path.stat().st_mtime_ns)
    summary = json.loads((written.parent / "result.json").read_text())["summary"]
    return written.stat().st_mtime - summary["duration_ms"] / 1000


def measured(count: int, folder: Path) -> tuple[float, float]:
    """Seconds from the first solve to the end, and those before it."""
    file = manifest(folder, count)
    (folder / "config.toml").touch()
    environment = {**os.environ, "BATCHTUI_DATA_DIR": str(folder / "data")}
    environment |= {"BATCHTUI_CONFIG": str(folder / "config.toml"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "batchtui", "run", "--trust", str(file), "-q"]
    begin = time.time()
    subprocess.run(command, cwd=folder, env=environment, check=True)
    end = time.time()
    place = folder / "runs/batch/manifest"
    said = json.loads((place / "batch_manifest.json").read_text())
    assert said["success"] == count
    assert (place / "summary/branches.parquet").exists()
    first = first_solve(place)
    return end - first, first - begin


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # one for all: making files is slow where many were just deleted
        rounds = [measured(count, Path(tempfile.mkdtemp(dir=folder))) for _ in range(ROUNDS)]
    seconds, before = min(rounds)
    print(f"each of {ROUNDS} rounds: {', '.join(f'{taken:.2f} s' for taken, _ in rounds)}; the best counts")
    print(f"before the first solve (Python, check of the manifest, imports of the workers): {before:.2f} s")
    goal = GOAL_SECONDS * max(1.0, count / 1000)
    return 0 if line(f"{count} AC scenarios of case118 with tables", seconds, "s", seconds / goal, 1.0) else 1


if __name__ == "__main__":
    raise SystemExit(main())
