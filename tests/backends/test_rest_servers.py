"""Kind `rest` over three job APIs of different habits, each described in its config alone: to the end, at most once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batchtui.config import load_config
from batchtui.model import BatchState, JobState
from tests.backends.job_servers import KEY, JobServer, aws, azure, bucket, ogc, served
from tests.engine.bench import Bench, until

TABLES = Path(__file__).parents[1] / "data/rest"
QUICK = 'kind = "rest"\npoll_interval = 0.1\nsettle = 0.5'
JOBS = {
    "ogc": {"input": {"process": "upper", "inputs": {"text": "{{ text }}"}}},
    "aws": {"input": {"text": "{{ text }}"}},
    "azure": {"input": {"text": "{{ text }}"}},
}
FILES = {"ogc": "ogc.toml", "aws": "aws_style.toml", "azure": "azure_style.toml"}
Opened = tuple[Bench, JobServer]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Opened]]:
    """`opened("ogc")`: that server, and a bench whose config describes it."""
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    monkeypatch.setenv("SUBSCRIPTION_KEY", KEY)
    with ExitStack() as stack:

        def start(name: str) -> Opened:
            answer = {"ogc": ogc, "aws": aws, "azure": azure}[name]
            server = stack.enter_context(served(answer, bucket if name == "aws" else None))
            text = (TABLES / FILES[name]).read_text().replace("URL", server.url)
            (tmp_path / "config.toml").write_text(text.replace('kind = "rest"', QUICK))
            bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ))
            stack.callback(bench.close)
            return bench, server

        yield start


@pytest.mark.parametrize("name", list(JOBS))
def test_jobs_run_to_the_end_and_give_their_results(opened: Callable[[str], Opened], name: str) -> None:
    bench, server = opened(name)
    folder = bench.run(bench.spec(name, 5, JOBS[name]))
    assert (folder.status().status, folder.status().completed) == (BatchState.COMPLETED, 5)
    given: list[Any] = [folder.result(n).output for n in range(5)]
    assert given == [{"text": f"TEXT OF ROW {n}"} for n in range(5)]
    assert len(server.jobs) == 5


@pytest.mark.parametrize("name", list(JOBS))
def test_what_failed_there_failed_here_with_its_reason(opened: Callable[[str], Opened], name: str) -> None:
    bench, _ = opened(name)
    job = {"input": {"process": "upper", "inputs": {"text": "break"}} if name == "ogc" else {"text": "break"}}
    folder = bench.run(bench.spec(name, 1, job))
    assert (folder.result(0).status, folder.result(0).error) == (JobState.FAILED, "it broke")


@pytest.mark.parametrize("name", ["aws", "azure"])
def test_a_lost_create_that_shows_up_late_is_found_and_not_made_twice(
    opened: Callable[[str], Opened], name: str
) -> None:
    bench, server = opened(name)
    server.lose, server.late = 2, 0.3
    folder = bench.run(bench.spec(name, 5, JOBS[name]))
    assert folder.status().completed == 5
    assert len(server.jobs) == 5
    assert len({job["token"] for job in server.jobs.values()}) == 5


@pytest.mark.parametrize("name", ["aws", "azure"])
def test_a_create_answered_without_a_name_is_looked_up(opened: Callable[[str], Opened], name: str) -> None:
    bench, server = opened(name)
    server.nameless = 2
    folder = bench.run(bench.spec(name, 3, JOBS[name]))
    assert folder.status().completed == 3
    assert len(server.jobs) == 3


@pytest.mark.parametrize("fault", ["lose", "nameless"])
def test_where_nothing_can_be_looked_up_a_person_is_asked_once(
    opened: Callable[[str], Opened], fault: str
) -> None:
    bench, server = opened("ogc")
    setattr(server, fault, 1)
    folder = bench.run(bench.spec("ogc", 1, JOBS["ogc"]))
    (attention,) = folder.status().attention
    assert (attention.kind, attention.submission if hasattr(attention, "submission") else 1) == ("unsure", 1)
    assert "ask the service itself" in attention.text
    assert len(server.jobs) == 1
    bench.ask(folder, "resolve", action="adopt", remote_id="j-1", submission=1)
    bench.drive(folder.id)
    assert (folder.status().completed, len(server.jobs)) == (1, 1)


@pytest.mark.parametrize("name", list(JOBS))
def test_what_runs_is_cancelled(opened: Callable[[str], Opened], name: str) -> None:
    bench, server = opened(name)
    server.seconds = 60
    if name == "aws":
        bench.config.backends["aws"].table["states"] = {"FAILED": "cancelled"}
    folder = bench.start(bench.spec(name, 2, JOBS[name]))
    until(lambda: bench.status(folder).processing == 2)
    bench.ask(folder, "cancel")
    until(lambda: bench.status(folder).status is BatchState.CANCELLED)
    assert bench.status(folder).cancelled == 2
    assert all(job["stopped"] for job in server.jobs.values())


def test_a_signed_address_gets_no_key_and_is_kept_nowhere(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("aws")
    bench.run(bench.spec("aws", 2, JOBS["aws"]))
    assert server.store is not None
    for call in server.store.calls:
        assert KEY not in str(call.headers)
        assert "x-api-key" not in call.headers
    kept = [file for file in (bench.folder_path / "data").rglob("*") if file.is_file()]
    assert len(kept) > 4
    assert not [
        file for file in kept if b"X-Amz-Signature" in file.read_bytes() or KEY.encode() in file.read_bytes()
    ]


def test_polls_keep_the_pace_that_the_api_asks_for(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("azure")
    server.seconds = 4.0
    folder = bench.run(bench.spec("azure", 1, JOBS["azure"]))
    assert folder.status().completed == 1
    apart = [later - sooner for sooner, later in zip(server.polls_at, server.polls_at[1:], strict=False)]
    assert all(gap > 0.9 for gap in apart)  # a second each, though the table says 0.1 s
    assert len(server.polls_at) <= 4


def test_a_status_address_on_another_host_gets_nothing(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("azure")
    with served(azure) as other:
        mine, server.url = server.url, other.url
        bench.config.backends["azure"].table["base_url"] = mine
        folder = bench.start(bench.spec("azure", 1, JOBS["azure"]))
        until(
            lambda: (
                (bench.status(folder).submissions or [])[:1]
                and (bench.status(folder).submissions or [])[0].trouble
            )
        )
        trouble = (bench.status(folder).submissions or [])[0].trouble or ""
        assert f"is at {other.url}, and keys go to {mine} alone" in trouble
        assert not other.calls


async def test_a_probe_says_what_it_saw(opened: Callable[[str], Opened]) -> None:
    bench, server = opened("ogc")
    backend: Any = bench.backends.fresh("ogc")
    probe = await backend.probe()
    assert (probe.ok, probe.message, probe.models) == (
        True,
        f"{server.url} answers; it offers 2",
        ["upper", "lower"],
    )
    await backend.close()


async def test_a_probe_by_the_list_tells_statuses_that_are_not_known(
    opened: Callable[[str], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, server = opened("azure")
    bench.run(bench.spec("azure", 3, JOBS["azure"]))
    monkeypatch.setattr("tests.backends.job_servers.AZURE_WORDS", ("a", "b", "Archived", "d", "e"))
    backend: Any = bench.backends.fresh("azure")
    probe = await backend.probe()
    await backend.close()
    assert probe.ok
    assert 'its list shows 3 (3 Archived); the status "Archived" is not known' in probe.message
    assert len(server.jobs) == 3
