"""Batches of kind `anthropic`: sent once, told apart when unsure, collected whatever the order, cancelled for good."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import BatchSpec, Json, SourceSpec
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]
JOB = {"prompt": "{{ text }}", "model": "demo-small"}


def creates(server: DemoServer) -> list[dict[str, Json]]:
    return [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]


def test_split_mixed_models_and_joined_by_id(served: Served) -> None:
    bench, server = served()
    job = JOB | {"model": "{{ 'demo-small' if id == 'r0' else 'demo-large' }}"}
    folder = bench.run(bench.spec("anthropic", 25, job, jobs_per_submission=10, submissions_at_once=2))
    status = bench.status(folder)
    assert [item.jobs for item in status.submissions or []] == [10, 10, 5]
    assert status.completed == 25
    assert Counter(job for entry in creates(server) for job in entry["job_ids"]) == {
        f"r{n}": 1 for n in range(25)
    }
    for n in range(25):
        result = folder.result(n)
        assert f"text of row {n}" in (result.raw_response or "")
        assert result.cost_usd
        assert result.input_tokens
    assert sorted(path.name for path in (folder.path / "raw").iterdir()) == [
        f"{n}-results.jsonl" for n in (1, 2, 3)
    ]


def test_lost_replies_of_twins_are_told_apart_by_their_results(served: Served) -> None:
    bench, server = served("drop.create=1,duration=1s")
    folder = bench.run(bench.spec("anthropic", 12, JOB, jobs_per_submission=3, submissions_at_once=4))
    assert folder.status().completed == 12
    assert len(creates(server)) == 4
    sent = {entry["remote_id"]: set(entry["job_ids"]) for entry in creates(server)}
    for n in range(12):
        result = folder.result(n)
        assert result.job_id in sent[result.batch_id or ""]


def test_creates_that_fail_or_are_dropped_are_made_once(served: Served) -> None:
    bench, server = served("500.create=0.4,drop.create=0.4,late=300ms,seed=6,duration=300ms")
    folder = bench.run(bench.spec("anthropic", 12, JOB, jobs_per_submission=3, submissions_at_once=2))
    assert folder.status().completed == 12
    assert set(Counter(job for entry in creates(server) for job in entry["job_ids"]).values()) == {1}


def test_while_it_runs_nothing_is_counted(served: Served) -> None:
    bench, _ = served("duration=1s")
    folder = bench.start(bench.spec("anthropic", 8, JOB))
    until(lambda: folder.progress.submissions and folder.progress.submissions[1].state == "processing")
    record = folder.progress.submissions[1]
    assert (record.completed, record.failed) == (0, 0)
    assert folder.status().processing == 8
    until(lambda: folder.status().completed == 8)


def test_twenty_status_calls_that_fail_end_no_job(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchtui.engine.shared.poller.BACKOFF_CAP", 0.02)
    bench, server = served("500.poll=1,duration=100ms")
    folder = bench.start(bench.spec("anthropic", 4, JOB))

    def refused() -> int:
        return sum("asking again" in line.text for line in bench.worker.log())

    until(lambda: refused() >= 20)
    assert folder.status().processing == 4
    assert folder.status().attention == []
    server.faults.shares.clear()
    until(lambda: folder.status().completed == 4)


def test_expired_rows_are_kept_apart_and_sent_again(served: Served) -> None:
    bench, server = served("expire=0.6")
    folder = bench.run(bench.spec("anthropic", 20, JOB))
    status = folder.status()
    assert (status.completed, status.expired) == (12, 8)
    server.faults.expire = None
    bench.ask(folder, "retry", status=["expired"])
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().completed == 20
    assert [len(entry["job_ids"]) for entry in creates(server)] == [20, 8]


def test_cancel_is_final_when_the_backend_says_so(served: Served) -> None:
    bench, server = served("duration=20s")
    folder = bench.start(bench.spec("anthropic", 10, JOB))
    until(lambda: folder.progress.submissions and folder.progress.submissions[1].remote_id)
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = folder.status()
    assert (status.status, status.completed + status.cancelled) == ("cancelled", 10)
    assert [entry["op"] for entry in server.ledger()] == ["create", "cancel"]


def test_a_batch_file_of_the_provider_runs_as_it_is_on_both_kinds(served: Served) -> None:
    bench, _ = served()
    params = {"model": "demo-small", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}
    requests = [{"custom_id": f"c{n}", "params": params} for n in range(4)]
    source = bench.folder_path / "requests.json"
    source.write_text(json.dumps({"requests": requests}))
    for backend in ("anthropic", "anthropic-chat"):
        folder = bench.run(BatchSpec(name=backend, backend=backend, source=SourceSpec(file=str(source))))
        results = [folder.result(n) for n in range(4)]
        assert [result.job_id for result in results] == ["c0", "c1", "c2", "c3"]
        assert {result.status for result in results} == {"completed"}
