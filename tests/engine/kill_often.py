"""Fifty kills a kind, more than a test run has time for. Run: python -m tests.engine.kill_often [KIND …]"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from batchtui.demo.server import DemoServer
from tests.cluster.clusters import Cluster
from tests.cluster.kills import killed_on_cluster
from tests.engine.crash import killed_batch

KINDS = ("openai", "anthropic", "gemini", "mistral", "together", "slurm")
KILLS, SUBMISSIONS, JOBS = 50, 40, 800
LATE = ("250ms", "2s")


def slurm() -> None:
    """Over a cluster on this machine."""
    for scenarios in (False, True):
        begin, cluster = time.monotonic(), Cluster()
        os.environ["SLURM_CONF"] = str(cluster.conf)
        try:
            with tempfile.TemporaryDirectory() as folder:
                sizes = {"jobs": JOBS, "submissions": SUBMISSIONS, "kills": KILLS, "seed": 7}
                kills = killed_on_cluster(Path(folder), cluster, **sizes, scenarios=scenarios)
        finally:
            cluster.stop()
        what, seconds = "scenarios" if scenarios else "programs", time.monotonic() - begin
        print(f"slurm: {kills} kills, {what}: nothing twice, nothing lost ({seconds:.0f} s)", flush=True)


def main() -> None:
    for kind in sys.argv[1:] or KINDS:
        if kind == "slurm":
            slurm()
            continue
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
