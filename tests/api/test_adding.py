"""Jobs that are added after `start` join the batch that runs; starting twice sends nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchtui import BadInput
from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.api.conftest import Place
from tests.daly_help import energy_model

Start = Callable[..., DemoServer]


def creates(server: DemoServer) -> list[Json]:
    return [job for entry in server.ledger() if entry["op"] in ("create", "chat") for job in entry["job_ids"]]


@pytest.mark.parametrize("backend", ["chat", "openai", "gemini", "anthropic"])
def test_a_job_joins_the_batch_that_runs(place: Place, with_demo: Start, backend: str) -> None:
    server = with_demo("duration=300ms")
    batch = place.prompts(1, backend=backend).add_cost_limit(usd=1)
    run = batch.start()
    batch.add_job(
        prompt="Another bird with {{ braces }}", temperature=0.5 if backend != "anthropic" else None
    )
    assert run.wait(timeout=60)
    batch.add_job(prompt="A bird after the end", id="late", max_tokens=7, row={"from": "later"})
    again = batch.start()
    assert again.id == run.id
    assert again.wait(timeout=60)
    assert batch.run().id == run.id
    results = list(place.open(run.id))
    assert [result.job_id for result in results] == ["1", "2", "late"]
    assert all(result.is_success for result in results), [result.error for result in results]
    assert "{{ braces }}" in (results[1].raw_response or "")
    assert results[2].row["from"] == "later"
    assert {result.attempts for result in results} == {1}
    assert len(creates(server)) == 3
    assert run.status()["total"] == 3
    assert run.status()["cost_limit_usd"] == 1


def test_daly_runs_are_given_one_by_one(place: Place, with_demo: Start) -> None:
    with_demo("duration=100ms")
    batch = place.batch("sites", backend="daly").add_job(name="Site A", input=energy_model())
    run = batch.start()
    batch.add_job(name="Site B", input=energy_model(schemaVersion="v2"))
    batch.add_job(name="Site C", input=energy_model(locationId=2))
    assert run.wait(timeout=60)
    assert [one.name for one in run] == ["Site A", "Site B", "Site C"]
    assert run.summary()["total"] == 3


def test_daly_runs_join_while_others_run_and_a_wrong_one_fails_alone(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=2s")
    batch = place.batch("sites", backend="daly").add_job(name="a", input=energy_model())
    run = batch.start()
    assert run.wait_submitted(timeout=60)
    assert run.poll().pending == 1, "the first still runs"
    batch.add_job(name="b", input=energy_model())
    batch.add_jobs([("empty", {"locationId": 1, "blocks": []}), ("c", energy_model())])
    assert run.poll().pending >= 3, "no call of it waits for a run"
    assert run.wait(timeout=60)
    assert run.poll() == (3, 1, 0)
    assert "blocks" in run.get_failed_jobs()["3"]
    assert creates(server) == ["a", "b", "c"]
    assert batch.start().id == run.id
    assert creates(server) == ["a", "b", "c"]


def test_answers_of_added_jobs_fit_their_own_schema(place: Place, with_demo: Start) -> None:
    with_demo()
    batch = place.prompts(1, backend="chat")
    run = batch.start()
    schema = {"type": "object", "properties": {"bird": {"type": "string"}}, "required": ["bird"]}
    batch.add_job(prompt="Name one", response_model=schema)
    assert run.wait(timeout=60)
    assert run.result("2").parsed_response["bird"]
    assert run.result("1").parsed_response is None


def test_what_cannot_join_is_refused(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=300ms")
    batch = place.prompts(2)
    run = batch.start()
    with pytest.raises(BadInput, match="max_tokens: expected int"):
        batch.add_job(prompt="x", max_tokens="many")
    with pytest.raises(BadInput, match="goes to chat, where no job of the running batch goes"):
        batch.add_job(prompt="x", backend="chat")
    with pytest.raises(BadInput, match="is there already"):
        batch.add_job(prompt="x", id="1")
    assert len(batch) == 2
    run.cancel()
    run.wait(timeout=60)
    with pytest.raises(BadInput, match="takes no more jobs"):
        batch.add_job(prompt="x")
    assert len(run) == 2
    assert len(creates(server)) in (0, 2)


@pytest.mark.parametrize("torn", [b'{"n":2,"id":"3","ro', b""])
def test_a_crash_half_way_leaves_no_job_twice(place: Place, with_demo: Start, torn: bytes) -> None:
    """A line that was written, and its event was not: it is cut off and written anew once the command is obeyed."""
    server = with_demo("duration=100ms")
    batch = place.prompts(2)
    run = batch.start()
    batch.add_job(prompt="three", id="3")
    assert run.wait(timeout=60)
    jobs = place.home["data_dir"] / "batches" / run.id / "jobs.jsonl"
    last = jobs.read_bytes().splitlines(keepends=True)[-1]
    with jobs.open("ab") as file:
        file.write(torn or last.replace(b'"n":2', b'"n":3').replace(b'"id":"3"', b'"id":"4"'))
    batch.add_job(prompt="four", id="4")
    assert run.wait(timeout=60)
    assert [result.job_id for result in place.open(run.id)] == ["1", "2", "3", "4"]
    assert "four" in (run.result("4").raw_response or "")
    assert len(creates(server)) == 4
