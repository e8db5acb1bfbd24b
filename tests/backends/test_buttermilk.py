"""Kind `buttermilk` against replies of every sort, over real sockets."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest

from batchtui.backends import registry
from batchtui.backends.base import (
    Forgotten,
    Job,
    NeedsPerson,
    Refused,
    RemoteJob,
    Transient,
    TryLater,
    Unsure,
)
from batchtui.domains.flows.backend import ButtermilkWork
from batchtui.domains.flows.wire import segment
from batchtui.model import SubmissionState
from tests.backends.jobs_help import submission
from tests.backends.odd_server import reply

NO_ROUTE = reply(404, {"detail": "Not Found"})
UNKNOWN = reply(404, {"detail": "Batch 'batch-1' not found"})


@pytest.fixture
def buttermilk(odd, make):
    return make("buttermilk", odd.url, poll_interval="1s", settle="2s")


def batch(id_: str = "batch-1", status: str = "running", total: int = 3, **fields: Any) -> dict[str, Any]:
    return {
        "id": id_, "flow": "demo", "created_at": "2999-01-01T00:00:00.000001+00:00", "started_at": None,
        "completed_at": None, "total_jobs": total, "completed_jobs": 0, "failed_jobs": 0, "status": status,
        "parameters": {}, "interactive": False, **fields,
    }  # fmt: skip


def seed(**work: Any) -> Job[ButtermilkWork]:
    return Job(0, "1", 1, "token-1", msgspec.convert({"flow": "demo", **work}, ButtermilkWork))


def there(**fields: Any) -> Any:
    return submission(**{"remote_id": "batch-1", **fields})


async def answers(backend, of) -> dict[str, Any]:
    return {answer.job_id: answer.outcome async for answer in backend.results(of, None)}


# ---- sending


async def test_the_list_then_the_create(odd, buttermilk):
    odd.script(reply(200, [batch("batch-0"), batch("batch-9")]), reply(200, batch(status="pending")))
    notes: list[dict[str, Any]] = []
    assert await buttermilk.submit(submission(), [seed(max_records=3)], notes.append) == "batch-1"
    create = odd.seen[1]
    assert [(one.method, one.path) for one in odd.seen] == [
        ("GET", "/v1/api/batches"),
        ("POST", "/v1/api/batches"),
    ]
    assert create.json == {
        "flow": "demo", "shuffle": True, "max_records": 3, "concurrency": 5, "error_policy": "continue",
        "parameters": {}, "interactive": False,
    }  # fmt: skip
    assert "authorization" not in create.headers or create.headers["authorization"].startswith("Bearer")
    assert notes == [{"after": "batch-9", "asked": create.json}]


@pytest.mark.parametrize(
    ("replies", "fault", "words"),
    [
        ([NO_ROUTE], Refused, "no batch API"),
        ([reply(404, "<html>nothing here</html>")], Refused, "no batch API"),
        ([reply(500, {"detail": "Internal server error: x"})], TryLater, "Internal server error"),
        ([None], TryLater, "was cut"),
        ([reply(200, {})], TryLater, "no JSON list"),
        ([reply(401, {"detail": "who are you"})], NeedsPerson, "who are you"),
        ([[], reply(400, {"detail": "Flow 'x' not found. Available flows: demo"})], Refused, "Available flows: demo"),
        (
            [[], reply(422, {"detail": [{"type": "enum", "loc": ["body", "error_policy"], "msg": "Input should be …"}]})],
            Refused,
            "^error_policy: Input should be …",
        ),
        (
            [[], reply(422, {"detail": [
                {"type": "missing", "loc": ["body", "flow"], "msg": "Field required"},
                {"type": "extra_forbidden", "loc": ["body", "foo"], "msg": "Extra inputs are not permitted"},
            ]})],
            Refused,
            "^flow: Field required; foo: Extra inputs are not permitted",
        ),
        ([[], NO_ROUTE], Refused, "no batch API"),
        ([[], reply(500, {"detail": "Internal server error: x"})], Unsure, "Internal server error: x"),
        ([[], None], Unsure, "was cut"),
        ([[], reply(200, {"id": "a\u001bb"})], Unsure, "no usable id"),
        ([[], reply(200, "{")], Unsure, "no JSON object"),
    ],
)  # fmt: skip
async def test_what_a_failed_create_means(odd, buttermilk, replies, fault, words):
    odd.script(*[reply(200, []) if one == [] else one for one in replies])
    with pytest.raises(fault, match=words):
        await buttermilk.submit(submission(), [seed()], lambda _: None)
    assert len(odd.seen) == len(replies)


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([], None),
        ([batch("mine")], "mine"),
        ([batch("mine"), batch("old")], None),
        ([batch("old"), batch("mine")], "mine"),
        ([batch("old"), batch("other", flow="x"), batch("odd", parameters={"a": 1}), batch("mine")], "mine"),
        ([batch("old"), batch("large", total=4)], None),
        ([batch("old"), batch("known")], None),
        ([batch("aged", created_at="2001-01-01T00:00:00+00:00")], None),
        ([batch("old"), batch("mine"), batch("twin")], "?"),
        (None, None),
    ],
)
async def test_a_create_without_a_reply_is_known_by_what_it_asked(odd, buttermilk, listed, found):
    odd.script(NO_ROUTE if listed is None else reply(200, listed))
    facts = {"after": "old", "asked": buttermilk.body(seed(max_records=3).work)}
    answer = await buttermilk.find(submission(facts=facts, others=frozenset({"known"})))
    if found == "?":
        assert (answer.remote_id, answer.absent) == (None, False)
        assert "any of mine, twin" in answer.reason
    else:
        assert (answer.remote_id, answer.absent) == (found, found is None)


# ---- looking


@pytest.mark.parametrize(
    ("fields", "state", "ended_as"),
    [
        ({"status": "pending"}, "submitted", None),
        ({"completed_jobs": 1}, "processing", None),
        ({"status": "sleeping"}, "processing", None),
        ({"status": "completed", "completed_jobs": 2, "failed_jobs": 1}, "ended", "completed"),
        ({"status": "failed"}, "ended", "failed"),
        ({"status": "pending", "total_jobs": 0}, "ended", "completed"),
        ({"status": "running", "completed_jobs": 2, "failed_jobs": 1}, "ended", "completed"),
        ({"total_jobs": None, "completed_jobs": "x"}, "processing", None),
    ],
)
async def test_what_its_words_mean(odd, buttermilk, fields, state, ended_as):
    odd.script(reply(200, {**batch(), **fields}))
    progress = (await buttermilk.poll([there()]))[1]
    assert (progress.state, progress.ended_as) == (SubmissionState(state), ended_as)


async def test_many_are_asked_for_by_one_list(odd, buttermilk):
    listed = reply(200, [batch(f"batch-{n}") for n in range(1, 4)])
    odd.answer = lambda request: listed if request.path.endswith("batches") else UNKNOWN
    known = await buttermilk.poll([there(id=n, remote_id=f"batch-{n}") for n in range(1, 5)])
    assert [one.path for one in odd.seen] == ["/v1/api/batches", "/v1/api/batches/batch-4"]
    assert [known[n].ended_as for n in range(1, 5)] == [None, None, None, "forgotten"]


@pytest.mark.parametrize(("gone", "words"), [(UNKNOWN, "started anew"), (NO_ROUTE, "no batch API")])
async def test_a_batch_that_is_gone(odd, buttermilk, gone, words):
    odd.script(gone)
    progress = (await buttermilk.poll([there()]))[1]
    assert progress.ended_as == "forgotten"
    assert words in progress.error
    with pytest.raises(Forgotten):
        _ = [job async for job in buttermilk.jobs(there())]


async def test_a_cancelled_batch_is_watched_while_it_goes_on(odd, buttermilk):
    jobs = [{"record_id": "r1", "status": "completed"}]
    odd.answer = lambda request: reply(
        200, jobs if "jobs" in request.path else batch(status="cancelled", completed_jobs=1)
    )
    one = there()
    progress = (await buttermilk.poll([one]))[1]
    assert progress.state is SubmissionState.CANCELLING
    one.facts = {"quiet": {"done": 1, "since": time.time() - 3600}}
    assert (await buttermilk.poll([one]))[1].ended_as == "cancelled"
    one.facts = {"quiet": {"done": 0, "since": time.time() - 3600}}
    assert (await buttermilk.poll([one]))[1].ended_as is None
    jobs += [{"record_id": f"r{n}", "status": "cancelled"} for n in (2, 3)]
    assert (await buttermilk.poll([one]))[1].ended_as == "cancelled"


async def test_cancel(odd, buttermilk):
    odd.script(reply(200, batch(status="cancelled")))
    await buttermilk.cancel(there())
    assert (odd.seen[0].method, odd.seen[0].path) == ("DELETE", "/v1/api/batches/batch-1")
    odd.script(reply(404, {"detail": "Cannot cancel batch 'batch-1': it is completed"}))
    with pytest.raises(Refused, match="already finished"):
        await buttermilk.cancel(there())
    odd.script(UNKNOWN)
    await buttermilk.cancel(there())
    odd.script(reply(500, {}))
    with pytest.raises(Transient):
        await buttermilk.cancel(there())


async def test_probe(odd, buttermilk):
    def answer(request):
        if request.path.endswith("flows"):
            assert request.headers["accept"] == "application/json"
            return reply(200, {"flow_choices": ["demo", "trans"]})
        return reply(200, [batch()])

    odd.answer = answer
    probe = await buttermilk.probe()
    assert (probe.ok, probe.models) == (True, ["demo", "trans"])
    odd.answer = lambda request: NO_ROUTE if "flows" in request.path else reply(200, [])
    probe = await buttermilk.probe()
    assert (probe.ok, probe.models) == (True, [])
    assert "does not list its flows" in probe.message
    odd.script(NO_ROUTE)
    probe = await buttermilk.probe()
    assert not probe.ok
    assert "no batch API" in probe.message
    with pytest.raises(Refused, match="no batch API"):
        await buttermilk.list()
    odd.script(reply(200, [batch(), {"id": 3}, "x"]))
    (one,) = await buttermilk.list()
    assert (one.remote_id, one.status, one.jobs, one.name) == ("batch-1", "running", 3, "demo")


# ---- collecting


def served(odd, results: dict[str, Any], listed: list[dict[str, Any]] | None = None):
    """The list of jobs, and by path what a record's own call answers."""

    def answer(request):
        if request.path.endswith("/jobs"):
            return reply(200, listed or [])
        return results[request.path.rpartition("/")[2]]

    odd.answer = answer


async def test_results_of_every_shape(odd, buttermilk):
    done = {"status": "completed", "completed_at": "2026-11-21T00:00:00+00:00"}
    served(
        odd,
        {
            "r1": reply(200, {"job_definition": done, "result": {"a": 1}, "completed_at": "x"}),
            "r2": reply(200, {"job_definition": done, "result": "words"}),
            "r3": reply(200, {"job_definition": done, "result": {}}),
            "r4": reply(200, {"job_definition": {"status": "failed"}, "error": "no \u001b[31mway"}),
            "none": reply(404, {"detail": "Job for record 'none' in batch 'batch-1' not found"}),
            "a%20b%3F%C3%BC": reply(200, {"result": None}),
        },
        [
            *({"record_id": f"r{n}", "status": "failed" if n == 4 else "completed"} for n in range(1, 5)),
            {"record_id": "none", "flow": "demo"},
            {"record_id": "a b?ü", "flow": "demo"},
            {"record_id": "a/b", "status": "completed"},
            {"record_id": "", "status": "completed"},
            {"record_id": "late", "status": "pending"},
            {"nothing": 1},
            7,
        ],
    )
    found = await answers(buttermilk, there())
    assert {id_: str(outcome.state) for id_, outcome in found.items()} == {
        "r1": "completed", "r2": "completed", "r3": "completed", "r4": "failed", "a b?ü": "completed",
        "a/b": "failed", "": "failed", "late": "cancelled",
    }  # fmt: skip
    assert (found["r1"].output, found["r1"].raw_response) == ({"a": 1}, None)
    assert found["r1"].remote == {"batch": "batch-1", "record_id": "r1", "completed_at": done["completed_at"]}
    assert found["r2"].raw_response == "words"
    assert found["r3"].finish_reason == "started"
    assert "\u001b" not in found["r4"].error
    assert "cannot be fetched" in found["a/b"].error


@pytest.mark.parametrize(
    "data",
    [reply(404, {"detail": "not found"}), reply(204, ""), reply(200, ""), reply(200, "<html>log in</html>")],
)
async def test_a_finished_record_whose_result_does_not_come_is_never_without_one(odd, buttermilk, data):
    listed = [{"record_id": "r1", "status": "completed"}]
    served(odd, {"r1": data}, listed)
    for _ in range(7):
        with pytest.raises(Transient, match="record r1"):
            await answers(buttermilk, there())


async def test_only_what_is_wanted_is_fetched(odd, buttermilk):
    served(odd, {"r2": reply(200, {"result": 2})})
    wanted = (RemoteJob("r2", {"status": "completed"}, ended=True),)
    assert list(await answers(buttermilk, there(wanted=wanted))) == ["r2"]
    assert [one.path for one in odd.seen] == ["/v1/api/batches/batch-1/jobs/r2"]


async def test_one_bad_record_loses_one_record(odd, buttermilk):
    listed = [{"record_id": f"r{n}", "status": "completed"} for n in range(9)]
    results = {f"r{n}": reply(200, {"result": n}) for n in range(9)} | {
        "r3": reply(500, {"detail": "broken"})
    }
    served(odd, results, listed)

    async def read(found: list[str]) -> None:
        async for answer in buttermilk.results(there(), None):
            found.append(answer.job_id)

    for _ in range(4):
        found: list[str] = []
        with pytest.raises(Transient, match="broken"):
            await read(found)
        assert len(found) == 8
    last = await answers(buttermilk, there())
    assert "could not be read" in last["r3"].error
    assert len(last) == 9


def test_ids_in_a_path() -> None:
    assert [segment(id_) for id_ in ("a b?ü", "..", "x%", "a/b", "")] == [
        "a%20b%3F%C3%BC",
        "%2E%2E",
        "x%25",
        None,
        None,
    ]


def test_addresses_and_pace() -> None:
    def built(url: str) -> Any:
        return registry.build("b", {"kind": "buttermilk", "base_url": url, "poll_interval": 0.1}, None)

    assert built("https://flows.example:8000/api").calls.path == "batches"
    assert built("https://flows.example:8000/api").calls.flows_path == "flows"
    assert built("https://flows.example:8000").calls.path == "api/batches"
    assert built("https://flows.example:8000").limits.poll_interval == 1.0
    assert json.loads(built("http://localhost:8000").line(seed()))["flow"] == "demo"
