"""Buttermilk flows: the records of the server become our jobs as they show, and what was saved stays."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest

from batchtui.backends.base import Found, Remote, RemoteJob, Submission, Transient
from batchtui.demo.server import DemoServer
from batchtui.domains.flows.backend import ButtermilkBackend
from batchtui.engine.adopt.adopting import adopt
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, LimitsSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until
from tests.engine.victim import Victim

Served = Callable[..., tuple[Bench, DemoServer]]
API = "/buttermilk/api/batches"


def flow(name: str = "demo", limits: dict[str, Json] | None = None, **job: Json) -> BatchSpec:
    job = {"flow": name, "shuffle": False, **job}
    return BatchSpec(name="flows", backend="buttermilk", job=job, limits=LimitsSpec(**(limits or {})))


def found(folder: BatchFolder) -> dict[str, str]:
    return {result.job_id: str(result.status) for result in map(folder.result, range(len(folder.jobs)))}


def creates(server: DemoServer) -> list[dict[str, Json]]:
    return [one for one in server.ledger() if (one["op"], one["status"]) == ("create", 200)]


def restart(server: DemoServer) -> None:
    httpx.post(f"{server.url}/buttermilk/restart").raise_for_status()


def reason(bench: Bench, folder: BatchFolder) -> str:
    (submission,) = bench.status(folder).submissions or []
    return submission.reason or ""


def test_records_become_jobs(served: Served) -> None:
    """B1 and B2: two of three complete, the failed one has the server's words."""
    bench, server = served()
    folder = bench.create(flow(max_records=3))
    assert folder.status().total is None
    folder = bench.drive(folder.id)
    assert found(folder) == {"r1": "failed", "r2": "completed", "r3": "completed"}
    status = bench.status(folder)
    assert (status.total, status.completed, status.failed, status.status) == (3, 2, 1, "completed")
    failed, good = folder.result(folder.number("r1")), folder.result(folder.number("r2"))
    assert (failed.error, failed.error_kind) == ("flow demo failed on record r1", "flow")
    assert good.output["record_id"] == "r2"
    assert good.remote["record_id"] == "r2"
    assert good.row == {"record_id": "r2"}
    (submission,) = status.submissions or []
    assert (submission.jobs, submission.completed, submission.failed) == (3, 2, 1)
    assert good.batch_id == submission.remote_id == creates(server)[0]["remote_id"]
    assert bench.library.open(folder.id).status() == folder.status()


@pytest.mark.parametrize("quirks", [[], ["real"], ["hide_running"]])
def test_answers_come_while_others_run(served: Served, quirks: list[str]) -> None:
    bench, server = served("duration=2s")
    folder = bench.start(flow("many", concurrency=20, max_records=40, parameters={"quirks": quirks}))
    until(lambda: folder.status().total == 40, "the total as the server tells it")
    if "real" not in quirks:  # there all of them run, and end, at once
        until(lambda: 0 < folder.status().completed < 40, "some answers")
        assert folder.status().status == "processing"
    folder = bench.drive(folder.id)
    assert folder.status().completed == folder.status().total == 40
    assert len(set(found(folder))) == 40
    assert len(creates(server)) == 1


def test_records_that_cannot_be_listed_at_the_end_are_asked_for_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = served("duration=100ms")
    really, asked = ButtermilkBackend.jobs, 0

    async def jobs(self: ButtermilkBackend, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        nonlocal asked
        asked += 1
        if asked <= 5:
            raise Transient("the server had an error")
        async for job in really(self, submission):
            yield job

    monkeypatch.setattr(ButtermilkBackend, "jobs", jobs)
    folder = bench.run(flow("good"))
    assert bench.status(folder).completed == bench.status(folder).total == 4
    assert asked > 5


def test_a_flow_without_records_is_over(served: Served) -> None:
    """B8."""
    bench, _ = served()
    for quirks in ([], ["stuck_empty"]):
        folder = bench.run(flow("empty", parameters={"quirks": quirks}))
        status = folder.status()
        assert (status.status, status.total, status.attention) == ("completed", 0, [])


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"flow": "x"}, "Available flows: demo, good"),
        ({"flow": "broken"}, "Failed to extract records"),
        ({"flow": "demo", "parameters": {}, "concurrency": 2}, ""),
    ],
)
def test_a_refused_flow_is_a_failed_job(served: Served, job: dict[str, Json], words: str) -> None:
    """B5: the message lists the flows, and nothing lives at the server."""
    bench, server = served()
    folder = bench.run(BatchSpec(name="flows", backend="buttermilk", job=job))
    if not words:
        assert folder.status().completed == 3
        return
    assert found(folder) == {"1": "failed"}
    assert words in (folder.result(0).error or "")
    assert (folder.status().status, creates(server)) == ("failed", [])
    bench.ask(folder, "retry")
    bench.drive(folder.id)
    assert found(folder) == {"1": "failed"}


def test_what_is_wrong_is_said_before_anything_is_sent(served: Served) -> None:
    bench, _ = served()
    for job, key, words in (
        ({"flow": "demo", "foo": 1}, "job.foo", "unknown key"),
        ({"flow": "demo", "error_policy": "boom"}, "job.error_policy", "boom"),
        ({"flow": "demo", "max_records": -1}, "job.max_records", "at least 1"),
        ({"flow": ""}, "job.flow", "names no flow"),
    ):
        spec = BatchSpec(name="flows", backend="buttermilk", job=job)
        (problem, *_) = plan(spec, bench.folder_path, bench.backends).preflight.problems
        assert (problem.key, words in problem.message) == (key, True), problem


def test_limits_and_defaults_are_asked_for(served: Served) -> None:
    bench, _ = served()
    asked = plan(flow(), bench.folder_path, bench.backends).preflight.first
    assert (asked["concurrency"], asked["error_policy"], asked["parameters"]) == (5, "continue", {})
    limits = {"concurrency": 2, "error_policy": "stop"}
    asked = plan(flow(limits=limits), bench.folder_path, bench.backends).preflight.first
    assert (asked["concurrency"], asked["error_policy"]) == (2, "stop")
    assert asked["parameters"] == {"error_policy": "stop"}
    folder = bench.run(flow(limits={"concurrency": 1, "error_policy": "stop"}))
    assert found(folder) == {"r1": "failed", "r2": "cancelled", "r3": "cancelled", "r4": "cancelled"}
    assert folder.result(1).error_kind == "stopped"


def test_cancelled_though_the_server_goes_on(served: Served) -> None:
    """B6: what the server finishes all the same is kept, and the batch stays cancelled."""
    bench, _ = served("duration=1500ms")
    folder = bench.start(flow("good", parameters={"quirks": ["real"]}))
    until(lambda: folder.status().total == 4, "seen by the server")
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = folder.status()
    assert (status.status, status.completed) == ("cancelled", 4)
    assert "cancelled (server finished 4)" in reason(bench, folder)


def test_cancelled_for_good(served: Served) -> None:
    bench, _ = served("duration=20s")
    folder = bench.start(flow("many", max_records=10, concurrency=2))
    until(lambda: folder.status().processing == 10, "born")
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = folder.status()
    assert (status.status, status.cancelled) == ("cancelled", 10)


def test_cancelled_too_late(served: Served) -> None:
    """B7: the server's 404 is told as what it is."""
    bench, server = served("latency=150ms,duration=100ms")
    bench.worker_settings("buttermilk").poll_interval = 2.0
    folder = bench.create(flow("good"))
    backend = bench.worker._services.backends.get("buttermilk")
    backend._limits = type(backend.limits)(**{**_fields(backend.limits), "poll_interval": 2.0})
    bench.worker.drive(folder.id)
    until(lambda: bench.worker.folder(folder.id) is not None)
    folder = bench.known(folder.id)
    until(lambda: any(s.remote_id for s in folder.progress.submissions.values()), "sent")
    (remote_id,) = (one["remote_id"] for one in creates(server))
    until(lambda: httpx.get(f"{server.url}{API}/{remote_id}").json()["status"] == "completed")
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    assert any("already finished" in line.text for line in bench.worker.log())
    assert folder.status().completed == 4


def _fields(limits: object) -> dict[str, Json]:
    return {name: getattr(limits, name) for name in limits.__dataclass_fields__}  # type: ignore[attr-defined]


def test_a_server_that_forgot_needs_a_person(served: Served) -> None:
    """B9: what was saved stays."""
    bench, server = served("duration=6s")
    folder = bench.start(flow("many", max_records=30, concurrency=1))
    until(lambda: folder.status().completed >= 2, "some answers")
    restart(server)
    until(lambda: folder.status().attention, "the loss noticed")
    saved = folder.status().completed
    assert 2 <= saved < 30
    assert bench.worker.wait({folder.id}, 10)
    (item,) = folder.status().attention
    assert (item.kind, item.actions) == ("forgotten", ("abandon",))
    lines = (folder.path / "events.jsonl").read_text().count('"attention"')
    bench.ask(folder, "resolve", action="abandon")
    until(lambda: not bench.worker.drives(folder.id))
    status = folder.status()
    assert (lines, status.completed, status.failed) == (1, saved, 30 - saved)
    assert folder.result(0).output["record_id"] == "r1"
    assert len(creates(server)) == 1


def test_odd_ids(served: Served) -> None:
    """B10."""
    bench, _ = served()
    folder = bench.run(flow("names"))
    assert found(folder) == {"a b?ü": "completed", "a/b": "failed", "..": "completed", "plain": "completed"}
    assert folder.result(folder.number("a b?ü")).output["record_id"] == "a b?ü"
    assert "cannot be fetched" in (folder.result(folder.number("a/b")).error or "")


def test_a_lost_reply_makes_no_second_batch(served: Served) -> None:
    bench, server = served("drop.create=1")
    with pytest.raises(httpx.RemoteProtocolError):  # the same, made by somebody else before
        httpx.post(f"{server.url}{API}", json={"flow": "good", "shuffle": False})
    folder = bench.run(flow("good"))
    assert folder.status().completed == 4
    assert len(creates(server)) == 2


def test_one_that_cannot_be_told_apart_is_for_a_person(served: Served) -> None:
    bench, server = served("drop.create=1")
    backend = bench.worker._services.backends.get("buttermilk")
    assert isinstance(backend, Remote)

    async def find(submission: Submission) -> Found:
        return Found(reason="it may be any of two")

    backend.find = find  # type: ignore[method-assign]
    folder = bench.run(flow("good"))
    (item,) = folder.status().attention
    assert (item.kind, item.actions) == ("unsure", ("resend", "adopt", "abandon"))
    server.faults.shares.clear()
    bench.ask(folder, "resolve", action="resend")
    until(lambda: not bench.worker.drives(folder.id))
    assert (folder.status().completed, folder.status().total) == (4, 4)
    assert len(creates(server)) == 2
    assert [one.remote_id is None for one in bench.status(folder).submissions or []] == [True, False]


def test_a_create_that_never_was_is_sent_again(served: Served) -> None:
    bench, server = served("500.create=0.5,seed=3")
    folder = bench.run(flow("good"))
    assert folder.status().completed == 4
    assert len(creates(server)) == 1


def test_several_flows_in_a_batch(served: Served) -> None:
    bench, server = served()
    spec = flow("good", parameters={"model": "a"})
    spec.sweep = {"parameters.model": ["a", "b"]}
    folder = bench.run(spec)
    assert sorted(found(folder)) == sorted(f"1.{n}:r{m}" for n in (1, 2) for m in (1, 2, 3, 4))
    assert folder.status().completed == 8
    assert len(creates(server)) == 2


def test_a_batch_made_elsewhere_is_followed(served: Served) -> None:
    bench, server = served("duration=1s")
    remote_id = httpx.post(f"{server.url}{API}", json={"flow": "many", "concurrency": 50}).json()["id"]
    backend = bench.backends.get("buttermilk")
    assert isinstance(backend, Remote)

    async def ask() -> str:
        try:
            return (await adopt(bench.library, backend, remote_id)).folder.id
        finally:
            await bench.backends.close()

    folder = bench.drive(asyncio.run(ask()))
    assert (folder.status().completed, folder.status().total) == (200, 200)
    assert len(creates(server)) == 1


def test_killed_while_records_are_born(served: Served, tmp_path: Path) -> None:
    _, server = served("duration=3s")
    victim = Victim(tmp_path / "victim", tmp_path / "config.toml")
    file = tmp_path / "flows.toml"
    file.write_text('backend = "buttermilk"\n[job]\nflow = "many"\nconcurrency = 20\n')
    process = victim.start("run", str(file), "--trust", "--yes")
    if victim.kill_when(process, lambda: victim.size("jobs.jsonl") > 0 and len(victim.stored_ids()) > 20):
        assert process.returncode == -signal.SIGKILL
    done = victim.finish("resume", "-q")
    assert done.returncode == 0, done.stderr.decode()
    status = victim.folder().status()
    assert (status.completed, status.total, len(set(found(victim.folder())))) == (200, 200, 200)
    assert len(creates(server)) == 1
