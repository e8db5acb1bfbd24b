"""100,000 DC scenarios of case118 in one batch, on this machine's cores or as an array on a Slurm of its own.

Run: python -m tests.benchmarks.scenarios_100k [--count N] [--slurm]. Each figure is that of a whole `batchtui run`
with all that it starts: processor time, the largest process, bytes on disk, and the time it took. A hundredth, a tenth
and all of the scenarios are run one after another; a batch of one is what the start costs, and is taken off, so that
it hides no growth. What a scenario costs must not grow with the batch by more than a fifth. Times depend on what else
the machine does; processor time hardly does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.report import line

ROOT = Path(__file__).parents[2]
GRID = ROOT / "tests/data/power/case118/case118.m"
FLAT = 1.2
"""How much more a scenario of the whole batch may cost than one of its hundredth."""
SMALLEST = 1000
"""Scenarios: with fewer the start, which is not the same twice, is what is measured."""
NODES_AT_ONCE = 2
"""Elements of an array at once: one for each core of a small machine."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one batch: seconds of the clock and of processors, the largest process in MB, bytes on disk, and elements."""

    count: int
    took: float
    cpu: float
    memory: float
    disk: int
    elements: int = 0

    def each(self, start: Cost) -> float:
        """Processor time of one scenario in milliseconds, without the start."""
        return (self.cpu - start.cpu) / self.count * 1000

    def told(self, start: Cost) -> str:
        array = f", {self.elements} elements" if self.elements else ""
        return (
            f"{self.count:>7,} scenarios: {self.took:.1f} s, {self.cpu:.1f} s of processors "
            f"({self.each(start):.3f} ms a scenario), largest process {self.memory:.0f} MB, "
            f"{self.disk / 1e6:.1f} MB on disk ({self.disk / self.count:,.0f} B a scenario){array}"
        )


def manifest(folder: Path, count: int) -> Path:
    scenarios = [
        {"id": f"s{n:06}", "grid": str(GRID), "load_scale": round(0.5 + n / count / 2, 8)}
        for n in range(count)
    ]
    path = folder / "manifest.json"
    path.write_text(json.dumps({"scenarios": scenarios, "solver": "dc", "max_jobs": NODES_AT_ONCE}))
    return path


def local(count: int, folder: Path) -> Cost:
    (folder / "config.toml").touch()
    return ran(count, folder, [])


def ran(count: int, folder: Path, more: list[str]) -> Cost:
    """A whole `batchtui run`; what Slurm runs is none of its processes."""
    file, log = manifest(folder, count), folder / "run.log"
    environment = {**os.environ, "BATCHTUI_DATA_DIR": str(folder / "data")}
    environment |= {"BATCHTUI_CONFIG": str(folder / "config.toml"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "batchtui", "run", "--trust", str(file), "-q", "--json", *more]
    begin = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - begin
    assert process.returncode == 0, log.read_text()[-2000:]
    (said,) = folder.rglob("batch_manifest.json")
    assert json.loads(said.read_text())["success"] == count
    return Cost(count, took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, disk_of(folder))


def disk_of(folder: Path) -> int:
    """Bytes that its files take, in whole blocks as the disk has them."""
    total, left = 0, [str(folder)]
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
    return total


# ---- on a cluster


@contextmanager
def slurm() -> Iterator[None]:
    """A real one on loopback, for as long as the measurement takes."""
    from tests.cluster.clusters import Cluster, missing

    if lacking := missing():
        raise SystemExit(f"Slurm is not installed: no {', '.join(lacking)}")
    cluster = Cluster(2)
    os.environ["SLURM_CONF"] = str(cluster.conf)
    try:
        yield
    finally:
        cluster.stop()


def on_slurm(count: int, folder: Path) -> Cost:
    """With what the elements used on their nodes, which the Python in front of theirs writes down."""
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\n{sys.executable} "$@"\ncode=$?\ntimes > {folder}/used.$SLURM_ARRAY_TASK_ID\nexit $code\n'
    )
    python.chmod(0o755)
    table = f'kind = "slurm"\nfolder = "{folder}/runs"\npython = "{python}"\nlag = 2\nsettle = 2\n'
    (folder / "config.toml").write_text(f"[backends.cluster]\n{table}")
    cost = ran(count, folder, ["--backend", "cluster"])
    used = [spent(path.read_text()) for path in folder.glob("used.*")]
    return Cost(count, cost.took, cost.cpu + sum(used), cost.memory, cost.disk, len(used))


def spent(times: str) -> float:
    """Seconds of a shell's `times`: its own and its children's, `0m1.25s 0m0.03s` each."""
    minutes = [word.rstrip("s").split("m") for word in times.split()]
    return sum(int(whole) * 60 + float(rest) for whole, rest in minutes)


# ---- all of it


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scenarios_100k")
    parser.add_argument("--count", type=int, default=100_000, metavar="N")
    parser.add_argument("--slurm", action="store_true", help="as an array, on a Slurm that is started for it")
    args = parser.parse_args()
    if not args.slurm:
        return measured(args.count, local, "local")
    with slurm():
        return measured(args.count, on_slurm, "slurm")


def measured(count: int, run: Callable[[int, Path], Cost], kind: str) -> int:
    sizes = sorted({min(count, max(SMALLEST, count // part)) for part in (100, 10, 1)})
    with tempfile.TemporaryDirectory() as name:
        start = run(1, Path(tempfile.mkdtemp(dir=name)))
        print(f"the start alone: {start.took:.1f} s, {start.cpu:.1f} s of processors, {start.memory:.0f} MB")
        costs = []
        for size in sizes:
            costs.append(run(size, Path(tempfile.mkdtemp(dir=name))))
            print(costs[-1].told(start), flush=True)
    small, large = costs[0], costs[-1]
    passed = [
        line(f"{kind}-cpu-a-scenario", large.each(start), "ms", large.each(start) / small.each(start), FLAT),
        line(
            f"{kind}-bytes-a-scenario",
            large.disk / count,
            "B",
            large.disk / count / (small.disk / small.count),
            FLAT,
        ),
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
