"""Daly's API described in a config alone (tests/data/rest/daly.toml), against the demo server: no line of code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from batchtui.backends.base import Progress, Submission
from batchtui.backends.rest.backend import RestBackend
from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.model import BatchSpec, BatchState, JobState, Json, SourceSpec
from tests.daly_help import block, energy_model, service
from tests.engine.bench import Bench, until

TABLES = (Path(__file__).parents[1] / "data/rest/daly.toml").read_text()
JOB: dict[str, Json] = {"input": "{{ input }}", "name": "{{ name }}"}
Served = Callable[..., tuple[Bench, DemoServer]]


def config_at(server: DemoServer) -> str:
    """As it stands, but for the address and its pace."""
    pace = 'settle = "120s"\n'
    assert pace in TABLES
    settle = server.backends["daly"]["settle"]
    found = TABLES.replace("http://localhost:8000", f"{server.url}/daly")
    return found.replace(pace, f"settle = {settle}\npoll_interval = 0.2\n")


@pytest.fixture
def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_server: Callable[..., DemoServer]
) -> Iterator[Served]:
    """`served(faults, user)`: a worker whose one remote backend is Daly's by rest."""
    benches: list[Bench] = []

    def make(faults: str = "", user: str = "uk_demo_4712") -> tuple[Bench, DemoServer]:
        server = demo_server(faults)
        monkeypatch.setenv("DALY_WORKSPACE_KEY", "wk_demo_4711")
        monkeypatch.setenv("DALY_USER_KEY", user)
        (tmp_path / "config.toml").write_text(config_at(server))
        benches.append(Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ)))
        return benches[-1], server

    yield make
    for bench in benches:
        bench.close()


def spec(bench: Bench, *names: str, inputs: dict[int, dict[str, Json]] | None = None) -> BatchSpec:
    source = bench.folder_path / "sites.jsonl"
    rows = [
        {"id": f"s{n}", "name": name, "input": (inputs or {}).get(n, energy_model())}
        for n, name in enumerate(names)
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return BatchSpec(name="sites", backend="daly-by-rest", source=SourceSpec(file=str(source)), job=JOB)


def test_runs_of_every_fate_end_as_they_should(served: Served) -> None:
    bench, server = served()
    refused = energy_model(blocks=[block(layout={"arrayType": "fixed", "gcr": 2})])
    names = ("North", "South snake", "East nested", "fail", "cancelled", "West", "sync", "bare")
    folder = bench.run(spec(bench, *names, inputs={5: refused}))
    results = [folder.result(n) for n in range(len(names))]
    completed, failed = JobState.COMPLETED, JobState.FAILED
    assert [result.status for result in results] == [
        completed, completed, completed, failed, JobState.CANCELLED, failed, completed, completed,
    ]  # fmt: skip
    assert [result.name for result in results] == list(names)
    for number in (0, 1, 2, 6, 7):
        result = results[number]
        assert result.output["energyYieldSummary"]["specificYield"]
        assert result.output["title"].startswith(f"{names[number]} [")
        assert result.remote["energy_model_id"] == result.remote["task_id"] + 9
        assert result.remote["run_index"] == 0
    assert results[3].error == "Weather data: 24 timestamps are missing on 2026-03-29"
    assert "Input should be greater" in (results[5].error or "")
    assert service(server).calls["auth"] == 1


def test_one_listing_call_a_poll_and_no_call_too_many(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls: list[int] = []
    really = RestBackend.poll

    async def poll(backend: RestBackend, submissions: Sequence[Submission]) -> dict[int, Progress]:
        polls.append(len(submissions))
        return await really(backend, submissions)

    monkeypatch.setattr(RestBackend, "poll", poll)
    bench, server = served("duration=1s")
    runs = 60
    folder = bench.run(spec(bench, *(f"site {n}" for n in range(runs))))
    assert folder.status().completed == runs
    calls = service(server).calls
    assert (calls["create"], calls["results"]) == (runs, runs)
    assert calls.get("poll", 0) <= 2  # asked singly where one alone is left
    assert calls["list"] <= len(polls)
    assert max(polls) > 1


def test_a_lost_reply_is_found_by_the_mark_in_its_name(served: Served) -> None:
    bench, server = served("drop.create=1,duration=300ms")
    folder = bench.start(spec(bench, "a", "b"))
    until(lambda: len(service(server).runs) == 2)
    until(lambda: folder.status().completed == 2)
    assert len(service(server).runs) == 2
    assert {folder.result(n).remote["energy_model_id"] for n in range(2)} == {10, 11}


def test_a_429_and_a_token_that_runs_out(served: Served) -> None:
    bench, server = served("429.create=0.3,duration=1500ms,retry_after=0.2,seed=3", user="uk_lives-1")
    folder = bench.run(spec(bench, "a", "b", "c"))
    assert folder.status().completed == 3
    assert len(service(server).runs) == 3
    assert 2 <= service(server).calls["auth"] <= 8


def test_keys_that_are_refused_stop_it(served: Served) -> None:
    bench, server = served(user="wrong")
    folder = bench.run(spec(bench, "a"))
    (attention,) = folder.status().attention
    assert (attention.kind, attention.text.startswith("sign-in: the key is refused")) == ("key", True)
    assert not service(server).runs
    deaf, server = served(user="uk_deaf_4712")
    folder = deaf.run(spec(deaf, "a"))
    assert [item.kind for item in folder.status().attention] == ["key"]
    assert service(server).calls == {"auth": 2, "create": 2}


def test_cancel_asks_for_each_run(served: Served) -> None:
    bench, server = served()
    folder = bench.start(spec(bench, "never", "never"))
    until(lambda: folder.status().processing == 2 and len(service(server).runs) == 2)
    bench.ask(folder, "cancel")
    until(lambda: folder.status().status is BatchState.CANCELLED)
    assert {run.status for run in service(server).runs} == {"cancelled"}
