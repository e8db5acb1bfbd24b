"""What a job of kind `local` costs through the whole program: 2,000 times `true`, two at a time.

Beside it, in turns so that other load hits all alike: bare posix_spawn, and GNU parallel with a job log. CPU is that of
the program and of all that it started. Run: python -m tests.benchmarks.spawn [jobs]
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.report import line

AT_ONCE = 2
ROUNDS = 2
TIMES_BARE = 3.0
SHARE_OF_PARALLEL = 1 / 3


@dataclass
class Spent:
    wall: float = 0.0
    cpu: float = 0.0

    def add(self, work: Callable[[int], None], jobs: int) -> None:
        begin, before = time.perf_counter(), _cpu()
        work(jobs)
        self.wall += time.perf_counter() - begin
        self.cpu += _cpu() - before


def _cpu() -> float:
    """Seconds of processor time of this process's children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare(jobs: int) -> None:
    """`jobs` programs by posix_spawn and waitpid alone."""
    program = shutil.which("true")
    assert program
    for started in range(jobs):
        if started >= AT_ONCE:
            os.waitpid(-1, 0)
        os.posix_spawn(program, [program], os.environ)
    for _ in range(min(AT_ONCE, jobs)):
        os.waitpid(-1, 0)


def ours(jobs: int) -> None:
    """A batch of `jobs` programs, from the command line to the end: planned, journaled, its results stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows.csv").write_text("id\n" + "".join(f"r{n}\n" for n in range(jobs)))
        (folder / "batch.toml").write_text(
            f'backend = "local"\n[source]\nfile = "rows.csv"\n[job]\ncommand = ["true"]\n'
            f"[limits]\nconcurrency = {AT_ONCE}\n"
        )
        config = folder / "config.toml"
        config.touch()
        env = {**os.environ, "BATCHTUI_DATA_DIR": str(folder / "data"), "BATCHTUI_CONFIG": str(config)}
        command = [sys.executable, "-m", "batchtui", "run", "--trust", "-q", str(folder / "batch.toml")]
        subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def parallel(jobs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        command = ["parallel", f"-j{AT_ONCE}", "--joblog", f"{name}/log", "true"]
        given = "".join(f"{n}\n" for n in range(jobs)).encode()
        subprocess.run(command, input=given, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    ways: dict[Callable[[int], None], Spent] = {bare: Spent(), ours: Spent()}
    if shutil.which("parallel"):
        ways[parallel] = Spent()
    else:
        print("GNU parallel is missing (apt-get install parallel): not compared with it")
    for _ in range(ROUNDS):
        for way, spent in ways.items():
            spent.add(way, jobs)
    mine = ways[ours]
    passed = line("local wall over posix_spawn", mine.wall, "s", mine.wall / ways[bare].wall, TIMES_BARE)
    if theirs := ways.get(parallel):
        passed &= line("local wall over parallel", mine.wall, "s", mine.wall / theirs.wall, SHARE_OF_PARALLEL)
        passed &= line("local cpu over parallel", mine.cpu, "s", mine.cpu / theirs.cpu, SHARE_OF_PARALLEL)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
