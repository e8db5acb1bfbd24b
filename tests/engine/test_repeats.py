"""Work that costs money is not sent a second time without a word: known by what goes over the wire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batchtui.demo.server import DemoServer
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, Problem
from batchtui.prices import Price
from batchtui.store.files import digests
from tests.daly_help import energy_model
from tests.engine.bench import Bench

Served = Callable[..., tuple[Bench, DemoServer]]
JOB: dict[str, Json] = {"prompt": "{{ text }}", "model": "demo-small", "max_tokens": 5}


def repeated(bench: Bench, spec: BatchSpec) -> Problem | None:
    problems = plan(spec, bench.folder_path, bench.backends, library=bench.library).preflight.problems
    assert not [problem for problem in problems if problem.fatal]
    return next((problem for problem in problems if problem.asks == "again"), None)


def made(bench: Bench, spec: BatchSpec) -> str:
    from batchtui.engine.plan.planning import create

    draft = bench.library.draft()
    planned = plan(spec, bench.folder_path, bench.backends, draft=draft, library=bench.library)
    return create(planned, draft).id


@pytest.mark.parametrize("kind", ["chat", "openai", "anthropic", "gemini", "mistral", "together"])
def test_the_same_rows_are_known_again_in_whole_and_in_part(served: Served, kind: str) -> None:
    bench, _ = served("duration=50ms")
    first = bench.spec(kind, 3, JOB)
    assert repeated(bench, first) is None
    batch = made(bench, first)
    assert (bench.library.path(batch) / digests.NAME).exists()
    assert repeated(bench, first) is None  # planned, and not sent
    assert bench.drive(batch).status().completed == 3
    told = repeated(bench, first)
    assert told is not None
    assert "3 of 3 jobs were sent before" in told.message
    assert "none is new" in told.message
    assert batch in told.message
    more = repeated(bench, bench.spec(kind, 5, JOB))
    assert more is not None
    assert "3 of 5 jobs were sent before" in more.message
    assert "2 are new" in more.message
    for other in ({"model": "demo-large"}, {"max_tokens": 6}, {"prompt": "{{ text }}!"}):
        assert repeated(bench, bench.spec(kind, 3, JOB | other)) is None
    (bench.library.path(batch) / digests.NAME).unlink()  # a batch of before there were any
    assert repeated(bench, first) == told
    assert (bench.library.path(batch) / digests.NAME).exists()


def test_another_id_or_order_is_the_same_work_and_another_account_is_not(served: Served) -> None:
    bench, _ = served("duration=50ms")
    spec = bench.spec("openai", 3, JOB)
    bench.drive(made(bench, spec))
    assert spec.source
    renamed = msgspec.structs.replace(spec.source, id="other-{{ id }}", shuffle=True)
    assert repeated(bench, msgspec.structs.replace(spec, source=renamed)) is not None
    bench.config.backends["openai"].table["api_key_env"] = "ANOTHER"
    bench.backends = type(bench.backends)(bench.config, env={"ANOTHER": "sk-other"})
    assert repeated(bench, spec) is None


def test_what_failed_or_costs_nothing_runs_again_without_a_word(served: Served, tmp_path: Path) -> None:
    bench, _ = served("duration=50ms,partial=1,seed=1")
    spec = bench.spec("openai", 3, JOB)
    assert bench.drive(made(bench, spec)).status().failed == 3
    assert repeated(bench, spec) is None
    free = bench.spec("local", 2, {"command": ["true"]})
    bench.drive(made(bench, free))
    assert repeated(bench, free) is None
    bench.config.prices["demo-small"] = Price(input=0.0, output=0.0)
    unpaid = bench.spec("chat", 2, JOB)
    bench.drive(made(bench, unpaid))
    assert repeated(bench, unpaid) is None
    del bench.config.prices["demo-small"]  # a server of one's own, and nobody named a price
    assert repeated(bench, unpaid) is None


def test_daly_runs_are_known_again(served: Served) -> None:
    bench, _ = served("duration=50ms")
    spec = BatchSpec(name="sites", backend="daly", job={"input": energy_model()})
    bench.drive(made(bench, spec))
    assert repeated(bench, spec) is not None
