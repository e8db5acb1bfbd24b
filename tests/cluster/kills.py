"""A batch on a real cluster, killed with signal 9 around every step, and what Slurm and the run folders say of it after."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.cluster.clusters import Cluster
from tests.cluster.conftest import write_config
from tests.engine.victim import Victim

GRID = Path(__file__).parents[1] / "data" / "power" / "case14" / "case14.m"
STEPS = (1, 200, 400, 700, 1_000, 2_000, 4_000)
"""Bytes of the journal after which it is killed: around intents, notes, ids of arrays, results."""


def killed_on_cluster(
    folder: Path, cluster: Cluster, *, jobs: int, submissions: int, kills: int, seed: int, scenarios: bool
) -> int:
    """Run a batch over up to `kills` kills to its end, and how many there were; asserts that nothing ran twice or is lost.

    `scenarios`: power flow, killed while its tables are written too; else programs. `SLURM_CONF` is the cluster's.
    """
    config = write_config(folder, chunk=5)
    rows = "".join(f"s{n},{round(0.5 + n / 1000, 4)}\n" for n in range(jobs))
    (folder / "rows.csv").write_text(f"id,scale\n{rows}")
    shutil.copy(GRID, folder)
    flow = f'task = "dc"\ngrid = "{GRID.name}"\nload_scale = "{{{{ scale }}}}"\n'
    work = flow if scenarios else 'command = ["true"]\n'
    batch = folder / "batch.toml"
    batch.write_text(
        'name = "kills"\nbackend = "cluster"\n[source]\nfile = "rows.csv"\n[output]\ndir = "out"\n'
        f"[job]\n{work}[limits]\njobs_per_submission = {jobs // submissions}\nsubmissions_at_once = 4\n"
    )
    victim, chance = Victim(folder / "data", config), random.Random(seed)
    arguments: tuple[str, ...] = ("run", "--trust", str(batch))
    done = 0
    while done < kills and victim.kill_when(victim.start(*arguments), _point(victim, folder / "out", chance)):
        done += 1
        arguments = ("resume", victim.folder().id)
    ended = victim.finish("resume", victim.folder().id)
    assert ended.returncode == 0, ended.stderr.decode()
    _nothing_twice_nothing_lost(victim, folder, cluster, jobs, submissions)
    if scenarios:
        told = json.loads((folder / "out" / "batch_manifest.json").read_text())
        assert told["success"] == jobs
        assert [one["scenario_id"] for one in told["jobs"]] == [f"s{n}" for n in range(jobs)]
    return done


def _point(victim: Victim, out: Path, chance: random.Random) -> Callable[[], bool]:
    """Where to kill it next: when the journal, or the output folder, has grown by so much."""
    before, step = victim.size("events.jsonl"), chance.choice(STEPS)
    written, more = len(list(out.glob("job_*"))), chance.choice((1, 5, 20))
    return lambda: (
        victim.size("events.jsonl") > before + step or len(list(out.glob("job_*"))) >= written + more
    )


def _nothing_twice_nothing_lost(
    victim: Victim, folder: Path, cluster: Cluster, jobs: int, submissions: int
) -> None:
    batch = victim.folder()
    status = batch.status(submissions=True)
    assert (status.completed, status.total, len(status.submissions or [])) == (jobs, jobs, submissions)
    assert {batch.result(n).attempts for n in range(jobs)} == {1}
    arrays = Counter(cluster.submitted())
    assert len(arrays) == submissions
    assert set(arrays.values()) == {jobs // submissions // 5}
    ends = Counter(
        words[1]
        for log in (folder / "runs").glob("*/logs/*.out")
        for line in log.read_text().splitlines()
        if len(words := line.split()) > 2 and words[2] == "completed"
    )
    assert ends == dict.fromkeys((f"s{n}" for n in range(jobs)), 1)
