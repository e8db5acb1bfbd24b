"""Kind `openai` against odd replies: sent once, found again, never crashed by what comes back."""

from __future__ import annotations

import json
import time

import pytest

from batchtui.backends.base import Forgotten, NeedsPerson, Progress, Refused, Transient, TryLater, Unsure
from batchtui.model import JobState, SubmissionState
from tests.backends.jobs_help import job, submission
from tests.backends.odd_server import KEY, reply

FILE = reply(200, {"id": "file-1"})
BATCH = reply(200, {"id": "batch_1", "status": "validating"})


@pytest.fixture
def openai(odd, make):
    return make("openai", odd.url, poll_interval="1s", settle="2s")


async def submit(backend, jobs=None, notes=None, **fields):
    return await backend.submit(
        submission(**fields), jobs or [job()], (notes if notes is not None else []).append
    )


async def collect(backend, one, keep=None):
    return [answer async for answer in backend.results(one, keep)]


def listing(*batches, more=False):
    return reply(200, {"object": "list", "data": list(batches), "has_more": more})


async def test_an_upload_then_a_create_with_the_token(odd, openai):
    odd.script(FILE, BATCH)
    notes: list[dict] = []
    assert await submit(openai, [job(n) for n in range(3)], notes) == "batch_1"
    upload, create = odd.seen
    assert upload.path == "/v1/files"
    assert b'filename="token-1.jsonl"' in upload.body
    lines = [json.loads(line) for line in upload.body.split(b"\r\n\r\n")[2].split(b"\r\n--")[0].splitlines()]
    assert [line["custom_id"] for line in lines] == ["row 0", "row 1", "row 2"]
    assert lines[0] == {
        "custom_id": "row 0",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "demo-small", "messages": [{"role": "user", "content": "hi"}]},
    }
    assert create.json == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"batchtui_token": "token-1", "batchtui_batch": "invoices"},
    }
    assert notes == [{"file_id": "file-1"}]


async def test_a_journaled_file_is_not_uploaded_again(odd, openai):
    odd.script(BATCH)
    assert await submit(openai, facts={"file_id": "file-9"}) == "batch_1"
    assert [one.path for one in odd.seen] == ["/v1/batches"]
    assert odd.seen[0].json["input_file_id"] == "file-9"


@pytest.mark.parametrize("data", [None, reply(500, {}), reply(200, ""), reply(200, {})])
async def test_a_failed_upload_made_nothing(odd, openai, data):
    odd.script(data)
    notes: list[dict] = []
    with pytest.raises(TryLater) as caught:
        await submit(openai, notes=notes)
    assert caught.value.counts
    assert notes == []


@pytest.mark.parametrize("id_", ["\x1b]0;x\x07", "..", 7, ["file-1"]])
async def test_a_file_id_that_cannot_be_used_is_said(odd, openai, id_):
    odd.script(reply(200, {"id": id_}))
    with pytest.raises(Refused, match="upload: the reply names the file by an id that"):
        await submit(openai)
    assert len(odd.seen) == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        reply(500, {}),
        reply(502, "<html>"),
        reply(409, {}),
        reply(200, ""),
        reply(200, "<html>login</html>"),
        reply(200, {"status": "validating"}),
        reply(200, {"id": "\x1b]0;PWN\x07"}),
        reply(200, {"id": ".."}),
    ],
)
async def test_a_create_that_may_have_been_made_is_unsure(odd, openai, data):
    odd.script(FILE, data)
    with pytest.raises(Unsure):
        await submit(openai)
    assert len(odd.seen) == 2


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (reply(400, {"error": {"message": "bad window"}}), Refused),
        (reply(429, {}, {"Retry-After": "3"}), TryLater),
        (reply(401, {"error": {"message": f"bad {KEY}"}}), NeedsPerson),
        (reply(429, {"error": {"code": "insufficient_quota"}}), NeedsPerson),
    ],
)
async def test_a_create_that_was_surely_not_made(odd, openai, data, fault):
    odd.script(FILE, data)
    with pytest.raises(fault) as caught:
        await submit(openai)
    assert KEY not in str(caught.value)


async def test_an_id_is_quoted_in_addresses(odd, openai):
    odd.script(FILE, reply(200, {"id": "../../escape"}), reply(200, {"status": "in_progress"}))
    remote_id = await submit(openai)
    await openai.poll([submission(remote_id=remote_id)])
    assert odd.seen[-1].path == "/v1/batches/..%2F..%2Fescape"


async def test_a_batch_is_found_by_token_or_by_its_file(odd, openai):
    now = time.time()
    odd.script(
        listing({"id": "x", "created_at": now, "metadata": None}, more=True),
        listing({"id": "ours", "created_at": now - 5, "metadata": {"batchtui_token": "token-1"}}),
    )
    assert (await openai.find(submission())).remote_id == "ours"
    assert "after=x" in odd.seen[1].path
    odd.script(listing({"id": "theirs", "created_at": now, "input_file_id": "file-1"}))
    assert (await openai.find(submission(facts={"file_id": "file-1"}))).remote_id == "theirs"


async def test_absence_is_said_only_when_all_was_read(odd, openai):
    now = time.time()
    old = {"id": "old", "created_at": now - 10_000}
    odd.script(listing({"id": "new", "created_at": now}, old, more=True))
    assert (await openai.find(submission())).absent
    assert len(odd.seen) == 1
    ours = {"id": "ours", "created_at": now, "metadata": {"batchtui_token": "token-1"}}
    odd.script(listing(old, {"id": "newer", "created_at": now - 9}, more=True), listing(ours))
    assert (await openai.find(submission())).remote_id == "ours", "oldest first: old ones prove nothing"
    odd.script(reply(200, {"data": [{"id": None}], "has_more": True}))
    found = await openai.find(submission())
    assert not found.absent
    assert found.reason
    odd.script(reply(405, "no list here"))
    assert not (await openai.find(submission())).absent
    odd.script(reply(200, {"data": []}))
    assert (await openai.find(submission())).absent
    odd.script(reply(500, {}))
    with pytest.raises(Transient):
        await openai.find(submission())


async def test_a_clock_set_wrong_does_not_hide_a_batch(odd, openai):
    ahead = 30 * 86_400
    server = time.time() - ahead
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(server))
    first = {"data": [{"id": "x", "created_at": server}], "has_more": True}
    ours = {"id": "ours", "created_at": server - 60, "metadata": {"batchtui_token": "token-1"}}
    odd.script(reply(200, first, {"Date": stamp}), listing(ours))
    assert (await openai.find(submission())).remote_id == "ours"


@pytest.mark.parametrize(
    ("batch", "state", "ended_as"),
    [
        ({"status": "validating"}, SubmissionState.SUBMITTED, None),
        ({"status": "IN_PROGRESS"}, SubmissionState.PROCESSING, None),
        ({"status": "in-progress"}, SubmissionState.PROCESSING, None),
        ({"status": "PROGRESS"}, SubmissionState.PROCESSING, None),
        ({"status": "cancelling"}, SubmissionState.CANCELLING, None),
        ({"status": "Completed"}, SubmissionState.ENDED, "completed"),
        ({"status": "expired"}, SubmissionState.ENDED, "expired"),
        ({"status": "canceled"}, SubmissionState.ENDED, "cancelled"),
        ({}, SubmissionState.PROCESSING, None),
        (
            {"status": 7, "request_counts": [1], "errors": 5, "metadata": "x", "expires_at": 1e30},
            "processing",
            None,
        ),
    ],
)
async def test_statuses_of_all_dialects(odd, openai, batch, state, ended_as):
    odd.script(reply(200, batch))
    progress = (await openai.poll([submission(remote_id="b")]))[1]
    assert (progress.state, progress.ended_as) == (state, ended_as)


async def test_an_unknown_word_is_shown_and_asked_on(odd, openai):
    odd.script(reply(200, {"id": "b", "status": "paused_by_admin"}))
    progress = (await openai.poll([submission(remote_id="b")]))[1]
    assert progress.state is SubmissionState.PROCESSING
    assert "paused_by_admin" in (progress.error or "")


async def test_counts_files_and_the_first_fault(odd, openai):
    errors = {"object": "list", "data": [{"code": "invalid_json_line", "message": "Not JSON", "line": 3}]}
    counts = {"total": 4, "completed": 2, "failed": None}
    batch = {
        "status": "failed",
        "errors": errors,
        "request_counts": counts,
        "output_file_id": "o",
        "error_file_id": None,
    }
    odd.script(reply(200, batch))
    progress = (await openai.poll([submission(remote_id="b")]))[1]
    assert (progress.completed, progress.failed, progress.total) == (2, None, 4)
    assert progress.error == "line 3: Not JSON (invalid_json_line)"
    assert progress.facts == {"output_file_id": "o", "said": errors}


async def test_one_list_call_answers_for_many(odd, openai):
    ids = [f"b{n}" for n in range(8)]
    batches = [{"id": one, "status": "completed"} for one in ids[:7]]
    odd.answer = lambda request: (
        listing(*batches)
        if "batches?" in request.path
        else reply(404, {})
        if request.path.endswith("b7")
        else None
    )
    known = await openai.poll([submission(id=n, remote_id=one) for n, one in enumerate(ids)])
    assert len(odd.seen) == 2
    assert {one.ended_as for n, one in known.items() if n < 7} == {"completed"}
    assert known[7].ended_as == "forgotten"


async def test_one_fault_does_not_hide_the_others(odd, openai):
    odd.answer = lambda request: (
        reply(500, {}) if request.path.endswith("bad") else reply(200, {"status": "completed"})
    )
    known = await openai.poll([submission(id=1, remote_id="bad"), submission(id=2, remote_id="good")])
    assert isinstance(known[1], Transient)
    assert isinstance(known[2], Progress)
    with pytest.raises(Transient):
        await openai.poll([submission(id=1, remote_id="bad")])


def result(job_id, text):
    body = {"choices": [{"message": {"content": text}}]}
    return (
        json.dumps({"custom_id": job_id, "response": {"status_code": 200, "body": body}, "error": None})
        + "\n"
    )


async def test_both_files_are_read_and_kept_as_they_came(odd, openai):
    output, errors = result("a", "x"), '{"custom_id":"b","response":null,"error":{"code":"batch_expired"}}\n'
    odd.answer = lambda request: reply(200, output if "out" in request.path else errors)
    kept: dict[str, bytes] = {}

    def keep(name, chunk):
        kept[name] = kept.get(name, b"") + chunk

    one = submission(remote_id="b", facts={"output_file_id": "out", "error_file_id": "err"})
    answers = await collect(openai, one, keep)
    assert [(answer.job_id, answer.outcome.state) for answer in answers] == [
        ("a", JobState.COMPLETED),
        ("b", JobState.EXPIRED),
    ]
    assert answers[0].raw == output.rstrip("\n")
    assert kept == {"output.jsonl": output.encode(), "errors.jsonl": errors.encode()}


async def test_files_are_asked_for_where_no_fact_names_them(odd, openai):
    odd.answer = lambda request: (
        reply(200, {"status": "completed", "output_file_id": "out"})
        if "batches" in request.path
        else reply(200, result("a", "x"))
    )
    assert [answer.job_id for answer in await collect(openai, submission(remote_id="b"))] == ["a"]


async def test_files_that_are_not_named_yet_are_waited_for(odd, openai):
    counts = {"total": 1, "completed": 1, "failed": 0}
    told = {"status": "completed", "request_counts": counts}
    odd.answer = lambda request: reply(200, told if "batches" in request.path else result("a", "x"))
    with pytest.raises(Transient) as caught:
        await collect(openai, submission(remote_id="b"))
    assert caught.value.kind == "not_ready"
    told["output_file_id"] = "out"
    assert [answer.job_id for answer in await collect(openai, submission(remote_id="b"))] == ["a"]


async def test_a_cut_file_is_read_once_more_and_no_row_comes_twice(odd, openai):
    whole = result("a", "x") + result("b", "y")
    one = submission(remote_id="b", facts={"output_file_id": "out"})
    odd.script(reply(200, whole[:-30]), reply(200, whole))
    assert [answer.job_id for answer in await collect(openai, one)] == ["a", "b"]
    odd.script(reply(200, whole[:-30]))
    answers = openai.results(one, None)
    assert (await anext(answers)).job_id == "a"
    with pytest.raises(Transient, match="cut in the middle of a line"):
        await anext(answers)


async def test_results_that_are_gone_or_out_of_reach(odd, openai):
    one = submission(remote_id="b", facts={"output_file_id": "out"})
    odd.script(reply(404, {}))
    with pytest.raises(Forgotten):
        await collect(openai, one)
    odd.script(reply(302, "", {"Location": "http://api.invalid/"}))
    with pytest.raises(Transient, match="redirect"):
        await collect(openai, one)
    odd.script(None)
    with pytest.raises(Transient):
        await collect(openai, one)


async def test_cancel_and_list(odd, openai):
    odd.script(reply(200, {"status": "cancelling"}))
    await openai.cancel(submission(remote_id="b"))
    assert (odd.seen[0].method, odd.seen[0].path) == ("POST", "/v1/batches/b/cancel")
    odd.script(reply(409, {"error": {"message": "already completed"}}))
    await openai.cancel(submission(remote_id="b"))
    metadata = {"batchtui_token": "t", "batchtui_batch": "invoices"}
    batch = {
        "id": "b",
        "status": "completed",
        "created_at": 0,
        "request_counts": {"total": 3},
        "metadata": metadata,
    }
    odd.script(listing(batch, {"id": None}, "junk"))
    [found] = await openai.list()
    assert (found.remote_id, found.jobs, found.token, found.name) == ("b", 3, "t", "invoices")
    assert found.created == "1970-01-01T00:00:00Z"


def test_groups_limits_and_other_endpoints(openai):
    assert openai.group(job(model="m", prompt="x")) == "/v1/chat/completions m"
    embed = job(endpoint="/v1/embeddings", body={"model": "e", "input": "x"})
    assert openai.check(embed) == []
    assert openai.group(embed) == "/v1/embeddings e"
    assert json.loads(openai.line(embed))["url"] == "/v1/embeddings"
    assert [key for key, _ in openai.check(job(endpoint="/v1/embeddings", model="e", prompt="x"))] == ["body"]
    assert (openai.limits.poll_interval, openai.limits.settle, openai.limits.poll_interval_max) == (1, 2, 4)
    assert openai.limits.jobs_per_submission == 50_000
