"""Kind `gemini` against odd replies: Google's errors, states of every spelling, uploads that lead elsewhere."""

from __future__ import annotations

import json
import time

import pytest

from batchtui.backends.base import Forgotten, NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.model import JobState, SubmissionState
from tests.backends.jobs_help import job, submission
from tests.backends.odd_server import KEY, reply

FILE = reply(200, {"file": {"name": "files/in-1"}}, {"X-Goog-Upload-Status": "final"})
BATCH = reply(200, {"name": "batches/b1", "metadata": {"state": "BATCH_STATE_PENDING"}})


@pytest.fixture
def gemini(odd, make):
    return make("gemini", odd.url, base_url=f"{odd.url}/v1beta", poll_interval="1s", settle="2s")


def start(odd):
    return reply(200, {}, {"X-Goog-Upload-URL": f"{odd.url}/elsewhere?upload_id=1"})


def google(status, word, message="no", details=()):
    return reply(
        status, {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    )


async def submit(backend, notes=None, **fields):
    return await backend.submit(submission(**fields), [job()], (notes if notes is not None else []).append)


async def collect(backend, one, keep=None):
    return [answer async for answer in backend.results(one, keep)]


async def test_an_upload_in_two_steps_then_a_create_with_the_token(odd, gemini):
    odd.script(start(odd), FILE, BATCH)
    notes: list[dict] = []
    assert await submit(gemini, notes) == "batches/b1"
    announce, send, create = odd.seen
    assert announce.path == "/upload/v1beta/files"
    assert announce.json["file"]["size_bytes"] == len(send.body)
    assert announce.headers["x-goog-upload-header-content-length"] == str(len(send.body))
    assert (announce.headers["x-goog-api-key"], "authorization" in announce.headers) == (KEY, False)
    assert send.path == "/elsewhere?upload_id=1"
    assert send.headers["x-goog-upload-command"] == "upload, finalize"
    assert "x-goog-api-key" not in send.headers, "the address is its own permission"
    assert json.loads(send.body)["request"]["contents"]
    assert create.path == "/v1beta/models/demo-small:batchGenerateContent"
    assert create.json == {
        "batch": {"displayName": "batchtui-token-1", "inputConfig": {"fileName": "files/in-1"}}
    }
    [note] = notes
    assert note["file_id"] == "files/in-1"


async def test_an_upload_that_may_have_gone_meanwhile_is_made_again(odd, gemini):
    now = time.time()
    odd.script(BATCH)
    await submit(gemini, facts={"file_id": "files/in-0", "file_at": now - 3600})
    assert len(odd.seen) == 1
    odd.script(start(odd), FILE, BATCH)
    await submit(gemini, facts={"file_id": "files/in-0", "file_at": now - 45 * 3600})
    assert odd.seen[-1].json["batch"]["inputConfig"] == {"fileName": "files/in-1"}


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/x", "ftp://host.example/x", "http://host.example/x", "//["]
)
async def test_bytes_go_to_no_address_that_is_not_safe(odd, gemini, address):
    odd.script(reply(200, {}, {"X-Goog-Upload-URL": address}))
    with pytest.raises((Refused, TryLater)):
        await submit(gemini)
    assert len(odd.seen) == 1


@pytest.mark.parametrize(
    "storage",
    [reply(403, "expired"), reply(500, {}), reply(200, {"file": {"name": "files/../x"}}), reply(307, "")],
)
async def test_a_storage_that_refuses_says_nothing_of_our_key(odd, gemini, storage):
    odd.script(start(odd), storage)
    with pytest.raises(Refused if b"../x" in storage else TryLater):
        await submit(gemini)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (google(400, "INVALID_ARGUMENT"), Refused),
        (google(404, "NOT_FOUND"), Refused),
        (google(403, "PERMISSION_DENIED"), NeedsPerson),
        (google(400, "INVALID_ARGUMENT", "API key not valid", [{"reason": "API_KEY_INVALID"}]), NeedsPerson),
        (google(429, "RESOURCE_EXHAUSTED"), TryLater),
        (google(503, "UNAVAILABLE"), Unsure),
        (google(409, "ABORTED"), Unsure),
        (reply(200, {"name": "operations/x"}), Unsure),
        (reply(200, {"name": "batches/../../x"}), Unsure),
        (reply(200, "<html>"), Unsure),
        (None, Unsure),
    ],
)
async def test_what_a_refused_create_means(odd, gemini, data, fault):
    odd.script(data)
    with pytest.raises(fault):
        await submit(gemini, facts={"file_id": "files/in-1"})


async def test_the_delay_is_read_from_the_details(odd, gemini):
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}]
    error = {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": details}}
    odd.script(reply(429, [error]))
    with pytest.raises(TryLater) as caught:
        await submit(gemini, facts={"file_id": "files/in-1"})
    assert caught.value.after == 17.5
    assert "slow" in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "state", "ended_as"),
    [
        ({"metadata": {"state": "BATCH_STATE_PENDING"}}, SubmissionState.SUBMITTED, None),
        ({"metadata": {"state": "JOB_STATE_QUEUED"}}, SubmissionState.SUBMITTED, None),
        ({"metadata": {"state": "BATCH_STATE_RUNNING"}}, SubmissionState.PROCESSING, None),
        ({"metadata": {"state": "BATCH_STATE_CANCELLING"}}, SubmissionState.CANCELLING, None),
        ({"metadata": {"state": "BATCH_STATE_SUCCEEDED"}}, SubmissionState.ENDED, "completed"),
        ({"metadata": {"state": "JOB_STATE_PARTIALLY_SUCCEEDED"}}, SubmissionState.ENDED, "completed"),
        ({"metadata": {"state": "BATCH_STATE_EXPIRED"}}, SubmissionState.ENDED, "expired"),
        ({"metadata": {"state": "BATCH_STATE_CANCELLED"}}, SubmissionState.ENDED, "cancelled"),
        ({"done": True, "error": {"message": "x"}}, SubmissionState.ENDED, "failed"),
        ({"done": True, "response": {}}, SubmissionState.ENDED, "completed"),
        ({"metadata": {"state": "BATCH_STATE_ODD"}}, SubmissionState.PROCESSING, None),
        ({"metadata": 7}, SubmissionState.PROCESSING, None),
    ],
)
async def test_states_of_every_spelling(odd, gemini, operation, state, ended_as):
    odd.script(reply(200, {"name": "batches/b", **operation}))
    progress = (await gemini.poll([submission(remote_id="batches/b")]))[1]
    assert (progress.state, progress.ended_as) == (state, ended_as)
    assert odd.seen[0].path == "/v1beta/batches/b"


async def test_counts_come_as_text_and_zeros_are_left_out(odd, gemini):
    stats = {"requestCount": "12", "successfulRequestCount": "9"}
    output = {"responsesFile": "files/out-1"}
    told = {"state": "BATCH_STATE_SUCCEEDED", "batchStats": stats, "endTime": "2026-11-21T08:00:00.5Z"}
    odd.script(reply(200, {"metadata": told, "done": True, "response": {"output": output}}))
    progress = (await gemini.poll([submission(remote_id="batches/b")]))[1]
    assert (progress.completed, progress.failed, progress.total) == (9, 0, 12)
    assert progress.facts == {"output_file_id": "files/out-1"}
    assert progress.expires == "2026-11-23T08:00:00Z", "files are kept for two days"


async def test_a_failed_batch_tells_why(odd, gemini):
    error = {"code": 3, "message": "The file has no rows", "details": []}
    odd.script(reply(200, {"metadata": {"state": "BATCH_STATE_FAILED"}, "done": True, "error": error}))
    progress = (await gemini.poll([submission(remote_id="batches/b")]))[1]
    assert (progress.ended_as, progress.error) == ("failed", "The file has no rows")


async def test_absence_is_said_only_when_all_pages_were_read(odd, gemini):
    def listing(*names, more=None):
        found = [{"name": f"batches/{n}", "metadata": {"displayName": f"batchtui-{n}"}} for n in names]
        return reply(200, {"operations": found, **({"nextPageToken": more} if more else {})})

    odd.script(listing("a", more="2"), listing("token-1"))
    assert (await gemini.find(submission())).remote_id == "batches/token-1"
    assert "pageToken=2" in odd.seen[1].path
    odd.script(listing("a", more="2"), reply(200, {}))
    assert (await gemini.find(submission())).absent
    odd.script(listing("a", more="2"), reply(500, {}))
    with pytest.raises(Transient):
        await gemini.find(submission())
    odd.script(reply(404, {}))
    with pytest.raises(Refused):
        await gemini.find(submission())


async def test_results_are_downloaded_and_kept_as_they_came(odd, gemini):
    good = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}
    lines = [{"key": "a", "response": good}, {"key": "b", "error": {"code": 3, "message": "no"}}]
    content = "".join(json.dumps(line) + "\n" for line in lines) + "garbage\n"
    odd.script(reply(200, content))
    kept: list[bytes] = []
    one = submission(remote_id="batches/b", facts={"output_file_id": "files/out-1"})
    answers = await collect(gemini, one, lambda name, chunk: kept.append(chunk))
    assert odd.seen[0].path == "/v1beta/files/out-1:download?alt=media"
    assert [(answer.job_id, answer.outcome.state) for answer in answers] == [
        ("a", JobState.COMPLETED),
        ("b", JobState.FAILED),
        ("", JobState.FAILED),
    ]
    assert b"".join(kept) == content.encode()


async def test_rows_of_a_batch_that_was_made_inline(odd, gemini):
    good = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}
    rows = [{"metadata": {"key": "a"}, "response": good}, {"response": good}]
    told = {"state": "BATCH_STATE_SUCCEEDED", "output": {"inlinedResponses": {"inlinedResponses": rows}}}
    odd.script(reply(200, {"name": "batches/b", "metadata": told, "done": True}))
    answers = await collect(gemini, submission(remote_id="batches/b"))
    assert [answer.job_id for answer in answers] == ["a", "1"]


async def test_a_finished_batch_without_a_file_yet_is_asked_again(odd, gemini):
    told = {
        "state": "BATCH_STATE_SUCCEEDED",
        "batchStats": {"requestCount": "2", "successfulRequestCount": "2"},
    }
    odd.script(reply(200, {"name": "batches/b", "metadata": told, "done": True}))
    with pytest.raises(Transient):
        await collect(gemini, submission(remote_id="batches/b"))


async def test_a_refused_key_does_not_lose_results(odd, gemini):
    one = submission(remote_id="batches/b", facts={"output_file_id": "files/out-1"})
    odd.script(google(400, "INVALID_ARGUMENT", "API key expired", [{"reason": "API_KEY_INVALID"}]))
    with pytest.raises(NeedsPerson):
        await collect(gemini, one)
    odd.script(google(404, "NOT_FOUND"))
    with pytest.raises(Forgotten):
        await collect(gemini, one)


async def test_its_list_tells_ours_from_others(odd, gemini):
    ours = {"name": "batches/a", "metadata": {"displayName": "batchtui-t-1", "state": "BATCH_STATE_RUNNING"}}
    other = {"name": "batches/b", "metadata": {"displayName": "mine", "batchStats": {"requestCount": "3"}}}
    odd.script(reply(200, {"operations": [ours, other, {"name": "x"}, 7]}))
    found = await gemini.list()
    assert [(one.remote_id, one.token, one.name, one.jobs) for one in found] == [
        ("batches/a", "t-1", None, None),
        ("batches/b", None, "mine", 3),
    ]


async def test_models_that_take_prompts(odd, gemini):
    models = [
        {"name": "models/a", "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/e", "supportedGenerationMethods": ["embedContent"]},
        {"name": "models/b"},
    ]
    odd.script(reply(200, {"models": models[:2], "nextPageToken": "2"}), reply(200, {"models": models[2:]}))
    assert (await gemini.probe()).models == ["a", "b"]
