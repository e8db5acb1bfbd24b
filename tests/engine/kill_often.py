"""Fifty kills a kind, more than a test run has time for. Run: python -m tests.engine.kill_often [KIND …]"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.engine.crash import killed_batch

KINDS = ("openai", "anthropic", "gemini", "mistral", "together")
KILLS, SUBMISSIONS, JOBS = 50, 40, 800
LATE = ("250ms", "2s")


def main() -> None:
    for kind in sys.argv[1:] or KINDS:
        for late in LATE:
            kills = KILLS if late == LATE[0] else KILLS // 5
            faults = f"drop.create=0.2,drop.upload=0.1,late={late},duration=500ms,seed=5"
            begin = time.monotonic()
            with tempfile.TemporaryDirectory() as folder, DemoServer(faults=faults) as server:
                killed_batch(
                    Path(folder), server, kind, jobs=JOBS, submissions=SUBMISSIONS, kills=kills, seed=7
                )
            seconds = time.monotonic() - begin
            print(
                f"{kind}: {kills} kills, late by {late}: nothing twice, nothing lost ({seconds:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
