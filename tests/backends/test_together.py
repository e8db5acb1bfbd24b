"""Kind `together` against odd replies: an upload in three steps, a wrapped create, a look-up by file and name."""

from __future__ import annotations

import hashlib
import json

import pytest

from batchtui.backends.base import NeedsPerson, Refused, TryLater, Unsure
from batchtui.model import SubmissionState
from tests.backends.jobs_help import job, submission
from tests.backends.odd_server import KEY, reply

JOB = reply(200, {"job": {"id": "batch-1", "status": "VALIDATING"}, "warning": None})
DONE = reply(200, {"id": "file-1", "object": "file"})


@pytest.fixture
def together(odd, make):
    return make("together", odd.url, poll_interval="1s", settle="2s")


def place(odd, address="/bucket/x?signature=1", file_id="file-1"):
    url = f"{odd.url}{address}" if address.startswith("/") else address
    return reply(302, "", {"Location": url, "X-Together-File-Id": file_id})


async def submit(backend, notes=None, **fields):
    return await backend.submit(submission(**fields), [job()], (notes if notes is not None else []).append)


async def test_an_upload_in_three_steps_then_a_create(odd, together):
    odd.script(place(odd), reply(200, ""), DONE, JOB)
    notes: list[dict] = []
    assert await submit(together, notes) == "batch-1"
    announce, put, done, create = odd.seen
    assert (announce.method, announce.path) == ("POST", "/v1/files")
    for name, value in (
        ("purpose", "batch-api"),
        ("file_name", "token-1.jsonl"),
        ("file_type", "jsonl"),
        ("checksum", hashlib.sha256(put.body).hexdigest()),
    ):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in announce.body
    assert announce.headers["authorization"] == f"Bearer {KEY}"
    assert (put.method, put.path) == ("PUT", "/bucket/x?signature=1")
    assert "authorization" not in put.headers, "the address is its own permission"
    assert json.loads(put.body) == {
        "custom_id": "row 0",
        "body": {"model": "demo-small", "messages": [{"role": "user", "content": "hi"}]},
    }
    assert (done.method, done.path) == ("POST", "/v1/files/file-1/preprocess")
    assert create.json == {
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-1",
        "completion_window": "24h",
    }
    assert notes == [{"file_id": "file-1"}]


async def test_a_storage_may_lead_on_and_a_bad_address_is_refused(odd, together):
    odd.script(place(odd), reply(307, "", {"Location": "/other"}), reply(200, ""), DONE, JOB)
    assert await submit(together) == "batch-1"
    assert [(one.method, one.path) for one in odd.seen[1:3]] == [
        ("PUT", "/bucket/x?signature=1"),
        ("PUT", "/other"),
    ]
    assert odd.seen[1].body == odd.seen[2].body
    odd.script(place(odd), reply(307, "", {"Location": "http://169.254.169.254/"}))
    with pytest.raises(Refused, match="not a public https address"):
        await submit(together)


async def test_bytes_that_are_there_already_are_not_sent_again(odd, together):
    odd.script(reply(409, {"file_id": "file-9"}), JOB)
    await submit(together)
    assert odd.seen[1].json["input_file_id"] == "file-9"


@pytest.mark.parametrize(
    ("replies", "fault"),
    [
        ([reply(302, "", {"X-Together-File-Id": "file-1"})], TryLater),
        ([reply(200, {})], TryLater),
        ([reply(500, {})], TryLater),
        ([reply(400, {"error": {"message": "bad purpose"}})], Refused),
        ([reply(401, {"error": {"message": "no"}})], NeedsPerson),
        ([reply(302, "", {"Location": "http://169.254.169.254/", "X-Together-File-Id": "f"})], Refused),
        (["place", reply(403, "<Error>expired</Error>")], TryLater),
        (["place", reply(413, "too large")], Refused),
        (["place", None], TryLater),
        (["place", reply(200, ""), reply(500, {})], TryLater),
    ],
)
async def test_what_a_failed_upload_means(odd, together, replies, fault):
    odd.script(*[place(odd) if one == "place" else one for one in replies])
    notes: list[dict] = []
    with pytest.raises(fault):
        await submit(together, notes)
    assert (notes, len(odd.seen)) == ([], len(replies))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (reply(200, {"job": {"status": "VALIDATING"}}), Unsure),
        (reply(200, {"warning": "x"}), Unsure),
        (reply(500, {}), Unsure),
        (None, Unsure),
        (reply(400, {"error": {"message": "no such model", "type": "invalid_request_error"}}), Refused),
        (reply(429, {}, {"Retry-After": "2"}), TryLater),
    ],
)
async def test_what_a_refused_create_means(odd, together, data, fault):
    odd.script(data)
    with pytest.raises(fault):
        await submit(together, facts={"file_id": "file-1"})


async def test_a_bare_job_is_taken_too(odd, together):
    odd.script(reply(200, {"id": "batch-7"}))
    assert await submit(together, facts={"file_id": "file-1"}) == "batch-7"


async def test_it_is_known_by_its_file(odd, together):
    batches = [{"id": "theirs", "input_file_id": "file-2"}, {"id": "ours", "input_file_id": "file-1"}]
    odd.script(reply(200, batches))
    assert (await together.find(submission(facts={"file_id": "file-1"}))).remote_id == "ours"
    assert (await together.find(submission(facts={"file_id": "file-3"}))).absent


async def test_where_the_file_was_not_written_down_it_is_known_by_its_name(odd, together):
    files = [{"id": "file-0", "filename": "x.jsonl"}, {"id": "file-1", "filename": "token-1.jsonl"}]
    batches = [{"id": "ours", "input_file_id": "file-1"}, {"id": "odd", "input_file_id": None}]
    odd.answer = lambda request: reply(200, {"data": files} if "files" in request.path else batches)
    assert (await together.find(submission())).remote_id == "ours"
    assert (await together.find(submission("token-2"))).absent
    odd.script(reply(404, {}))
    with pytest.raises(Refused):
        await together.find(submission())


@pytest.mark.parametrize(
    ("batch", "state", "ended_as", "completed"),
    [
        ({"status": "VALIDATING", "progress": 0.0}, SubmissionState.SUBMITTED, None, None),
        ({"status": "IN_PROGRESS", "progress": 25.0}, SubmissionState.PROCESSING, None, 50),
        ({"status": "IN_PROGRESS", "progress": "x"}, SubmissionState.PROCESSING, None, None),
        ({"status": "COMPLETED", "progress": 100}, SubmissionState.ENDED, "completed", 200),
        ({"status": "FAILED"}, SubmissionState.ENDED, "failed", None),
        ({"status": "EXPIRED", "progress": 1e9}, SubmissionState.ENDED, "expired", None),
        ({"status": "CANCELLED"}, SubmissionState.ENDED, "cancelled", None),
        ({"status": "NEW"}, SubmissionState.PROCESSING, None, None),
    ],
)
async def test_percent_stand_for_counts(odd, together, batch, state, ended_as, completed):
    odd.script(reply(200, {"id": "b", **batch}))
    progress = (await together.poll([submission(remote_id="b", jobs=200)]))[1]
    assert (progress.state, progress.ended_as, progress.completed) == (state, ended_as, completed)


async def test_the_reason_of_a_failed_batch_is_text(odd, together):
    odd.script(reply(200, {"status": "FAILED", "error": "line 3: no model"}))
    progress = (await together.poll([submission(remote_id="b")]))[1]
    assert (progress.ended_as, progress.error) == ("failed", "line 3: no model")


async def test_list_and_cancel(odd, together):
    batch = {"id": "b", "status": "COMPLETED", "created_at": "2026-11-21T08:00:00Z", "input_file_id": "f"}
    files = [{"id": "f", "filename": "k-1-0123abcd.jsonl"}, {"id": "g"}, 7]
    odd.script(reply(200, [batch, {"id": "c", "input_file_id": "gone"}, {}, 7]), reply(200, {"data": files}))
    found, other = await together.list()
    assert (found.remote_id, found.created) == ("b", "2026-11-21T08:00:00Z")
    assert (found.token, found.tells) == ("k-1-0123abcd", True)
    assert (other.token, other.tells) == (None, False)
    odd.script(reply(200, {"status": "CANCELLED"}))
    await together.cancel(submission(remote_id="b"))
    assert (odd.seen[-1].method, odd.seen[-1].path) == ("POST", "/v1/batches/b/cancel")
