"""Never paying twice rests on an order: intent on the disk, create, remote id on the disk, and only then the next step.

A kill does not lose what the system holds for the disk, so no kill can show this: a spy on the syncs and calls does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchtui.catalog import cards
from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.model import BatchSpec, Json
from batchtui.store.folder import BatchFolder
from batchtui.store.writer import BatchWriter
from tests.backends.task_api import LONG_KEY, USER_KEY, task_api
from tests.cluster.conftest import write_config
from tests.cluster.stand_in import StandIn
from tests.engine import test_buttermilk, test_daly_batches
from tests.engine.bench import Bench
from tests.engine.disk_spy import DiskSpy, Events
from tests.engine.test_remote import JOB

Served = Callable[..., tuple[Bench, DemoServer]]
PROMPTS = ("openai", "anthropic", "gemini", "mistral", "together")
REST = (Path(__file__).parents[1] / "data" / "rest" / "tasks.toml").read_text()


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> DiskSpy:
    return DiskSpy(monkeypatch)


def run(spy: DiskSpy, bench: Bench, spec: BatchSpec) -> BatchFolder:
    """Drive it to its end with the spy on its backend."""
    folder = bench.create(spec)
    assert spec.backend
    spy.watch(type(bench.backends.get(spec.backend)), lambda: folder.path / "events.jsonl")
    return bench.drive(folder.id)


def said(events: Events, event: str, **facts: Json) -> bool:
    return any(one["event"] == event and facts.items() <= one.items() for one in events)


def check(spy: DiskSpy, folder: BatchFolder, submissions: int) -> None:
    assert len(spy.creates) == submissions
    for token, on_disk in spy.creates:
        assert said(on_disk, "intent", token=token), f"{token} was created before its intent was on the disk"
    ids = [sub.remote_id for sub in folder.progress.submissions.values()]
    assert sorted(remote_id for remote_id, _ in spy.looks) == sorted(map(str, ids))
    for remote_id, on_disk in spy.looks:
        assert said(on_disk, "submitted", remote_id=remote_id), f"{remote_id} was not on the disk yet"


def test_every_kind_that_submits_is_looked_at_here() -> None:
    elsewhere = {"daly", "buttermilk", "rest", "slurm"}
    assert {*PROMPTS, *elsewhere} == {name for name, card in cards().items() if card.remote}


@pytest.mark.parametrize("kind", PROMPTS)
def test_of_a_batch_of_prompts(served: Served, spy: DiskSpy, kind: str) -> None:
    bench, _ = served("duration=100ms")
    folder = run(spy, bench, bench.spec(kind, 6, JOB, jobs_per_submission=2))
    assert folder.status().completed == 6
    check(spy, folder, 3)


def test_of_energy_models(served: Served, spy: DiskSpy) -> None:
    bench, _ = served("duration=100ms")
    folder = run(spy, bench, test_daly_batches.spec(bench, test_daly_batches.named("North", "South")))
    assert folder.status().completed == 2
    check(spy, folder, 2)


def test_of_a_flow(served: Served, spy: DiskSpy) -> None:
    bench, _ = served("duration=100ms")
    folder = run(spy, bench, test_buttermilk.flow(max_records=3))
    check(spy, folder, 1)


@pytest.fixture
def by_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("LAB_KEY", LONG_KEY)
    monkeypatch.setenv("LAB_USER_KEY", USER_KEY)
    with task_api() as api:
        (tmp_path / "config.toml").write_text(REST.replace("URL", api.url))
        bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ))
        yield bench
        bench.close()


@pytest.mark.parametrize(("backend", "submissions"), [("tasks", 4), ("crates", 1)])
def test_of_a_service_that_a_table_describes(
    by_rest: Bench, spy: DiskSpy, backend: str, submissions: int
) -> None:
    job = {"input": {"text": "{{ text }}"}}
    folder = run(spy, by_rest, by_rest.spec(backend, 4, job))
    assert folder.status().completed == 4
    check(spy, folder, submissions)


def test_of_an_array_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spy: DiskSpy) -> None:
    monkeypatch.setenv("PATH", f"{StandIn(tmp_path).programs}:{os.environ['PATH']}")
    path = write_config(tmp_path, lag=0.1, settle=0.1, poll_interval=0.2, chunk=2)
    bench = Bench(tmp_path, load_config(path, env={}))
    try:
        folder = run(spy, bench, bench.spec("cluster", 4, {"command": ["echo", "{{ id }}"]}))
        assert folder.status().completed == 4
        check(spy, folder, 1)
    finally:
        bench.close()


def test_a_lost_reply_is_said_on_the_disk_before_it_is_looked_up(served: Served, spy: DiskSpy) -> None:
    bench, _ = served("drop.create=1,duration=100ms")
    folder = run(spy, bench, bench.spec("openai", 2, JOB))
    assert folder.status().completed == 2
    (((_, on_disk)),) = spy.looks
    assert said(on_disk, "intent", sub=1)
    assert said(on_disk, "unsure", sub=1)


def test_answers_are_on_the_disk_before_it_is_written_that_all_of_them_are_home(
    served: Served, spy: DiskSpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync of the journal that is under way may take the next line with it, and not the answers that it tells of."""
    bench, _ = served("duration=100ms")
    record, looked = BatchWriter.record, []

    def spied(writer: BatchWriter, event: str, **facts: Json) -> None:
        if event == "collected":
            results = writer.folder.path / "results.jsonl"
            looked.append((spy.lasts(results), results.stat().st_size))
        record(writer, event, **facts)

    monkeypatch.setattr(BatchWriter, "record", spied)
    folder = bench.run(bench.spec("openai", 6, JOB))
    assert folder.status().completed == 6
    ((lasts, size),) = looked
    assert lasts == size
