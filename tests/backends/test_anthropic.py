"""Kind `anthropic` against odd replies: what is sent and how it is signed, progress, results, cancel, lists."""

from __future__ import annotations

import asyncio
import json

import pytest

from batchtui.backends.base import Forgotten, NeedsPerson, Progress, Refused, Transient, TryLater, Unsure
from batchtui.model import JobState, SubmissionState
from tests.backends.jobs_help import job as any_job
from tests.backends.jobs_help import submission as any_submission
from tests.backends.odd_server import KEY, Odd, reply

TOKEN = "batch-1-0123abcd"
BATCH = reply(200, {"id": "msgbatch_1", "processing_status": "in_progress"})


@pytest.fixture
def anthropic(odd, make):
    return make("anthropic", odd.url, poll_interval="1s", settle="2s")


@pytest.fixture
async def elsewhere():
    """Another host than the backend's: the same machine under another port."""
    server = Odd()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()


def job(index=0, job_id="", **work):
    made = any_job(index, job_id or f"row{index}", **work)
    made.token = TOKEN
    return made


def submission(**fields):
    return any_submission(fields.pop("token", TOKEN), **fields)


async def submit(backend, jobs=None, notes=None):
    return await backend.submit(submission(), jobs or [job()], (notes if notes is not None else []).append)


async def collect(backend, one, keep=None):
    return [answer async for answer in backend.results(one, keep)]


def counts(**given):
    return dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0) | given


def row(job_id, kind="succeeded", **fields):
    if kind == "succeeded":
        fields = {"message": {"content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}}
    return json.dumps({"custom_id": job_id, "result": {"type": kind, **fields}}) + "\n"


# ---- sending


async def test_one_call_holds_all_requests_and_their_mark(odd, anthropic):
    odd.script(BATCH)
    notes: list[dict] = []
    jobs = [job(0), job(1, "not allowed: é"), job(2, "x" * 56)]
    assert await submit(anthropic, jobs, notes) == "msgbatch_1"
    [create] = odd.seen
    assert (create.method, create.path) == ("POST", "/v1/messages/batches")
    assert create.headers["content-type"] == "application/json"
    params = {"model": "demo-small", "max_tokens": 4096, "messages": [{"role": "user", "content": "hi"}]}
    ids = ["0123abcd-row0", "0123abcd_1", "0123abcd_2"]
    assert create.json == {"requests": [{"custom_id": one, "params": params} for one in ids]}
    assert notes == [{"rows": 3}]
    assert sum(len(anthropic.line(one)) for one in jobs) >= len(create.body) - 20


async def test_the_key_goes_either_way_with_version_and_betas(odd, make):
    odd.script(BATCH)
    await submit(make("anthropic", odd.url, beta=["output-300k-2026-03-24", "b"]))
    await submit(make("anthropic", odd.url, auth="bearer", api_version="2023-06-01"))
    plain, bearer = (one.headers for one in odd.seen)
    assert (plain["x-api-key"], plain["anthropic-version"]) == (KEY, "2026-10-21")
    assert plain["anthropic-beta"] == "output-300k-2026-03-24,b"
    assert "authorization" not in plain
    assert (bearer["authorization"], bearer["anthropic-version"]) == (f"Bearer {KEY}", "2023-06-01")
    assert "x-api-key" not in bearer
    assert "anthropic-beta" not in bearer


async def test_the_base_address_may_end_in_v1_or_not(odd, make):
    odd.script(BATCH)
    await submit(make("anthropic", odd.url.removesuffix("/v1"), base_url=odd.url))
    await submit(make("anthropic", odd.url))
    assert [one.path for one in odd.seen] == ["/v1/messages/batches"] * 2


@pytest.mark.parametrize(
    "data",
    [
        None,
        reply(500, {}),
        reply(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        reply(409, {}),
        reply(200, ""),
        reply(200, {"processing_status": "in_progress"}),
        reply(200, {"id": "\x1b]0;PWN\x07"}),
    ],
)
async def test_a_create_that_may_have_been_made_is_unsure_and_not_repeated(odd, anthropic, data):
    odd.script(data)
    with pytest.raises(Unsure):
        await submit(anthropic)
    assert len(odd.seen) == 1


def error(kind, **more):
    return {"type": "error", "error": {"type": kind, "message": f"no {KEY}", **more}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (reply(400, error("invalid_request_error")), Refused),
        (reply(413, "<html>too large</html>"), Refused),
        (reply(429, error("rate_limit_error"), {"retry-after": "3"}), TryLater),
        (reply(401, error("authentication_error")), NeedsPerson),
        (reply(402, error("billing_error")), NeedsPerson),
        (
            reply(429, error("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"})),
            NeedsPerson,
        ),
    ],
)
async def test_a_create_that_was_surely_not_made(odd, anthropic, data, fault):
    odd.script(data)
    with pytest.raises(fault) as caught:
        await submit(anthropic)
    assert KEY not in str(caught.value)


# ---- progress


@pytest.mark.parametrize(
    ("batch", "state", "ended_as", "figures"),
    [
        ({"processing_status": "in_progress", "request_counts": counts(processing=9)}, "processing", None, (None, 9)),
        ({"processing_status": "canceling", "request_counts": counts(processing=9)}, "cancelling", None, (None, 9)),
        ({"processing_status": "ended", "request_counts": counts(succeeded=3)}, "ended", "completed", (3, 3)),
        ({"processing_status": "ended", "request_counts": counts(succeeded=3, errored=1)}, "ended", "completed", (3, 4)),
        ({"processing_status": "ended", "request_counts": counts(errored=4)}, "ended", "failed", (0, 4)),
        ({"processing_status": "ended", "request_counts": counts(succeeded=6, expired=4)}, "ended", "expired", (6, 10)),
        (
            {"processing_status": "ended", "cancel_initiated_at": "2026-11-21T08:00:00Z",
             "request_counts": counts(succeeded=1, canceled=1)},
            "ended", "cancelled", (1, 2),
        ),
        ({"processing_status": "ended"}, "ended", "completed", (None, None)),
        ({}, "processing", None, (None, None)),
        ({"processing_status": 7, "request_counts": [1], "expires_at": 5e30}, "processing", None, (None, None)),
    ],
)  # fmt: skip
async def test_states_and_counts_that_are_none_until_the_end(odd, anthropic, batch, state, ended_as, figures):
    odd.script(reply(200, batch))
    progress = (await anthropic.poll([submission(remote_id="b")]))[1]
    assert (progress.state, progress.ended_as) == (SubmissionState(state), ended_as)
    assert (progress.completed, progress.total) == figures


async def test_an_unknown_word_is_shown_and_a_lost_batch_told(odd, anthropic):
    odd.script(reply(200, {"processing_status": "paused"}), reply(404, error("not_found_error")))
    one = submission(remote_id="b")
    assert "paused" in ((await anthropic.poll([one]))[1].error or "")
    assert (await anthropic.poll([one]))[1].ended_as == "forgotten"


async def test_when_it_and_its_results_expire_and_where_its_results_are(odd, anthropic):
    batch = {
        "processing_status": "ended",
        "created_at": "2026-11-21T08:44:22.854389Z",
        "expires_at": "2026-11-22T08:44:22.854389Z",
        "results_url": f"{odd.url}/x",
    }
    running = {**batch, "processing_status": "in_progress", "results_url": None}
    odd.script(reply(200, running), reply(200, batch), reply(200, {**batch, "results_url": "http://\x1b[2J"}))
    progress = (await anthropic.poll([submission(remote_id="b")]))[1]
    assert (progress.expires, progress.facts) == ("2026-11-22T08:44:22Z", {})
    progress = (await anthropic.poll([submission(remote_id="b")]))[1]
    assert (progress.expires, progress.facts) == ("2026-12-20T08:44:22Z", {"results_url": f"{odd.url}/x"})
    assert (await anthropic.poll([submission(remote_id="b")]))[1].facts == {}


async def test_many_are_asked_for_by_the_list(odd, anthropic):
    known = [{"id": f"b{n}", "processing_status": "ended"} for n in range(7)]
    odd.answer = lambda request: (
        reply(200, {"data": known, "has_more": False}) if "limit=" in request.path else reply(404, {})
    )
    found = await anthropic.poll([submission(id=n, remote_id=f"b{n}") for n in range(8)])
    assert len(odd.seen) == 2
    assert {one.ended_as for n, one in found.items() if n < 7} == {"completed"}
    assert found[7].ended_as == "forgotten"


async def test_one_fault_does_not_hide_the_others(odd, anthropic):
    odd.answer = lambda request: (
        reply(529, {}) if request.path.endswith("bad") else reply(200, {"processing_status": "ended"})
    )
    known = await anthropic.poll([submission(id=1, remote_id="bad"), submission(id=2, remote_id="good")])
    assert isinstance(known[1], Transient)
    assert isinstance(known[2], Progress)
    with pytest.raises(Transient):
        await anthropic.poll([submission(id=1, remote_id="bad")])


# ---- results


async def test_results_are_read_where_the_batch_says_and_kept_as_they_came(odd, anthropic):
    lines = (
        row("b", "expired") + row("a") + row("c", "canceled") + "no json\n" + row("d", "errored", error={})
    )
    odd.script(reply(200, lines))
    kept: dict[str, bytes] = {}

    def keep(name, chunk):
        kept[name] = kept.get(name, b"") + chunk

    one = submission(remote_id="b", facts={"results_url": f"{odd.url}/some/where"})
    answers = await collect(anthropic, one, keep)
    assert [(answer.job_id, answer.outcome.state) for answer in answers] == [
        ("b", JobState.EXPIRED),
        ("a", JobState.COMPLETED),
        ("c", JobState.CANCELLED),
        ("", JobState.FAILED),
        ("d", JobState.FAILED),
    ]
    assert (odd.seen[0].path, odd.seen[0].headers["x-api-key"]) == ("/some/where", KEY)
    assert kept == {"results.jsonl": lines.encode()}


async def test_another_host_gets_no_key(odd, elsewhere, anthropic):
    odd.script(reply(500, {}))
    elsewhere.script(reply(200, row("a")))
    one = submission(remote_id="b", facts={"results_url": f"{elsewhere.url}/signed?by=them"})
    assert [answer.job_id for answer in await collect(anthropic, one)] == ["a"]
    [asked] = elsewhere.seen
    assert asked.path == "/signed?by=them"
    assert KEY not in str(asked.headers)
    assert not {"x-api-key", "authorization", "anthropic-version"} & asked.headers.keys()
    assert odd.seen == []


async def test_a_host_that_wants_a_key_is_passed_over_for_our_own_path(odd, elsewhere, anthropic):
    elsewhere.script(reply(401, error("authentication_error")))
    odd.script(reply(200, row("a")))
    one = submission(remote_id="b", facts={"results_url": f"{elsewhere.url}/r"})
    assert [answer.job_id for answer in await collect(anthropic, one)] == ["a"]
    assert odd.seen[0].path == "/v1/messages/batches/b/results"
    assert KEY not in str(elsewhere.seen[0].headers)


async def test_an_address_that_leads_astray_is_not_asked(odd, anthropic):
    odd.script(reply(200, row("a")))
    one = submission(remote_id="b", facts={"results_url": "http://169.254.169.254/latest"})
    assert [answer.job_id for answer in await collect(anthropic, one)] == ["a"]
    assert [request.path for request in odd.seen] == ["/v1/messages/batches/b/results"]


async def test_where_no_fact_says_the_batch_is_asked(odd, anthropic):
    batch = {"processing_status": "ended", "results_url": f"{odd.url}/r"}
    odd.answer = lambda request: reply(200, batch if request.path.endswith("batches/b") else row("a"))
    assert [answer.job_id for answer in await collect(anthropic, submission(remote_id="b"))] == ["a"]
    odd.script(reply(200, {**batch, "archived_at": "2026-12-20T00:00:00Z"}))
    with pytest.raises(Forgotten, match="29 days"):
        await collect(anthropic, submission(remote_id="b"))
    odd.script(reply(200, {"processing_status": "in_progress"}))
    with pytest.raises(Transient):
        await collect(anthropic, submission(remote_id="b"))


async def test_a_cut_file_is_read_once_more_and_no_row_comes_twice(odd, anthropic):
    whole = row("a") + row("b")
    one = submission(remote_id="b", facts={"results_url": f"{odd.url}/r"})
    odd.script(reply(200, whole[:-30]), reply(200, whole))
    assert [answer.job_id for answer in await collect(anthropic, one)] == ["a", "b"]
    assert len(odd.seen) == 2


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (reply(404, error("not_found_error")), Transient),
        (reply(302, "", {"Location": "http://api.invalid/"}), Transient),
        (reply(500, {}), Transient),
        (reply(403, error("permission_error")), NeedsPerson),
        (None, Transient),
    ],
)
async def test_results_that_are_gone_or_out_of_reach(odd, anthropic, data, fault):
    odd.script(data)
    with pytest.raises(fault):
        await collect(anthropic, submission(remote_id="b", facts={"results_url": f"{odd.url}/r"}))


async def test_cancel_list_and_probe(odd, anthropic):
    odd.script(reply(200, {"processing_status": "canceling"}), reply(400, error("invalid_request_error")))
    await anthropic.cancel(submission(remote_id="b"))
    await anthropic.cancel(submission(remote_id="b"))
    assert (odd.seen[0].method, odd.seen[0].path) == ("POST", "/v1/messages/batches/b/cancel")
    batch = {
        "id": "b",
        "processing_status": "ended",
        "created_at": "2026-11-21T08:44:22.854389Z",
        "request_counts": counts(succeeded=2, errored=1),
    }
    odd.script(reply(200, {"data": [batch, {"id": None}, "junk"], "has_more": False}))
    [found] = await anthropic.list()
    assert (found.remote_id, found.status, found.jobs, found.created) == (
        "b",
        "ended",
        3,
        "2026-11-21T08:44:22Z",
    )
    odd.script(reply(200, {"data": [{"id": "claude-x", "type": "model"}]}), reply(401, {}))
    assert (await anthropic.probe()).models == ["claude-x"]
    assert odd.seen[-1].path == "/v1/models"
    assert not (await anthropic.probe()).ok


def test_limits_and_groups(anthropic):
    assert anthropic.limits.jobs_per_submission == 100_000
    assert anthropic.limits.bytes_per_submission < 256_000_000
    assert anthropic.group(job(model="a", prompt="x")) == anthropic.group(job(model="b", prompt="x"))
    speedy = job(model="m", prompt="x", extra={"speed": "fast"})
    assert [key for key, _ in anthropic.check(speedy)] == ["speed"]
