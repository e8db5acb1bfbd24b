"""A node, the controller or this program lost in the middle: nothing runs twice, nothing is given up."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.cli.shared.phrases import contact
from batchtui.store.folder import BatchFolder
from batchtui.tui.look.states import UNICODE
from batchtui.tui.look.submission_lines import lines
from tests.cluster.clusters import Cluster, doing
from tests.cluster.conftest import write_config
from tests.engine.bench import Bench, until
from tests.engine.victim import Victim

pytestmark = pytest.mark.timeout(400)
OnCluster = Callable[..., Bench]


def test_tasks_of_a_crashed_node_finish_elsewhere(
    on_cluster: OnCluster, cluster: Cluster, tmp_path: Path
) -> None:
    """What had a result is not run again; each run of a job leaves a line."""
    bench, runs, gate = on_cluster(chunk=3), tmp_path / "ran", tmp_path / "gate"
    runs.mkdir()
    script = (
        f"echo $SLURMD_NODENAME >> {runs}/{{{{ id }}}}; case {{{{ id }}}} in *[1478]) ;; "
        f"*) until test -e {gate}; do sleep 0.2; done;; esac"
    )
    folder = bench.start(bench.spec("cluster", 24, {"command": ["sh", "-c", script]}))
    until(lambda: cluster.ask("squeue", "-h", "-t", "running", "-w", "n1"), "elements on n1")
    until(lambda: (runs / "r0").exists(), "its first job")
    cluster.run("crash", "n1")
    gate.touch()
    assert bench.worker.wait({folder.id}, 240), bench.worker.log()
    folder = bench.known(folder.id)
    assert folder.status().completed == 24
    nodes = {job: (runs / job).read_text().split() for job in folder.jobs.ids}
    moved = {job for job, ran in nodes.items() if len(ran) > 1}
    assert moved
    assert {ran[0] for job, ran in nodes.items() if job in moved} == {"n1"}
    assert all(len(ran) <= 2 and "n1" not in ran[1:] for ran in nodes.values())
    restarts = Counter(folder.result(n).remote.get("restart", 0) for n in range(24))
    assert restarts[1] >= len(moved)


def test_the_controller_is_away_for_a_while(on_cluster: OnCluster, cluster: Cluster, tmp_path: Path) -> None:
    """The status tells when it was last asked and when it is asked again; no job fails of it."""
    bench, gate = on_cluster(answer=2, poll_interval=0.5), tmp_path / "gate"
    job = {"command": ["sh", "-c", f"until test -e {gate}; do sleep 0.1; done"]}
    folder = bench.start(bench.spec("cluster", 8, job))
    until(lambda: "running" in doing(folder), "elements that run")
    cluster.kill_controller()
    until(lambda: any("asking again" in line.text for line in bench.worker.log()), "trouble in the log")
    (told,) = bench.status(folder).submissions or []
    assert (told.status, told.failed, bench.status(folder).failed) == ("processing", 0, 0)
    assert told.last_contact
    until(lambda: "next try in" in contact((bench.status(folder).submissions or [])[0]), "the next try")
    assert contact(told).startswith("last contact ")
    assert "last contact" in seen_in_the_app(bench, folder)
    gate.touch()
    cluster.start_controller()
    assert bench.worker.wait({folder.id}, 120), bench.worker.log()
    assert bench.known(folder.id).status().completed == 8


def seen_in_the_app(bench: Bench, folder: BatchFolder) -> str:
    """What the app says of the batch's submissions, in another process's place: it only reads."""
    found = lines(bench.status(folder).submissions or [], UNICODE, time.time(), 5, 100)
    return "\n".join(line.plain for line in found)


def test_a_batch_offered_while_the_controller_is_away_waits(on_cluster: OnCluster, cluster: Cluster) -> None:
    bench = on_cluster(answer=2)
    cluster.kill_controller()
    folder = bench.start(bench.spec("cluster", 2, {"command": ["true"]}))
    until(lambda: (found := bench.status(folder).submissions) and found[0].reason, "the reason")
    assert bench.status(folder).failed == 0
    cluster.start_controller()
    assert bench.worker.wait({folder.id}, 120), bench.worker.log()
    assert bench.known(folder.id).status().completed == 2


SBATCH = """#!{python}
import os, select, subprocess, sys, pathlib
client = os.getppid()
mark = pathlib.Path({mark!r})
answer = subprocess.run(["{sbatch}", *sys.argv[1:]], capture_output=True)
if mark.exists():
    sys.stdout.buffer.write(answer.stdout)
    sys.stderr.buffer.write(answer.stderr)
    sys.exit(answer.returncode)
mark.write_bytes(answer.stdout)
gone = select.poll()
gone.register(1, 0)
while os.getppid() == client:
    gone.poll()  # until nobody reads what this says, since the client is gone
"""


@pytest.mark.parametrize("purged", [False, True], ids=["in the queue", "forgotten by Slurm"])
def test_killed_between_sbatch_and_the_record_it_is_found_again(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purged: bool
) -> None:
    """The first `sbatch` makes the array, but its answer never comes, and the client is killed."""
    import shutil

    real, mark, programs = shutil.which("sbatch"), tmp_path / "made", tmp_path / "bin"
    programs.mkdir()
    (programs / "sbatch").write_text(SBATCH.format(python=sys.executable, mark=str(mark), sbatch=real))
    (programs / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    gate, ran = tmp_path / "gate", tmp_path / "ran"
    if purged:
        gate.touch()
    (tmp_path / "rows.csv").write_text("id\n" + "".join(f"r{n}\n" for n in range(6)))
    script = f"until test -e {gate}; do sleep 0.1; done; echo {{{{ id }}}} >> {ran}"
    batch = tmp_path / "batch.toml"
    batch.write_text(
        'name = "killed"\nbackend = "cluster"\n[source]\nfile = "rows.csv"\n'
        f"[job]\ncommand = {json.dumps(['sh', '-c', script])}\n"
    )
    victim = Victim(tmp_path / "data", write_config(tmp_path))
    assert victim.kill_when(
        victim.start("run", "--trust", str(batch)), lambda: mark.exists() and mark.stat().st_size > 0
    )
    array = mark.read_text().strip()
    assert victim.folder().progress.submissions[1].remote_id is None
    if purged:
        until(lambda: not cluster.ask("squeue", "-h", "-t", "all"), "Slurm to forget it", 60)
    gate.touch()
    done = victim.finish("resume", victim.folder().id)
    assert done.returncode == 0, done.stderr.decode()
    folder = victim.folder()
    assert folder.status().completed == 6
    assert folder.progress.submissions[1].remote_id == array
    assert sorted(ran.read_text().split()) == [f"r{n}" for n in range(6)]
    until(lambda: len(cluster.submitted()) >= 6, "the end of its elements, which follows their results")
    assert (len(set(cluster.submitted())), len(cluster.submitted())) == (1, 6)
