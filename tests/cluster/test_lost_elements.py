"""Elements that Slurm lost: what may pass goes again by itself, what does not is said, and nothing runs twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.backends.slurm.folder import RunFolder
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, OutputSpec, SourceSpec
from batchtui.store.folder import BatchFolder
from tests import extras
from tests.cluster.stand_in import StandIn
from tests.engine.bench import Bench, until

Made = Callable[..., Bench]


def job(folder: Path) -> dict[str, Json]:
    return {"command": ["sh", "-c", f"echo {{{{ id }}}} >> {folder}/ran"]}


def told(folder: BatchFolder) -> dict[str, str]:
    found = [folder.result(n) for n in range(len(folder.jobs))]
    return {one.job_id: one.error_kind or one.status.value for one in found}


@pytest.mark.parametrize("state", ["NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "PREEMPTED"])
def test_jobs_of_a_lost_node_go_again(on_site: Made, site: StandIn, tmp_path: Path, state: str) -> None:
    site.fate({1: {1: state}})
    bench = on_site()
    folder = bench.start(bench.spec("cluster", 6, job(tmp_path), retries=1))
    if state == "PREEMPTED":  # it may be queued again for as long as Slurm lists it
        until(lambda: bench.status(folder).completed == 4, "what did not need that element")
        (site.folder / "queue").write_text("")
    assert bench.worker.wait({folder.id}, 60), bench.worker.log()
    folder = bench.known(folder.id)
    assert set(told(folder).values()) == {"completed"}
    assert [folder.result(n).attempts for n in range(6)] == [1, 1, 2, 2, 1, 1]
    assert [one.jobs for one in bench.status(folder).submissions or []] == [6, 2]
    replayed = bench.library.open(folder.id).progress
    assert (list(replayed.tries), list(replayed.fails)) == ([1, 1, 2, 2, 1, 1], [0, 0, 1, 1, 0, 0])
    assert sorted((tmp_path / "ran").read_text().split()) == [f"r{n}" for n in range(6)]


def test_no_more_often_than_retries_allow(on_site: Made, site: StandIn, tmp_path: Path) -> None:
    site.fate({1: {0: "NODE_FAIL"}, 2: {0: "NODE_FAIL"}, 3: {0: "NODE_FAIL"}})
    bench = on_site()
    folder = bench.run(bench.spec("cluster", 2, job(tmp_path), retries=1))
    assert (told(folder), len(site.sent())) == ({"r0": "node", "r1": "node"}, 2)
    assert "was on a node that failed" in (folder.result(0).error or "")


@pytest.mark.parametrize("state", ["OUT_OF_MEMORY", "TIMEOUT", "FAILED", "CANCELLED"])
def test_what_would_happen_again_is_left_to_a_person(
    on_site: Made, site: StandIn, tmp_path: Path, state: str
) -> None:
    site.fate({1: {1: state}})
    bench = on_site()
    folder = bench.run(bench.spec("cluster", 4, job(tmp_path), retries=3))
    kinds = {"OUT_OF_MEMORY": "memory", "TIMEOUT": "timeout", "FAILED": "lost", "CANCELLED": "cancelled"}
    assert told(folder) == {"r0": "completed", "r1": "completed", "r2": kinds[state], "r3": kinds[state]}
    assert len(site.sent()) == 1
    bench.ask(folder, "retry", status=["failed", "cancelled"])
    bench.drive(folder.id)
    assert set(told(bench.known(folder.id)).values()) == {"completed"}


def test_a_result_that_shows_late_is_taken(on_site: Made, site: StandIn, tmp_path: Path) -> None:
    """The node failed after its first job, whose result the shared file system shows a moment later."""
    site.fate({1: {0: "RUNNING"}})
    bench = on_site(lag=4)
    folder = bench.start(bench.spec("cluster", 2, job(tmp_path), retries=1))
    until(lambda: bench.status(folder).processing == 2 and site.sent(), "an array")
    run = RunFolder(next((tmp_path / "runs").iterdir()))
    site.replace("RUNNING", "NODE_FAIL")
    until(lambda: "last results" in str(folder.progress.submissions[1].facts), "the wait for results")
    record = {
        "task": 0,
        "state": "completed",
        "id": "r0",
        "form": "command",
        "element": 0,
        "stdout": "late\n",
    }
    (run.path / "results" / "0").mkdir()
    (run.path / "results" / "0" / "0.0.jsonl").write_text(json.dumps(record) + "\n")
    assert bench.worker.wait({folder.id}, 60), bench.worker.log()
    folder = bench.known(folder.id)
    assert [folder.result(n).attempts for n in range(2)] == [1, 2]
    assert folder.result(0).raw_response == "late\n"
    assert (tmp_path / "ran").read_text().split() == ["r1"]
    assert run.cancelled() == {"element-0"}  # should the node live after all, it does nothing more


def test_nothing_goes_again_once_the_batch_is_cancelled(on_site: Made, site: StandIn, tmp_path: Path) -> None:
    site.fate({1: {0: "RUNNING"}})
    bench = on_site()
    folder = bench.start(bench.spec("cluster", 2, job(tmp_path), retries=2))
    until(lambda: folder.progress.submissions and folder.progress.submissions[1].remote_id, "an array")
    bench.ask(folder, "cancel")
    site.replace("RUNNING", "NODE_FAIL")
    assert bench.worker.wait({folder.id}, 60), bench.worker.log()
    assert told(bench.known(folder.id)) == {"r0": "cancelled", "r1": "cancelled"}
    assert len(site.sent()) == 1


@pytest.mark.parametrize(
    ("own", "asked", "array"),
    [(None, None, "0-2"), (None, 2, "0-2%2"), (5, None, "0-2%5"), (5, 2, "0-2%2"), (1, 2, "0-2%1")],
)
def test_how_many_elements_run_at_once(
    on_site: Made, site: StandIn, tmp_path: Path, own: int | None, asked: int | None, array: str
) -> None:
    bench = on_site(**({"max_jobs": own} if own else {}))
    folder = bench.run(bench.spec("cluster", 6, job(tmp_path), concurrency=asked))
    assert folder.status().completed == 6
    assert site.option("array") == [array]


@extras.needs("power")
def test_max_jobs_of_a_manifest_is_that_of_the_array(on_site: Made, site: StandIn, tmp_path: Path) -> None:
    grid = Path(__file__).parents[1] / "data" / "power" / "case14" / "case14.m"
    scenarios = [{"id": f"s{n}", "grid": str(grid)} for n in range(4)]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"scenarios": scenarios, "solver": "dc", "max_jobs": 3}))
    bench = on_site(max_jobs=7)
    spec = BatchSpec(backend="cluster", source=SourceSpec(file=str(manifest)), output=OutputSpec(dir="out"))
    (share,) = plan(spec, tmp_path, bench.backends).preflight.backends
    assert share.at_once == "3 elements of an array, each doing one job after another"
    folder = bench.run(spec)
    assert folder.status().completed == 4, folder.result(0)
    assert site.option("array") == ["0-1%3"]
