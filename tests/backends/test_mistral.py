"""Kind `mistral` against odd replies: metadata and its filter, states, errors that stand flat."""

from __future__ import annotations

import json

import pytest

from batchtui.backends import registry
from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.errors import ConfigError
from batchtui.model import SubmissionState
from batchtui.text import Secret
from tests.backends.jobs_help import job, submission
from tests.backends.odd_server import reply

FILE = reply(200, {"id": "file-1"})
BATCH = reply(200, {"id": "job-1", "status": "QUEUED"})


@pytest.fixture
def mistral(odd, make):
    return make("mistral", odd.url, poll_interval="1s", settle="2s", timeout_hours=48)


def flat(status, message, kind="invalid_request_error", headers=None):
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": None}
    return reply(status, body, headers)


def listing(*batches, total=None):
    return reply(
        200, {"object": "list", "data": list(batches), "total": len(batches) if total is None else total}
    )


def ours(batch_id="ours"):
    return {"id": batch_id, "metadata": {"batchtui_token": "token-1"}}


async def submit(backend, **fields):
    return await backend.submit(submission(**fields), [job()], lambda facts: None)


async def test_an_upload_then_a_create_with_the_token(odd, mistral):
    odd.script(FILE, BATCH)
    assert await submit(mistral) == "job-1"
    upload, create = odd.seen
    assert upload.path == "/v1/files"
    assert b'name="purpose"\r\n\r\nbatch\r\n' in upload.body
    line = json.loads(upload.body.split(b"octet-stream\r\n\r\n")[1].split(b"\r\n--")[0])
    assert line == {"custom_id": "row 0", "body": {"messages": [{"role": "user", "content": "hi"}]}}
    assert create.path == "/v1/batch/jobs"
    assert create.json == {
        "endpoint": "/v1/chat/completions",
        "input_files": ["file-1"],
        "model": "demo-small",
        "metadata": {"batchtui_token": "token-1", "batchtui_batch": "invoices"},
        "timeout_hours": 48,
    }


def test_fields_under_its_own_names(mistral):
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    asked = job(body={"model": "m", "messages": messages, "max_completion_tokens": 9}, seed=7)
    assert mistral.check(asked) == []
    body = mistral.body(asked)
    assert (body["random_seed"], body["max_tokens"], "seed" in body) == (7, 9, False)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    schema = {"type": "object", "properties": {}}
    asked = mistral.body(job(model="m", prompt="x", schema=schema))["response_format"]
    assert (asked["type"], asked["json_schema"]["schema"]) == ("json_schema", schema)
    other = job(endpoint="/v1/ocr", model="m", body={"document": {}})
    assert (mistral.check(other), mistral.group(other)) == ([], "/v1/ocr m")


@pytest.mark.parametrize("hours", [0, 168, -1])
def test_a_time_out_that_it_does_not_take_is_refused_at_once(hours):
    with pytest.raises(ConfigError, match="timeout_hours"):
        registry.build("b", {"kind": "mistral", "timeout_hours": hours}, Secret("k"))


@pytest.mark.parametrize(
    ("data", "fault", "words"),
    [
        (flat(400, "Invalid model: x"), Refused, "Invalid model: x"),
        (flat(422, {"detail": [{"msg": "too long", "loc": ["body"]}]}), Refused, "too long"),
        (flat(401, "Unauthorized", "authentication_error"), NeedsPerson, "key"),
        (flat(402, "pay", "billing"), NeedsPerson, "money"),
        (flat(429, "slow down", "rate_limit_error", {"Retry-After": "4"}), TryLater, "slow down"),
        (flat(503, "busy", "server_error"), Unsure, "busy"),
        (reply(200, {"status": "QUEUED"}), Unsure, "id"),
        (None, Unsure, "cut"),
    ],
)
async def test_what_a_refused_create_means(odd, mistral, data, fault, words):
    odd.script(data)
    with pytest.raises(fault, match=words):
        await submit(mistral, facts={"file_id": "file-1"})


async def test_it_is_looked_up_by_metadata(odd, mistral):
    odd.script(listing(ours()))
    assert (await mistral.find(submission())).remote_id == "ours"
    assert "batchtui_token=token-1" in odd.seen[0].path
    odd.script(listing())
    assert (await mistral.find(submission())).absent


async def test_a_server_that_does_not_filter_is_read_to_its_end(odd, mistral):
    others = [{"id": f"b{n}", "metadata": {"batchtui_token": "x"}} for n in range(100)]
    odd.script(listing(*others, total=101), listing(ours(), total=101))
    assert (await mistral.find(submission())).remote_id == "ours"
    assert "page=1" in odd.seen[1].path
    odd.script(reply(200, {"data": "x"}))
    with pytest.raises(Transient):
        await mistral.find(submission())
    odd.script(reply(501, {}))
    with pytest.raises(Refused):
        await mistral.find(submission())


@pytest.mark.parametrize(
    ("status", "state", "ended_as"),
    [
        ("QUEUED", SubmissionState.SUBMITTED, None),
        ("RUNNING", SubmissionState.PROCESSING, None),
        ("CANCELLATION_REQUESTED", SubmissionState.CANCELLING, None),
        ("SUCCESS", SubmissionState.ENDED, "completed"),
        ("success", SubmissionState.ENDED, "completed"),
        ("FAILED", SubmissionState.ENDED, "failed"),
        ("TIMEOUT_EXCEEDED", SubmissionState.ENDED, "expired"),
        ("CANCELLED", SubmissionState.ENDED, "cancelled"),
        ("BRAND_NEW", SubmissionState.PROCESSING, None),
        (None, SubmissionState.PROCESSING, None),
    ],
)
async def test_its_states(odd, mistral, status, state, ended_as):
    odd.script(reply(200, {"id": "b", "status": status}))
    progress = (await mistral.poll([submission(remote_id="b")]))[1]
    assert (progress.state, progress.ended_as) == (state, ended_as)


async def test_counts_files_and_the_first_fault(odd, mistral):
    batch = {
        "status": "FAILED",
        "errors": [{"message": "Invalid JSON", "count": 3}],
        "total_requests": 5,
        "succeeded_requests": 2,
        "failed_requests": 1,
        "output_file": "o",
        "error_file": None,
    }
    odd.script(reply(200, batch))
    progress = (await mistral.poll([submission(remote_id="b")]))[1]
    assert (progress.completed, progress.failed, progress.total) == (2, 1, 5)
    assert (progress.error, progress.facts) == ("Invalid JSON", {"output_file_id": "o"})
    odd.script(reply(200, {"status": "QUEUED", "total_requests": 0, "succeeded_requests": 0}))
    progress = (await mistral.poll([submission(remote_id="b")]))[1]
    assert (progress.completed, progress.total) == (None, None), "nothing is known, which is not nought"


async def test_both_files_are_read_in_tolerant_ways(odd, mistral):
    body = json.dumps({"choices": [{"message": {"content": "x"}}]})
    output = (
        json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}) + "\n"
    )
    flat_error = {"object": "error", "message": "too long", "type": "invalid_request_error"}
    errors = json.dumps({"custom_id": "b", "response": {"status_code": 422, "body": flat_error}}) + "\n"
    odd.answer = lambda request: reply(200, output if "/out/" in request.path else errors)
    one = submission(remote_id="b", facts={"output_file_id": "out", "error_file_id": "err"})
    answers = {answer.job_id: answer.outcome async for answer in mistral.results(one, None)}
    assert (answers["a"].state, answers["a"].raw_response) == ("completed", "x")
    assert (answers["b"].state, "too long" in (answers["b"].error or "")) == ("failed", True)
