"""Kind `daly` against the demo server: signing in, ids in every form, refusals, and one listing for many runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from batchtui.backends import registry
from batchtui.backends.base import DOING, Job, NeedsPerson, Refused, Submission, TryLater, Unsure
from batchtui.demo.server import DemoServer
from batchtui.domains.energy.input import DalyWork
from batchtui.domains.energy.wire import Ids
from batchtui.errors import ConfigError
from batchtui.model import JobState, Json, SubmissionState
from tests.backends.job_servers import Said, served
from tests.daly_help import SLOW, advance, block, energy_model, service

WORKSPACE, USER = "wk_demo_4711", "uk_demo_4712"


@pytest.fixture
async def daly(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """`daly(server, user=…)`: the backend, signed in by these keys."""
    made = []

    def build(server: DemoServer, user: str = USER, workspace: str = WORKSPACE, **table: Any) -> Any:
        monkeypatch.setenv("DALY_WORKSPACE_KEY", workspace)
        monkeypatch.setenv("DALY_USER_KEY", user)
        backend = registry.build("d", server.backends["daly"] | table, None)
        made.append(backend)
        return backend

    yield build
    for backend in made:
        await backend.close()


def job(name: str = "site", token: str = "b-1-00000001", **changes: Json) -> Job[DalyWork]:
    return Job(0, "r0", 1, token, DalyWork(input=energy_model(**changes), name=name))


def submission(id_: int = 1, token: str = "b-1-00000001", **fields: Any) -> Submission:
    return Submission(id=id_, token=token, batch_name="b", created=time.time(), **fields)


async def submit(backend: Any, name: str = "site", id_: int = 1, **changes: Json) -> Submission:
    one = submission(id_, f"b-{id_}-{id_:08x}")
    one.remote_id = await backend.submit(one, [job(name, one.token, **changes)], lambda facts: None)
    return one


async def ended(backend: Any, *submissions: Submission) -> dict[int, Any]:
    """Polls until all have ended, their facts kept as the engine does."""
    async with asyncio.timeout(20):
        while True:
            progress = await backend.poll(submissions)
            for one in submissions:
                one.facts.update(progress[one.id].facts)
            if all(found.state is SubmissionState.ENDED for found in progress.values()):
                return dict(progress)
            await asyncio.sleep(0.05)


async def answer(backend: Any, one: Submission) -> Any:
    (told,) = [answer async for answer in backend.results(one, None)]
    return told.outcome


async def test_a_run_gives_every_section_and_its_ids(demo: Callable[..., DemoServer], daly: Any) -> None:
    backend = daly(demo())
    one = await submit(backend, "North")
    await ended(backend, one)
    outcome = await answer(backend, one)
    assert outcome.state is JobState.COMPLETED
    assert outcome.remote == {"task_id": 1, "energy_model_id": 10, "run_index": 0}
    assert outcome.output["title"].startswith("North [b-1-")
    assert {"energyYieldSummary", "losses", "monthlySummary", "timeSeries", "blockTimeSeries"} < set(
        outcome.output
    )


@pytest.mark.parametrize("name", ["camel", "snake", "nested"])
async def test_d9_the_ids_are_read_in_every_form(
    demo: Callable[..., DemoServer], daly: Any, name: str
) -> None:
    one = await submit(daly(demo()), name)
    assert Ids.of(one.remote_id) == ("1", "10", "0")


async def test_a_reply_that_is_the_result_itself_is_not_polled(
    demo: Callable[..., DemoServer], daly: Any
) -> None:
    server = demo()
    backend = daly(server)
    one = await submit(backend, "sync")
    await ended(backend, one)
    assert (await answer(backend, one)).output["energyYieldSummary"]
    assert set(service(server).calls) == {"auth", "create", "results"}


@pytest.mark.parametrize("user", [USER, "uk_form-a_4712"])
async def test_d10_both_forms_of_the_sign_in(demo: Callable[..., DemoServer], daly: Any, user: str) -> None:
    server = demo()
    backend = daly(server, user)
    assert (await backend.probe()).ok
    await submit(backend)
    assert service(server).calls["auth"] == 1


@pytest.mark.parametrize("user", [USER, "uk_form-a_4712"])
async def test_a_token_is_renewed_before_it_ends(
    demo: Callable[..., DemoServer], daly: Any, user: str
) -> None:
    server = demo()
    backend = daly(server, f"{user}_says-7200")
    one = await submit(backend)
    await backend.poll([one])
    assert service(server).calls == {"auth": 1, "create": 1, "poll": 1}
    backend.session.clock = lambda: time.monotonic() + 7200 * 0.9
    await backend.poll([one])
    assert service(server).calls == {"auth": 2, "create": 1, "poll": 2}


async def test_d5_an_expired_token_is_renewed_once_and_the_call_repeated_once(
    demo: Callable[..., DemoServer], daly: Any
) -> None:
    server = demo()
    backend = daly(server)
    runs = [await submit(backend, "never", n) for n in (1, 2)]
    service(server).tokens.clear()
    before = dict(service(server).calls)
    await asyncio.gather(*(backend.poll(runs) for _ in range(4)))
    after = service(server).calls
    assert after["auth"] - before["auth"] == 1
    assert after["list"] == 8


async def test_d5_a_second_401_stops(demo: Callable[..., DemoServer], daly: Any) -> None:
    server = demo()
    backend = daly(server, "uk_deaf_4712")
    with pytest.raises(NeedsPerson) as told:
        await submit(backend)
    assert told.value.kind == "key"
    assert "DALY_USER_KEY" in told.value.message
    assert service(server).calls == {"auth": 2, "create": 2}
    assert service(server).runs == []


async def test_bad_keys_need_a_person_and_are_in_no_message(
    demo: Callable[..., DemoServer], daly: Any
) -> None:
    backend = daly(demo(), user="wrong")
    with pytest.raises(NeedsPerson) as told:
        await submit(backend)
    assert "wrong" not in told.value.message
    probe = await backend.probe()
    assert not probe.ok
    assert "DALY_WORKSPACE_KEY" in probe.message


async def test_keys_are_needed_away_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DALY_USER_KEY", raising=False)
    monkeypatch.setenv("DALY_WORKSPACE_KEY", WORKSPACE)
    with pytest.raises(ConfigError, match="DALY_USER_KEY"):
        registry.build("d", {"kind": "daly", "base_url": "https://daly.example.com"}, None)
    with pytest.raises(ConfigError, match="MY_KEY"):
        registry.build("d", {"kind": "daly", "user_key_env": "MY_KEY"}, None)


async def test_other_keys_are_another_account(demo: Callable[..., DemoServer], daly: Any) -> None:
    server = demo()
    assert daly(server).account() == daly(server).account() != daly(server, "uk_other_4712").account()


async def test_a_refusal_names_the_field(demo: Callable[..., DemoServer], daly: Any) -> None:
    with pytest.raises(Refused) as told:
        await submit(daly(demo()), blocks=[block(layout={"arrayType": "fixed", "gcr": 2})])
    assert told.value.message.startswith("blocks.0.layout.gcr: Input should be")
    assert told.value.kind == "invalid"


@pytest.mark.parametrize(("fault", "raised"), [("429", TryLater), ("500", Unsure), ("drop", Unsure)])
async def test_what_a_failed_submit_means(
    demo: Callable[..., DemoServer], daly: Any, fault: str, raised: type[Exception]
) -> None:
    server = demo(f"{fault}.create=1,retry_after=2")
    with pytest.raises(raised) as told:
        await submit(daly(server))
    if isinstance(told.value, TryLater):
        assert told.value.after == pytest.approx(2)
    assert len(service(server).runs) == (1 if fault == "drop" else 0)


async def test_a_sign_in_that_fails_made_nothing(demo: Callable[..., DemoServer], daly: Any) -> None:
    with pytest.raises(TryLater, match="sign-in"):
        await submit(daly(demo("500.read=1")))


async def test_one_listing_watches_many_and_shows_what_they_are_at(
    demo: Callable[..., DemoServer], daly: Any
) -> None:
    server = demo(SLOW)
    backend = daly(server)
    runs = [await submit(backend, name, n) for n, name in enumerate(["a", "fail", "cancelled", "never"], 1)]
    advance(server, 0.4)
    progress = await backend.poll(runs)
    assert service(server).calls["list"] == 1
    assert "poll" not in service(server).calls
    assert progress[1].facts[DOING] == "calculating 25 %"
    advance(server, 1)
    progress = await backend.poll(runs)
    assert [progress[n].ended_as for n in (1, 2, 3, 4)] == ["completed", "failed", "cancelled", None]
    for one in runs:
        one.facts.update(progress[one.id].facts)
    failed = await answer(backend, runs[1])
    assert (failed.state, failed.error_kind) == (JobState.FAILED, "WeatherDataError")
    assert "24 timestamps are missing" in failed.error
    assert failed.remote["task_id"] == 2
    assert (await answer(backend, runs[2])).state is JobState.CANCELLED
    assert "results" not in service(server).calls


async def test_a_task_that_is_gone_is_told(demo: Callable[..., DemoServer], daly: Any) -> None:
    backend = daly(demo())
    one = submission(remote_id="77:86:0")
    assert (await backend.poll([one]))[1].ended_as == "forgotten"


async def test_cancel_and_what_cannot_be(demo: Callable[..., DemoServer], daly: Any) -> None:
    backend = daly(demo())
    one = await submit(backend, "never")
    await backend.cancel(one)
    assert (await backend.poll([one]))[1].ended_as == "cancelled"
    with pytest.raises(Refused, match="finished"):
        await backend.cancel(one)
    await backend.cancel(submission(remote_id="77"))


async def test_a_lost_run_is_found_by_its_name_alone(demo: Callable[..., DemoServer], daly: Any) -> None:
    server = demo(SLOW)
    backend = daly(server)
    others = [await submit(backend, "site", n) for n in (1, 2, 3)]
    lost = others[1]
    lost.remote_id = None
    lost.others = frozenset({others[0].remote_id or ""})
    assert (await backend.find(lost)).later
    advance(server, 1)
    await ended(backend, others[0], others[2])
    found = await backend.find(lost)
    assert Ids.of(found.remote_id).task == "2"
    assert (await backend.find(submission(9, "b-9-00000009"))).absent
    service(server).runs[1].script = "bare"
    service(server).runs[2].script = "bare"
    unclear = await backend.find(lost)
    assert (unclear.absent, unclear.remote_id, unclear.later) == (False, None, False)
    assert "task 3, 2" in unclear.reason


async def test_what_lives_there_can_be_adopted(demo: Callable[..., DemoServer], daly: Any) -> None:
    backend = daly(demo())
    await ended(backend, await submit(backend, "North"))
    (there,) = await backend.list()
    assert (there.remote_id, there.status, there.jobs) == ("1:10", "completed", 1)
    adopted = submission(token="adopted", remote_id="1")
    await ended(backend, adopted)
    (found,) = [job async for job in backend.jobs(adopted)]
    assert found.wire_id == "1"
    assert found.work["input"]["locationId"] == 1
    kept: list[bytes] = []
    (told,) = [one async for one in backend.results(adopted, lambda name, chunk: kept.append(chunk))]
    assert told.job_id == "1"
    assert b"energyYieldSummary" in kept[0]


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (Said(404, {"detail": "Not Found"}), "address", "answers to auth/token (404): check base_url"),
        (Said(404, b"404 page not found"), "address", "answers to auth/token (404): check base_url"),
        (
            Said(405, {"detail": "Method Not Allowed"}),
            "address",
            "answers to auth/token (405): check base_url",
        ),
        (Said(200, b"<html>Sign in</html>"), "address", "(200, a page of HTML): check base_url"),
        (Said(302, b"", {"Location": "/login"}), "address", "answers to auth/token (302): check base_url"),
        (
            Said(404, {"detail": "Workspace not found"}),
            "key",
            "the sign-in is refused: Workspace not found (404)",
        ),
        (Said(403, b"<html>Forbidden</html>"), "key", "the sign-in is refused: Forbidden (403)"),
    ],
)
async def test_an_address_that_leads_elsewhere_is_not_told_as_wrong_keys(
    daly: Any, monkeypatch: pytest.MonkeyPatch, said: Said, kind: str, words: str
) -> None:
    with served(lambda server, call: said) as other:
        monkeypatch.setenv("DALY_WORKSPACE_KEY", WORKSPACE)
        monkeypatch.setenv("DALY_USER_KEY", USER)
        backend = registry.build("d", {"kind": "daly", "base_url": other.url}, None)
        with pytest.raises(NeedsPerson) as told:
            await submit(backend)
        await backend.close()
    assert (told.value.kind, words in told.value.message) == (kind, True), told.value.message
    assert ("check DALY" in told.value.message or "keys" in told.value.message) == (kind == "key")


async def test_a_server_that_knows_no_energy_models_is_told_by_its_address(
    daly: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Said(200, {"access_token": "token-of-nobody-12345"})
    with served(
        lambda _, call: token if call.path == "/auth/token" else Said(404, {"detail": "Not Found"})
    ) as other:
        backend = daly(type("There", (), {"backends": {"daly": {"kind": "daly", "base_url": other.url}}})())
        with pytest.raises(NeedsPerson, match=r"answers to energymodels \(404\): check base_url") as told:
            await submit(backend)
    assert told.value.kind == "address"


async def test_a_file_that_changed_for_the_worse_is_refused_here(
    demo: Callable[..., DemoServer], daly: Any, tmp_path: Path
) -> None:
    server = demo()
    bad = job()
    bad.work.input = {"locationId": 1}
    with pytest.raises(Refused, match="blocks"):
        await daly(server).submit(submission(), [bad], lambda facts: None)
    assert service(server).calls == {}


async def test_a_submit_has_a_timeout_of_its_own(demo: Callable[..., DemoServer], daly: Any) -> None:
    server = demo("slow.create=1,drip=5s")
    one = job()
    one.work.timeout = 0.3
    with pytest.raises(Unsure, match="in time"):
        await daly(server).submit(submission(), [one], lambda facts: None)
    assert len(service(server).runs) == 1
