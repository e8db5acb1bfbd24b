"""What a job of kind `local` costs beside the bare system call: 2,000 times `true`, two at a time, output to files.

Run as `python tests/benchmarks/spawn.py [jobs]`. Both ways alternate in rounds, so that other load hits them alike.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from batchtui.backends.base import BackendSettings, Job, Setup
from batchtui.backends.local import LocalBackend, LocalWork

AT_ONCE = 2
ROUNDS = 10
GOAL = 2.5


def bare(program: str, jobs: int) -> float:
    """Seconds for `jobs` programs by posix_spawn and waitpid alone."""
    begin = time.perf_counter()
    for started in range(jobs):
        if started >= AT_ONCE:
            os.waitpid(-1, 0)
        os.posix_spawn(program, [program], os.environ)
    for _ in range(min(AT_ONCE, jobs)):
        os.waitpid(-1, 0)
    return time.perf_counter() - begin


async def ours(backend: LocalBackend, program: str, jobs: int) -> float:
    """Seconds for `jobs` programs through the backend."""
    numbers = iter(range(jobs))

    async def lane() -> None:
        for number in numbers:
            job = Job(number, str(number), 1, "token", LocalWork(command=[program]))
            outcome = await backend.run(job, lambda _: None)
            assert outcome.output["exit_code"] == 0

    begin = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    return time.perf_counter() - begin


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    program = shutil.which("true")
    assert program
    with tempfile.TemporaryDirectory() as folder:
        backend = LocalBackend(Setup("local", BackendSettings(kind="local")))
        backend.use_run_dir(Path(folder))
        limit = taken = 0.0
        for _ in range(ROUNDS):
            limit += bare(program, jobs // ROUNDS)
            taken += asyncio.run(ours(backend, program, jobs // ROUNDS))
    ratio = taken / limit
    print(
        f"{jobs} x true, {AT_ONCE} at a time: posix_spawn {limit / jobs * 1e6:.0f} us a job, "
        f"local {taken / jobs * 1e6:.0f} us a job, ratio {ratio:.2f} (goal {GOAL})"
    )
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
