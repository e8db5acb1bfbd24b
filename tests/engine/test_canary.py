"""A canary goes first; the rest waits for a person, through restarts, under one cost limit."""

from __future__ import annotations

import pytest

from batchtui.store.folder import BatchFolder
from tests.engine.bench import until
from tests.engine.test_remote import Served, creates

JOB = {"prompt": "{{ text }}", "model": "demo-small", "max_tokens": 50}


def attention(folder: BatchFolder) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.kind, item.actions) for item in folder.status().attention]


@pytest.mark.parametrize("backend", ["openai", "chat"])
def test_the_rest_waits_for_its_release(served: Served, backend: str) -> None:
    bench, server = served()
    folder = bench.run(bench.spec(backend, 12, JOB, canary=3))
    assert attention(folder) == [("canary", ("release", "cancel"))]
    assert [folder.result(n).status for n in range(12)] == ["completed"] * 3 + ["pending"] * 9
    bench.ask(folder, "resolve", action="release")
    until(lambda: not bench.worker.drives(folder.id))
    status = bench.status(folder)
    assert (status.completed, status.attention) == (12, [])
    if backend == "openai":
        assert [len(entry["job_ids"]) for entry in creates(server)] == [3, 9]


def test_it_waits_over_a_restart_and_can_be_cancelled(served: Served) -> None:
    bench, server = served()
    folder = bench.run(bench.spec("openai", 8, JOB, canary=2))
    bench.worker.stop()
    bench.worker = bench.new_worker()
    folder = bench.drive(folder.id)
    assert attention(folder) == [("canary", ("release", "cancel"))]
    assert len(creates(server)) == 1
    bench.ask(folder, "resolve", action="cancel")
    until(lambda: not bench.worker.drives(folder.id))
    status = bench.status(folder)
    assert (status.status, status.completed, status.cancelled) == ("cancelled", 2, 6)
    assert status.attention == []


def test_a_canary_as_large_as_its_batch_holds_nothing_back(served: Served) -> None:
    bench, _ = served()
    assert bench.run(bench.spec("openai", 3, JOB, canary=3)).status().completed == 3


def test_a_canary_that_runs_again_is_waited_for(served: Served) -> None:
    bench, _ = served("partial=1")
    folder = bench.run(bench.spec("openai", 6, JOB, canary=2))
    failed = folder.status().failed
    assert failed
    bench.ask(folder, "retry")
    until(lambda: bench.worker.blocked(folder.id) is not None and len(folder.progress.submissions) == 2)
    until(lambda: attention(folder) == [("canary", ("release", "cancel"))])
    assert folder.status().pending == 4


def test_one_cost_limit_covers_both(served: Served) -> None:
    bench, server = served()
    spec = bench.spec("openai", 40, JOB, canary=2, cost_usd=0.0003, jobs_per_submission=10)
    folder = bench.run(spec)
    assert attention(folder)[0][0] == "canary"
    bench.ask(folder, "resolve", action="release")
    until(lambda: bench.worker.blocked(folder.id) or not bench.worker.drives(folder.id))
    status = folder.status()
    assert status.cost_usd is not None
    assert status.cost_usd <= 0.0003
    assert len(creates(server)) >= 1
