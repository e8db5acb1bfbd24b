"""The time limit runs by the clock from the first submit, whether anything of ours runs or not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.engine.attention.early_end import EarlyEnd
from batchtui.model import JobState, Json
from batchtui.store.disk import clock
from batchtui.store.files.header import write_header
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]
JOB: dict[str, Json] = {"prompt": "{{ text }}", "model": "demo-small"}
ROWS, SUBMISSIONS = 40, 5


def begin(bench: Bench, **limits: Json) -> BatchFolder:
    spec = bench.spec("openai", ROWS, JOB, jobs_per_submission=ROWS // SUBMISSIONS, time="10s", **limits)
    return bench.start(spec)


def shorten(folder: BatchFolder, seconds: float) -> None:
    """A limit below what a batch file may ask for, so that no test waits for ten seconds."""
    folder.header.spec.limits.time = seconds


def calls(server: DemoServer, op: str) -> int:
    return [entry["op"] for entry in server.ledger()].count(op)


def check_ended(folder: BatchFolder, server: DemoServer) -> None:
    status = folder.status(submissions=True)
    assert calls(server, "create") == calls(server, "cancel") == SUBMISSIONS
    assert [entry["op"] for entry in server.ledger()][-SUBMISSIONS:] == ["cancel"] * SUBMISSIONS
    assert 0 < status.completed < ROWS
    assert status.completed + status.failed == ROWS
    failed = [folder.result(n) for n in range(ROWS) if folder.result(n).status is JobState.FAILED]
    assert {result.error_kind for result in failed} == {"time_limit"}
    assert all(
        folder.result(n).raw_response for n in range(ROWS) if folder.result(n).status is JobState.COMPLETED
    )
    assert status.ended is not None
    assert folder.header.stopping == "time_limit"


def test_what_runs_is_cancelled_and_what_finished_is_kept(served: Served) -> None:
    bench, server = served("duration=4s")
    folder = begin(bench)
    until(lambda: calls(server, "create") == SUBMISSIONS)
    started, deadline = folder.status().started, folder.status().deadline
    assert started
    assert deadline
    assert clock.unix(deadline) - clock.unix(started) == 10.0
    shorten(folder, 2.0)
    bench.drive(folder.id)
    check_ended(folder, server)


def test_closed_at_the_limit_and_reopened_after_it(served: Served) -> None:
    bench, server = served("duration=5s")
    folder = begin(bench)
    until(lambda: calls(server, "create") == SUBMISSIONS)
    until(lambda: all(sub.remote_id for sub in folder.status(submissions=True).submissions or []))
    bench.worker.stop()
    shorten(folder, 1.5)
    write_header(folder.path, folder.header)
    started = clock.unix(folder.status().started or "")
    time.sleep(max(0.0, started + 1.6 - time.time()))  # the limit passes while nothing of ours runs
    assert calls(server, "cancel") == 0
    bench.worker = bench.new_worker()
    check_ended(bench.drive(folder.id), server)


def test_nothing_is_created_after_the_limit(served: Served) -> None:
    """The limit passes while an input file is uploaded: the create that would follow never comes."""
    bench, server = served("slow.upload=1,drip=1500ms")
    folder = begin(bench, submissions_at_once=1)
    until(lambda: calls(server, "upload") == 1)
    shorten(folder, 0.2)
    bench.drive(folder.id)
    status = folder.status()
    assert calls(server, "create") == 0
    assert status.failed == ROWS
    assert {folder.result(n).error_kind for n in range(ROWS)} == {"time_limit"}


def test_the_clock_is_looked_at_before_the_create_itself(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look of each round may come too late: here it never comes, and nothing is created all the same."""
    monkeypatch.setattr(EarlyEnd, "watch", lambda _: None)
    bench, server = served("slow.upload=1,drip=1500ms")
    folder = begin(bench, submissions_at_once=1)
    until(lambda: calls(server, "upload") == 1)
    shorten(folder, 0.2)

    def waits() -> bool:
        return any(event["event"] == "waiting" for event in folder.events())

    until(lambda: waits() or calls(server, "create"), "the end of the upload")
    assert calls(server, "create") == 0
    assert waits()


def test_the_clock_is_looked_at_before_anything_is_uploaded(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EarlyEnd, "watch", lambda _: None)
    bench, server = served("duration=1s")
    folder = begin(bench, submissions_at_once=1)
    until(lambda: calls(server, "create") == 1)
    shorten(folder, 0.2)
    until(lambda: any((e["event"], e["sub"]) == ("waiting", 2) for e in folder.events() if "sub" in e))
    assert calls(server, "upload") == calls(server, "create") == 1


def test_more_time_lets_it_go_on(served: Served) -> None:
    bench, server = served("duration=300ms")
    folder = begin(bench, submissions_at_once=1)
    until(lambda: calls(server, "create") == 1)
    shorten(folder, 0.1)
    bench.drive(folder.id)
    assert folder.status().failed > 0
    bench.ask(folder, "limit", time="1h")
    assert folder.header.stopping is None
    bench.ask(folder, "retry", status=["failed"])
    until(lambda: folder.status().completed == ROWS)
