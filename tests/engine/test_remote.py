"""Submissions: split, sent once, looked up when unsure, collected whatever the order, cancelled for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.backends.openai.backend import OpenAIBackend
from batchtui.demo.server import DemoServer
from batchtui.model import BatchSpec, Json, LimitsSpec, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until

INPUTS = Path(__file__).parents[1] / "data" / "inputs"
Served = Callable[..., tuple[Bench, DemoServer]]
JOB = {"prompt": "{{ text }}", "model": "demo-small"}


def creates(server: DemoServer) -> list[dict[str, Json]]:
    return [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]


def test_a_batch_file_of_the_provider_runs_as_it_is_on_both_kinds(served: Served) -> None:
    bench, _ = served()
    for backend in ("chat", "openai"):
        source = SourceSpec(file=str(INPUTS / "demo_batch_10.jsonl"))
        folder = bench.run(BatchSpec(name=backend, backend=backend, source=source))
        results = [folder.result(n) for n in range(10)]
        assert [result.job_id for result in results] == [f"demo-{n:03}" for n in range(1, 11)]
        assert {result.status for result in results} == {"completed"}
        assert all(result.raw_response and result.input_tokens for result in results)


def test_split_by_count_and_joined_by_id(served: Served) -> None:
    bench, server = served()
    folder = bench.run(bench.spec("openai", 25, JOB, jobs_per_submission=10, submissions_at_once=2))
    status = bench.status(folder)
    assert [item.jobs for item in status.submissions or []] == [10, 10, 5]
    assert {item.status for item in status.submissions or []} == {"collected"}
    assert status.completed == 25
    assert Counter(job for entry in creates(server) for job in entry["job_ids"]) == {
        f"r{n}": 1 for n in range(25)
    }
    for n in range(25):
        assert f"text of row {n}"[:6] in (folder.result(n).raw_response or "")
    assert sorted(path.name for path in (folder.path / "raw").iterdir())[0].startswith("1-")


def test_two_models_are_two_submissions(served: Served) -> None:
    bench, server = served()
    job = JOB | {"model": "{{ 'demo-small' if id == 'r0' else 'demo-large' }}"}
    folder = bench.run(bench.spec("openai", 6, job))
    assert folder.status().completed == 6
    assert sorted(len(entry["job_ids"]) for entry in creates(server)) == [1, 5]


def test_a_lost_reply_is_looked_up_and_adopted(served: Served) -> None:
    bench, server = served("drop.create=1")
    folder = bench.run(bench.spec("openai", 5, JOB))
    assert folder.status().completed == 5
    assert len(creates(server)) == 1
    events = [event["event"] for event in folder.events()]
    assert events.index("intent") < events.index("unsure") < events.index("submitted")


def test_a_refused_create_is_told_and_a_busy_one_repeated(served: Served) -> None:
    bench, server = served("429.create=0.7,seed=2")
    folder = bench.run(bench.spec("openai", 4, JOB))
    assert folder.status().completed == 4
    assert len(creates(server)) == 1
    assert len(bench.status(folder).submissions or []) == 1
    refused = bench.run(bench.spec("openai", 2, JOB | {"model": "broke-model"}))
    assert refused.status().finished + refused.status().pending == 2


def test_a_failed_create_is_never_repeated_before_its_settle_time(served: Served) -> None:
    bench, server = served("500.create=0.6,seed=1")
    folder = bench.run(bench.spec("openai", 4, JOB))
    assert folder.status().completed == 4
    assert len(creates(server)) == 1
    kinds = [event["event"] for event in folder.events()]
    if "unsure" in kinds:
        assert kinds.index("unsure") < kinds.index("waiting")


def test_rows_that_fail_and_rows_that_expire(served: Served) -> None:
    bench, server = served("expire=0.6")
    folder = bench.run(bench.spec("openai", 20, JOB))
    status = folder.status()
    assert (status.completed, status.expired) == (12, 8)
    bench.ask(folder, "retry", status=["expired"])
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().completed > 12
    assert [len(entry["job_ids"]) for entry in creates(server)] == [20, 8]


def test_retry_without_states_takes_every_job_that_did_not_succeed(served: Served) -> None:
    bench, server = served("expire=0.6")
    folder = bench.run(bench.spec("openai", 10, JOB))
    assert (folder.status().completed, folder.status().expired) == (6, 4)
    server.faults.expire = None
    bench.ask(folder, "retry")
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().completed == 10
    assert [len(entry["job_ids"]) for entry in creates(server)] == [10, 4]


def test_partial_failure_keeps_the_good_rows(served: Served) -> None:
    bench, _ = served("partial=0.5,seed=1")
    folder = bench.run(bench.spec("openai", 20, JOB))
    status = folder.status()
    assert status.completed > 0
    assert status.failed > 0
    assert status.completed + status.failed == 20
    failed = next(r for r in map(folder.result, range(20)) if r.status == "failed")
    assert failed.error
    assert failed.error_kind


def test_cancel_is_final_when_the_backend_says_so_and_keeps_what_is_done(served: Served) -> None:
    bench, server = served("duration=20s")
    folder = bench.start(bench.spec("openai", 50, JOB, jobs_per_submission=25, submissions_at_once=1))
    until(lambda: (bench.status(folder).submissions or [None])[0] and _state(folder) == "processing")
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = bench.status(folder)
    assert status.status == "cancelled"
    assert status.completed + status.cancelled == 50
    assert status.cancelled >= 25
    assert [entry["op"] for entry in server.ledger() if entry["op"] == "cancel"] == ["cancel"]
    assert len(creates(server)) == 1


def _state(folder: BatchFolder) -> str | None:
    records = folder.progress.submissions
    return records[1].state if 1 in records else None


def test_status_calls_that_fail_end_no_job(served: Served) -> None:
    bench, _ = served("500.poll=0.8,drop.list=0.5,seed=9,duration=300ms")
    folder = bench.run(bench.spec("openai", 4, JOB))
    assert folder.status().completed == 4


def test_quit_keeps_it_running_and_reopening_collects(served: Served) -> None:
    bench, server = served("duration=1s")
    folder = bench.start(bench.spec("openai", 8, JOB))
    until(lambda: _state(folder) in ("submitted", "processing"))
    bench.worker.stop()
    assert bench.library.open(folder.id).status().status == "processing"
    bench.worker = bench.new_worker(drive_all=True)
    until(lambda: bench.library.open(folder.id).status().completed == 8)
    assert len(creates(server)) == 1


def test_resolve_answers_an_unsure_submission(served: Served) -> None:
    from batchtui.store.disk.commit import Committer
    from batchtui.store.files.inbox import Command
    from batchtui.store.writer import BatchWriter

    bench, server = served()
    folder = bench.create(bench.spec("openai", 3, JOB))
    writer = BatchWriter(folder, Committer(), lambda _: None)
    backend = bench.backends.get("openai")
    writer.record("intent", sub=1, backend="openai", token="lost-token", jobs="0-2", account="someone-else")
    writer.close()
    assert backend.account() != "someone-else"
    bench.worker.drive(folder.id)
    bench.worker.wait({folder.id}, 10)
    known = bench.known(folder.id)
    (asked,) = known.status().attention
    assert (asked.kind, asked.submission) == ("unsure", 1)
    assert creates(server) == []
    bench.worker.command(folder.id, Command(command="resolve", args={"action": "resend"}))
    until(lambda: known.status().completed == 3)
    assert known.status().maybe_twice == 3
    assert not known.status().attention
    assert LimitsSpec() == folder.header.spec.limits


def test_a_fault_of_a_kind_is_told_and_tried_again_by_itself_and_at_once_when_a_person_says_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, server = served()
    calls = 0
    whole = OpenAIBackend.results

    def broken(self: OpenAIBackend, *args: object) -> object:
        nonlocal calls
        calls += 1
        raise ValueError("a fault of its own")

    monkeypatch.setattr(OpenAIBackend, "results", broken)
    folder = bench.start(bench.spec("openai", 5, JOB))
    until(lambda: calls >= 2)
    (attention,) = folder.status().attention
    assert attention.kind == "fault"
    assert "ValueError: a fault of its own" in attention.text
    assert "tried again by itself" in attention.text
    assert bench.worker.blocked(folder.id) is None
    assert (folder.path / "events.jsonl").read_text().count('"attention"') == 1
    monkeypatch.setattr(OpenAIBackend, "results", whole)
    bench.ask(folder, "resume")
    until(lambda: folder.state() == "completed")
    assert folder.status().attention == []
    assert len(creates(server)) == 1


def test_results_lost_half_way_come_home_before_anything_is_sent_again(served: Served) -> None:
    """The file of results is gone when the batch is opened again: what the backend was done with, it still holds."""
    bench, server = served("duration=1s")
    folder = bench.start(bench.spec("openai", 3, JOB, jobs_per_submission=1, submissions_at_once=1))
    until(lambda: folder.status().completed)
    bench.worker.stop()
    assert folder.status().completed < 3
    (folder.path / "results.jsonl").unlink()
    bench.worker = bench.new_worker()
    again = bench.drive(folder.id)
    status = again.status()
    assert (status.completed, status.damaged, len(creates(server))) == (3, 0, 3)
    assert all(again.result(n).raw_response for n in range(3))
