"""The same API over kinds of every sort: energy models, flows, several backends in one batch, and nobody there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from batchtui import BadInput, Unreachable
from batchtui.api import engines
from batchtui.demo.server import DemoServer
from batchtui.domains.energy.demo.runs import ERROR
from batchtui.engine.manage import waiting
from batchtui.model import Json
from tests.api.conftest import Place
from tests.daly_help import energy_model, service

Start = Callable[..., DemoServer]


def test_energy_models_as_the_batch_runner_tells_them(place: Place, with_demo: Start) -> None:
    with_demo("duration=300ms")
    batch = place.batch("runs", backend="daly")
    added = batch.add_jobs({"name": name, "input": energy_model()} for name in ("a", "b", "c", "fail"))
    run = batch.start()
    assert (added, run.wait(timeout=60, poll_interval=0.1)) == (4, True)
    summary = run.summary()
    assert {key: summary[key] for key in ("total", "completed", "failed", "pending")} == {
        "total": 4, "completed": 3, "failed": 1, "pending": 0,
    }  # fmt: skip
    assert [list(one) for one in summary["results"]] == [["name", "energy_model_id", "task_id"]] * 3
    (failure,) = summary["failures"]
    assert (list(failure), failure["name"]) == (["name", "task_id", "error"], "fail")
    assert ERROR[1] in failure["error"]
    assert {one.name: one.data["summary"]["specificYield"] > 0 for one in run.completed} == dict.fromkeys(
        "abc", True
    )


def test_a_refused_run_is_a_failed_job(place: Place, with_demo: Start) -> None:
    with_demo("duration=300ms")
    batch = place.batch("runs", backend="daly")
    for name in ("a", "b"):
        batch.add_job(name=name, input=energy_model())
    run = batch.add_job(name="odd", input=energy_model(colour="red")).run()
    assert (len(run.completed), list(run.get_failed_jobs())) == (2, ["3"])
    assert "colour" in run.get_failed_jobs()["3"]
    with pytest.raises(BadInput, match=r'job "1": input\.blocks'):
        place.batch("empty", backend="daly").add_job(name="empty", input={"locationId": 1}).run()


@pytest.mark.parametrize("wrong", [{"locationId": 1, "blocks": []}, {}, None, [1, 2], "site.json"])
def test_one_bad_input_of_many_is_a_failed_job_and_the_others_go(
    place: Place, with_demo: Start, caplog: pytest.LogCaptureFixture, wrong: Json
) -> None:
    server = with_demo("duration=100ms")
    batch = place.batch("runs", backend="daly")
    added = batch.add_jobs([("a", energy_model()), ("empty", wrong), ("b", energy_model())])
    flight = batch.check()
    assert not flight.stopped
    assert any('job "2": input' in str(problem) for problem in flight.problems)
    run = batch.run()
    assert (added, run.poll()) == (3, (2, 1, 0))
    (failure,) = run.summary()["failures"]
    assert (failure["name"], failure["task_id"]) == ("empty", None)
    assert "input" in failure["error"]
    assert any("not sent" in record.getMessage() for record in caplog.records)
    assert [entry["job_ids"] for entry in server.ledger() if entry["op"] == "create"] == [["a"], ["b"]]


def test_an_input_file_that_is_not_there_is_one_failed_job(place: Place, with_demo: Start) -> None:
    with_demo("duration=100ms")
    batch = place.batch("runs", backend="daly").add_job(name="a", input=energy_model())
    run = batch.add_job(name="gone", input_file=place.folder / "gone.json").run()
    assert run.poll() == (1, 1, 0)
    assert "gone.json" in run.get_failed_jobs()["2"]
    kept = place.open(run.id)
    kept.retry()
    assert kept.wait(timeout=60)
    assert kept.poll() == (1, 1, 0)


@pytest.mark.parametrize("said", [{"concurrency": 1}, {"max_parallel_batches": 1}])
def test_runs_at_once_are_as_many_as_the_batch_says(place: Place, with_demo: Start, said: Json) -> None:
    """By the server's own tasks: no second run is made before the first has ended."""
    server = with_demo("duration=300ms")
    batch = place.batch("runs", backend="daly", **said)
    batch.add_jobs((name, energy_model()) for name in ("a", "b", "c"))
    if "concurrency" in said:
        (share,) = batch.check().backends
        assert share.at_once == "1 job"
    assert batch.run().poll() == (3, 0, 0)
    runs = service(server).runs
    assert len(runs) == 3
    assert all(later.began >= earlier.began + 0.3 for earlier, later in pairwise(runs))


def test_a_backend_that_makes_nothing_of_concurrency_says_so(place: Place, with_demo: Start) -> None:
    with_demo()
    problems = place.prompts(2, concurrency=1).check().problems
    assert [str(problem) for problem in problems] == [
        "birds: limits.concurrency: says nothing to openai, which is sent many jobs at a time; submissions_at_once does"
    ]
    assert not place.prompts(2, backend="chat", concurrency=1).check().problems


def test_a_program_that_polls_and_ends_leaves_a_batch_that_has_ended(place: Place, with_demo: Start) -> None:
    with_demo("duration=200ms")
    batch = place.batch("runs", backend="daly")
    batch.add_jobs((f"run {n}", energy_model()) for n in range(3))
    run = batch.start()
    while run.poll().pending:
        time.sleep(0.001)
    engines._stop_all()
    engines._engines.clear()
    assert place.open(run.id).info().ended


def test_a_wait_that_ends_before_the_run_cancels_nothing(place: Place, with_demo: Start) -> None:
    server = with_demo("duration=300ms")
    run = place.batch("runs", backend="daly").add_job(name="never", input=energy_model()).start()
    assert not run.wait(timeout=1)
    assert [result.status for result in run.pending] == ["processing"]
    assert "cancel" not in [entry["op"] for entry in server.ledger()]


def test_a_flow_whose_jobs_are_born_there(place: Place, with_demo: Start) -> None:
    with_demo()
    batch = place.batch("flow", backend="buttermilk").set_state(place.folder / "state.json")
    run = batch.add_job(flow="good", max_records=3, parameters={"tone": "calm"}).run()
    assert (len(run), len(run.completed), run.status()["total"]) == (3, 3, 3)
    assert all(result.row["record_id"] for result in run)
    assert batch.run().id == run.id


def test_models_say_where_they_go_and_so_do_jobs(place: Place, with_demo: Start) -> None:
    with_demo()
    batch = place.batch("models").set_default_params(max_tokens=20, prompt="Describe a bird")
    for model in ("claude-sonnet-4-5", "gemini-2.5-flash"):
        batch.add_job(model=model)
    assert [result.backend for result in batch.run().completed] == ["anthropic", "gemini"]
    two = place.prompts(1, name="two").add_job(prompt="And another", backend="chat")
    assert [result.backend for result in two.run().completed] == ["openai", "chat"]


def test_nobody_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (place.folder / "config.toml").write_text(
        f'[backends.openai]\nkind = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
    )
    with pytest.raises(Unreachable, match="has taken nothing for a minute"):
        place.prompts(2).run(timeout=60)
    assert place.open("birds").poll().pending == 2
