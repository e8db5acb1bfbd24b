"""Kinds `gemini`, `mistral` and `together` under the engine: lost replies, refusals, expiry, cancel, schemas."""

from __future__ import annotations

import pytest

from batchtui.store.folder import BatchFolder
from tests.engine.bench import until
from tests.engine.test_remote import JOB, Served, creates

KINDS = ("gemini", "mistral", "together")
pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_a_lost_reply_is_looked_up_and_adopted(served: Served, kind: str) -> None:
    bench, server = served("drop.create=1,duration=100ms")
    folder = bench.run(bench.spec(kind, 7, JOB, jobs_per_submission=4))
    assert folder.status().completed == 7
    assert len(creates(server)) == 2
    events = [event["event"] for event in folder.events()]
    assert events.index("intent") < events.index("unsure") < events.index("submitted")


def test_uploads_and_calls_that_fail_now_and_then_end_no_job(served: Served, kind: str) -> None:
    bench, server = served(
        "500.upload=0.4,429.create=0.4,500.poll=0.4,drop.results=0.4,seed=3,duration=100ms"
    )
    folder = bench.run(bench.spec(kind, 6, JOB))
    assert folder.status().completed == 6
    assert len(creates(server)) == 1


def test_rows_that_expire_are_sent_again_when_asked(served: Served, kind: str) -> None:
    bench, server = served("expire=0.6,duration=300ms")
    folder = bench.run(bench.spec(kind, 10, JOB))
    done = 0 if kind == "gemini" else 6  # an expired batch of Gemini leaves no results
    assert (folder.status().completed, folder.status().expired) == (done, 10 - done)
    server.faults.expire = None
    bench.ask(folder, "retry", status=["expired"])
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().completed == 10
    assert [len(entry["job_ids"]) for entry in creates(server)] == [10, 10 - done]


def test_cancel_is_final_when_the_backend_says_so(served: Served, kind: str) -> None:
    bench, server = served("duration=6s")
    folder = bench.start(bench.spec(kind, 20, JOB, jobs_per_submission=10, submissions_at_once=1))
    until(lambda: _state(folder) == "processing")
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = bench.status(folder)
    assert status.status == "cancelled"
    assert status.completed + status.cancelled == 20
    assert status.cancelled >= 10
    assert [entry["op"] for entry in server.ledger() if entry["op"] == "cancel"] == ["cancel"]


def _state(folder: BatchFolder) -> str | None:
    records = folder.progress.submissions
    return records[1].state if 1 in records else None


def test_a_refused_model_is_told_in_the_providers_words(served: Served, kind: str) -> None:
    bench, _ = served("duration=100ms")
    folder = bench.run(bench.spec(kind, 2, JOB | {"model": "unknown-model"}))
    assert folder.status().failed == 2
    result = folder.result(0)
    assert result.error
    assert "unknown-model" in result.error


def test_answers_to_a_schema_are_parsed(served: Served, kind: str) -> None:
    bench, _ = served("duration=100ms")
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    folder = bench.run(bench.spec(kind, 3, JOB | {"schema": schema}))
    assert folder.status().completed == 3
    assert all(isinstance(folder.result(n).parsed_response["n"], int) for n in range(3))
