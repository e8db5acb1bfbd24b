"""What kinds `gemini`, `mistral` and `together` share, over sockets against the demo server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress

import pytest

from batchtui.backends import registry
from batchtui.backends.base import Forgotten, NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.model import JobState, SubmissionState
from batchtui.text import Secret
from tests.backends.jobs_help import job, submission

KINDS = ("gemini", "mistral", "together")
TOKEN = "abc-1-0123abcd"


@pytest.fixture(params=KINDS)
async def place(request, demo):
    """`place(faults)`: a backend of each kind in turn, and its server."""
    made = []

    def start(faults="", key="sk-demo-0123456789", **table):
        server = demo(faults)
        told = server.backends[request.param] | table
        made.append(registry.build(request.param, told, Secret(key)))
        return made[-1], server

    yield start
    for backend in made:
        await backend.close()


def jobs(count, **work):
    made = [
        job(n, f"row-{n}", **(work or {"model": "demo-small", "prompt": f"question {n}"}))
        for n in range(count)
    ]
    for one in made:
        one.token = TOKEN
    return made


def sent(**fields):
    return submission(TOKEN, **fields)


def gone(backend):
    """A submission whose batch and result file the server does not know."""
    batch, file = ("batches/gone", "files/gone") if backend.kind == "gemini" else ("gone", "gone")
    return sent(remote_id=batch, facts={"output_file_id": file})


async def until_ended(backend, one):
    async with asyncio.timeout(20):
        while True:
            progress = (await backend.poll([one]))[one.id]
            if progress.state is SubmissionState.ENDED:
                one.facts.update(progress.facts)
                return progress
            await asyncio.sleep(0.05)


async def outcomes(backend, one, keep=None):
    return {answer.job_id: answer.outcome async for answer in backend.results(one, keep)}


def creates(server):
    return [entry for entry in server.ledger() if entry["op"] == "create"]


async def test_a_whole_batch(place):
    backend, server = place()
    one = sent(jobs=21)
    asked = [*jobs(20), job(20, "row-20", model="demo-small", prompt="[[fail]]")]
    asked[-1].token = TOKEN
    assert [fault for each in asked for fault in backend.check(each)] == []
    one.remote_id = await backend.submit(one, iter(asked), one.facts.update)
    progress = await until_ended(backend, one)
    assert (progress.ended_as, progress.total) == ("completed", 21)
    kept: Counter[str] = Counter()
    answers = await outcomes(backend, one, lambda name, chunk: kept.update({name: len(chunk)}))
    wire = [backend.wire_id(n, f"row-{n}", TOKEN) for n in range(21)]
    assert wire[0] == "0123abcd-row-0"
    assert set(answers) == set(wire)
    bad = answers.pop(wire[20])
    assert (bad.state, "[[fail]]" in (bad.error or "")) == (JobState.FAILED, True)
    for n in range(20):
        outcome = answers[wire[n]]
        assert (outcome.state, outcome.model) == (JobState.COMPLETED, "demo-small")
        assert (outcome.raw_response or "").startswith(f"On “question {n}”")
        assert outcome.input_tokens
        assert outcome.output_tokens
        assert outcome.usage
        assert outcome.remote["id"]
    assert kept["output.jsonl"]
    [created] = creates(server)
    assert (created["token"], created["job_ids"]) == (TOKEN, [f"row-{n}" for n in range(21)])
    [listed] = await backend.list()
    assert listed.remote_id == one.remote_id
    assert listed.created
    probe = await backend.probe()
    assert (probe.ok, "demo-small" in probe.models) == (True, True)
    await backend.cancel(one)  # it has ended already


async def test_a_lost_reply_is_found_again_and_made_once(place):
    backend, server = place("drop.create=1")
    one, other = sent(), submission("abc-2-0123abce", id=2)
    with pytest.raises(Unsure):
        await backend.submit(one, jobs(2), one.facts.update)
    found = await backend.find(one)
    assert found.remote_id
    assert (await backend.find(sent())).remote_id == found.remote_id, "without the fact that names the file"
    assert (await backend.find(other)).absent
    assert len(creates(server)) == 1


async def test_a_journaled_file_is_not_uploaded_again(place):
    backend, server = place("429.create=1")
    one = sent()
    with pytest.raises(TryLater) as caught:
        await backend.submit(one, jobs(2), one.facts.update)
    assert 0 < (caught.value.after or 0) < 1, "its wish is read, wherever it stands"
    uploads = [entry for entry in server.ledger() if entry["op"] == "upload"]
    with pytest.raises(TryLater):
        await backend.submit(one, jobs(2), one.facts.update)
    assert [entry for entry in server.ledger() if entry["op"] == "upload"] == uploads


@pytest.mark.parametrize("fault", ["500.upload=1", "drop.upload=1", "429.upload=1"])
async def test_a_failed_upload_made_nothing(place, fault):
    backend, server = place(fault)
    one = sent()
    with pytest.raises(TryLater):
        await backend.submit(one, jobs(2), one.facts.update)
    assert one.facts == {}
    assert creates(server) == []


async def test_a_failed_create_is_unsure_and_a_refused_one_is_not(place):
    backend, _ = place("500.create=1")
    with pytest.raises(Unsure):
        await backend.submit(sent(), jobs(2), lambda facts: None)
    backend, server = place()
    with pytest.raises(Refused):
        await backend.submit(sent(facts={"file_id": "files/none"}), jobs(2), lambda facts: None)
    with pytest.raises(Refused):
        await backend.submit(sent(), [], lambda facts: None)
    assert [entry["status"] < 500 for entry in creates(server)] == [True]


async def test_a_refused_key_asks_a_person_everywhere(place):
    backend, _ = place(key="wrong")
    one = gone(backend)
    for ask in (
        lambda: backend.submit(one, jobs(1), print),
        lambda: backend.find(one),
        lambda: backend.poll([one]),
        lambda: backend.list(),
        lambda: outcomes(backend, one),
    ):
        with pytest.raises(NeedsPerson) as caught:
            await ask()
        assert caught.value.kind == "key"
    assert not (await backend.probe()).ok


async def test_partial_failures_keep_the_good_rows(place):
    backend, _ = place("partial=0.5,seed=3,duration=200ms")
    one = sent(jobs=24)
    one.remote_id = await backend.submit(one, jobs(24), one.facts.update)
    assert (await until_ended(backend, one)).ended_as == "completed"
    answers = await outcomes(backend, one)
    states = Counter(outcome.state for outcome in answers.values())
    assert set(states) == {JobState.COMPLETED, JobState.FAILED}
    assert states.total() == 24
    assert all(
        outcome.error and outcome.error_kind for outcome in answers.values() if outcome.state == "failed"
    )


async def test_an_expired_batch_gives_what_it_has(place):
    backend, _ = place("expire=0.5,duration=200ms")
    one = sent(jobs=12)
    one.remote_id = await backend.submit(one, jobs(12), one.facts.update)
    assert (await until_ended(backend, one)).ended_as == "expired"
    states = Counter(outcome.state for outcome in (await outcomes(backend, one)).values())
    expected = {
        "gemini": {},
        "mistral": {JobState.COMPLETED: 6},
        "together": {JobState.COMPLETED: 6, JobState.EXPIRED: 6},
    }
    assert states == expected[backend.kind]


async def test_cancel_is_final_when_the_server_says_so(place):
    backend, _ = place("duration=3s")
    one = sent(jobs=4)
    one.remote_id = await backend.submit(one, jobs(4), one.facts.update)
    await backend.cancel(one)
    assert (await until_ended(backend, one)).ended_as == "cancelled"
    with suppress(Transient):  # of an empty file the counts say whether it is whole
        found = await outcomes(backend, one)
        assert {outcome.state for outcome in found.values()} <= {JobState.CANCELLED}


async def test_many_are_polled_by_their_list_and_a_forgotten_one_is_told(place):
    backend, _ = place()
    made = [submission(f"abc-{n}-0123abc{n}", id=n, jobs=1) for n in range(1, 8)]
    for one in made:
        asked = jobs(1)
        asked[0].token = one.token
        one.remote_id = await backend.submit(one, asked, one.facts.update)
    missing = submission("x", id=9, remote_id=gone(backend).remote_id)
    known = await backend.poll([*made, missing])
    assert set(known) == {*range(1, 8), 9}
    assert known[9].ended_as == "forgotten"
    with pytest.raises(Forgotten):
        await outcomes(backend, missing)


async def test_a_structured_answer_fits_its_schema(place):
    backend, _ = place()
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    one = sent(jobs=1)
    asked = jobs(1, model="demo-small", prompt="how many", schema=schema, system="Be brief.", max_tokens=50)
    assert backend.native_schema
    assert backend.check(asked[0]) == []
    one.remote_id = await backend.submit(one, asked, one.facts.update)
    await until_ended(backend, one)
    [outcome] = (await outcomes(backend, one)).values()
    assert isinstance(json.loads(outcome.raw_response or "")["n"], int)


async def test_a_results_file_that_is_gone(place):
    backend, _ = place()
    one = gone(backend)
    with pytest.raises(Forgotten):
        await outcomes(backend, one)
    backend, _ = place("500.results=1")
    with pytest.raises(Transient):
        await outcomes(backend, one)


async def test_its_jobs_are_rebuilt_where_the_input_is_kept(place):
    backend, _ = place()
    one = sent(jobs=3)
    one.remote_id = await backend.submit(one, jobs(3), one.facts.update)
    if backend.kind == "gemini":
        with pytest.raises(Forgotten):
            [each async for each in backend.jobs(one)]
        return
    found = [each async for each in backend.jobs(one)]
    assert [each.wire_id for each in found] == [f"0123abcd-row-{n}" for n in range(3)]
    assert [each.work["body"]["messages"][0]["content"] for each in found] == [
        f"question {n}" for n in range(3)
    ]
    assert {each.work["body"]["model"] for each in found} == {"demo-small"}


def test_limits_say_where_they_come_from_and_can_be_overridden(place):
    backend, server = place()
    assert "2026" in backend.limits_source
    less = registry.build("b", server.backends[backend.kind] | {"jobs_per_submission": 7}, Secret("k"))
    assert less.limits.jobs_per_submission == 7


@pytest.mark.parametrize("kind", KINDS)
def test_the_version_may_stand_in_the_address(kind):
    def at(**table):
        return registry.build("b", {"kind": kind, **table}, Secret("k")).at("models")

    assert at() == ("v1beta/models" if kind == "gemini" else "v1/models")
    assert at(base_url="https://host.example/v2/") == "v2/models"
    assert at(base_url="https://v1", api_version="v3") == "v3/models"
    assert registry.build(
        "b", {"kind": kind, "base_url": "https://host.example/x/v2"}, None
    ).setup.settings.base_url == ("https://host.example/x")
