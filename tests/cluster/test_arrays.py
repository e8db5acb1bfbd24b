"""Batches on a real cluster: cut into elements, joined again, timed out, cancelled in part, no accounting needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.backends.base import Submission
from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.store.folder import BatchFolder
from tests.cluster.clusters import Cluster, doing
from tests.engine.bench import Bench, until

pytestmark = pytest.mark.timeout(300)
OnCluster = Callable[..., Bench]

CALLS = """
import os, signal

def double(jobs):
    for job in jobs:
        n = int(job["n"][1:])
        print("at", n)
        yield 2 * n

def fall(n):
    if n == "r1":
        os.kill(os.getpid(), signal.SIGSEGV)
    if n == "r2":
        raise ValueError("no such thing")
    return n
"""


def states(folder: BatchFolder) -> Counter[str]:
    return Counter(folder.result(n).status.value for n in range(len(folder.jobs)))


def call(function: str, **more: Json) -> dict[str, Json]:
    return {"call": f"calls:{function}", "arguments": {"n": "{{ id }}"}} | more


@pytest.fixture
def calls(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS)


@pytest.mark.usefixtures("calls")
def test_calls_in_chunks_keep_their_order_and_their_log(on_cluster: OnCluster, cluster: Cluster) -> None:
    bench, rows = on_cluster(chunk=100), 1000
    folder = bench.run(bench.spec("cluster", rows, call("double", chunk=40)))
    status = bench.status(folder)
    assert (status.completed, status.total) == (rows, rows), states(folder)
    assert [one.jobs for one in status.submissions or []] == [rows]
    assert [folder.result(n).parsed_response for n in range(rows)] == [2 * n for n in range(rows)]
    result = folder.result(777)
    assert (result.remote["element"], result.output["stdout"]) == (7, "at 777\n")
    log = Path(result.remote["log"]).read_text()
    assert "at 777\n" in log
    assert "r777 completed" in log
    assert Counter(cluster.submitted()) == {f"bt-{folder.progress.submissions[1].token}": 10}


@pytest.mark.usefixtures("calls")
def test_a_segfault_costs_its_own_job_and_a_fault_of_the_input_is_final(on_cluster: OnCluster) -> None:
    bench = on_cluster(chunk=3)
    folder = bench.run(bench.spec("cluster", 5, call("fall"), retries=1))
    assert states(folder) == {"completed": 3, "failed": 2}
    fell, wrong = folder.result(1), folder.result(2)
    assert (fell.error_kind, fell.error, fell.remote["attempt"]) == (
        "worker_died",
        "the worker ended by SIGSEGV",
        2,
    )
    assert (wrong.error_kind, wrong.error) == ("exception", "ValueError: no such thing")
    assert "attempt" not in wrong.remote
    assert folder.result(4).parsed_response == "r4"


def test_a_time_out_ends_the_whole_program_and_nothing_else(on_cluster: OnCluster, tmp_path: Path) -> None:
    bench = on_cluster(chunk=2)
    script = f"test {{{{ id }}}} != r1 || {{ sleep 300 & echo $! > {tmp_path}/pid; sleep 300; }}"
    folder = bench.run(bench.spec("cluster", 4, {"command": ["sh", "-c", script]}, timeout="1s"))
    assert states(folder) == {"completed": 3, "failed": 1}
    assert folder.result(1).error_kind == "timeout"
    child = int((tmp_path / "pid").read_text())
    until(lambda: not Path(f"/proc/{child}/exe").exists(), "the end of what it started")


def test_slurm_ending_an_element_loses_only_what_had_no_result(
    on_cluster: OnCluster, cluster: Cluster
) -> None:
    bench = on_cluster(chunk=4, options=["--comment=batchtui"])
    folder = bench.start(
        bench.spec("cluster", 8, {"command": ["sh", "-c", "test {{ id }} != r2 || sleep 300"]})
    )
    until(lambda: bench.status(folder).completed == 6, "six results")
    array = folder.progress.submissions[1].remote_id
    cluster.ask("scancel", f"{array}_0")
    assert bench.worker.wait({folder.id}, 60)
    folder = bench.known(folder.id)
    assert states(folder) == {"completed": 6, "cancelled": 2}
    assert "not from here" in (folder.result(2).error or "")


def test_a_range_is_cancelled_and_the_rest_goes_on(
    on_cluster: OnCluster, tmp_path: Path, cluster: Cluster
) -> None:
    """Some of it runs, some waits, some shares an element with jobs that go on."""
    bench, gate = on_cluster(chunk=2, max_jobs=3), tmp_path / "gate"
    script = f"until test -e {gate}; do sleep 0.1; done; echo {{{{ id }}}}"
    folder = bench.start(bench.spec("cluster", 20, {"command": ["sh", "-c", script]}))
    until(lambda: cluster.ask("squeue", "-h", "-t", "running").count("\n") == 3, "three running elements")
    wanted = ["r0", *(f"r{n}" for n in range(9, 16))]
    bench.ask(folder, "cancel", jobs=wanted)
    array = folder.progress.submissions[1].remote_id
    until(lambda: "[3-4,8-9%3]" in cluster.ask("squeue", "-h"), "elements 5 to 7 gone")
    gate.touch()
    assert bench.worker.wait({folder.id}, 120), bench.worker.log()
    folder = bench.known(folder.id)
    told = {folder.jobs.ids[n]: folder.result(n).status.value for n in range(20)}
    assert {job for job, state in told.items() if state == "cancelled"} == set(wanted)
    assert {job for job, state in told.items() if state == "completed"} == set(told) - set(wanted)
    assert folder.status().status == "completed"
    assert array


def test_all_of_it_is_cancelled_once_slurm_agrees(on_cluster: OnCluster, cluster: Cluster) -> None:
    bench = on_cluster()
    folder = bench.start(bench.spec("cluster", 30, {"command": ["sleep", "300"]}))
    until(lambda: "running" in doing(folder), "elements that run")
    bench.ask(folder, "cancel")
    assert bench.worker.wait({folder.id}, 60), bench.worker.log()
    folder = bench.known(folder.id)
    assert (folder.status().status, states(folder)) == ("cancelled", {"cancelled": 30})
    assert not cluster.ask("squeue", "-h", "-t", "pending,running,completing")


def test_what_slurm_refuses_is_said_and_nothing_is_made(on_cluster: OnCluster, cluster: Cluster) -> None:
    """What only `sbatch` itself finds out: no node has such a feature."""
    bench = on_cluster(options=["--constraint=gold"])
    folder = bench.run(bench.spec("cluster", 2, {"command": ["true"]}))
    assert states(folder) == {"failed": 2}
    assert "feature" in (folder.result(0).error or "").lower()
    assert not cluster.ask("squeue", "-h", "-t", "all")


def test_a_partition_that_is_not_there_stops_the_batch(on_cluster: OnCluster, cluster: Cluster) -> None:
    bench = on_cluster(partition="gold")
    with pytest.raises(BadInput, match=r"there is no partition gold; there are \w+ \(default\)"):
        bench.create(bench.spec("cluster", 2, {"command": ["true"]}))
    assert not cluster.ask("squeue", "-h", "-t", "all")


async def test_what_lives_there_is_listed_with_its_jobs(on_cluster: OnCluster) -> None:
    bench = on_cluster()
    folder = bench.start(bench.spec("cluster", 3, {"command": ["sleep", "300"]}))
    until(lambda: folder.progress.submissions and folder.progress.submissions[1].remote_id, "an id")
    backend = bench.backends.get("cluster")
    probe = await backend.probe()
    assert probe.ok, probe.message
    assert "cluster local" in probe.message
    assert "without accounting, partition " in probe.message
    (listed,) = await backend.list()  # type: ignore[attr-defined]
    record = folder.progress.submissions[1]
    assert (listed.remote_id, listed.jobs, listed.token) == (record.remote_id, 3, record.token)
    there = Submission(1, record.token, "bench", 0.0)
    jobs = [job async for job in backend.jobs(there)]  # type: ignore[attr-defined]
    assert [job.wire_id for job in jobs] == ["r0", "r1", "r2"]
    assert jobs[0].work["command"] == ["sleep", "300"]
    bench.ask(folder, "cancel")
    assert bench.worker.wait({folder.id}, 60)


def test_the_time_limit_of_an_element_is_told_as_such(on_cluster: OnCluster, cluster: Cluster) -> None:
    """Slurm knows whole minutes only, so this takes one; jobs that never had their turn fail with it."""
    bench = on_cluster(chunk=3, time="1m")
    script = "test {{ id }} != r1 || sleep 600"
    folder = bench.run(bench.spec("cluster", 5, {"command": ["sh", "-c", script]}))
    assert states(folder) == {"completed": 3, "failed": 2}
    told = [folder.result(n) for n in (1, 2)]
    assert [(one.error_kind, one.remote["element"]) for one in told] == [("timeout", 0)] * 2
    assert "ended by its time limit" in (told[0].error or "")
    assert "ending: Slurm asked for it" in Path(told[0].remote["log"]).read_text()
