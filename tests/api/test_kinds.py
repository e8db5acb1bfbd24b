"""The same API over kinds of every sort: energy models, flows, several backends in one batch, and nobody there."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from batchtui import BadInput, Unreachable
from batchtui.demo.kinds.daly_runs import ERROR
from batchtui.demo.server import DemoServer
from batchtui.engine import waiting
from tests.api.conftest import Place
from tests.daly_help import energy_model

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
    assert {one.name: bool(one.data["energyYieldSummary"]) for one in run.completed} == dict.fromkeys(
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
