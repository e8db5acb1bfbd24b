"""Jobs that name no `max_tokens`, under a limit in dollars: a true bound is reserved, or somebody is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.backends.base import Job
from batchtui.config import Config
from batchtui.config.shape import BackendConfig
from batchtui.demo.server import DemoServer
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.costing import tokens_words
from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import AnyBackend, Backends
from batchtui.engine.spend.pricing import ASSUMED_ANSWER
from batchtui.model import BatchSpec, Json, LimitsSpec
from batchtui.preflight import Preflight
from batchtui.prices import Price
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.engine import money_help
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]
PRICE = Price(input=0.0, output=1000.0)


def backends(kind: str, **table: Json) -> Backends:
    config = Config(path=Path("config.toml"), prices={"m": PRICE, "gpt-4o-mini": PRICE})
    config.backends["b"] = BackendConfig(name="b", kind=kind, table={"kind": kind} | table, origin="test")
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY", "TOGETHER_API_KEY")
    return Backends(config, env=dict.fromkeys(keys, "x"))


def checked(
    pool: Backends, job: dict[str, Json], sweep: dict[str, list[Json]] | None = None, **limits: Json
) -> Preflight:
    spec = BatchSpec(name="b", backend="b", job={"model": "m", "prompt": "p"} | job, sweep=sweep or {},
                     limits=LimitsSpec(**limits))  # fmt: skip
    return plan(spec, Path.cwd(), pool).preflight


def made(pool: Backends, library: Library, job: dict[str, Json], **limits: Json) -> BatchFolder:
    spec = BatchSpec(
        name="b", backend="b", job={"model": "m", "prompt": "p"} | job, limits=LimitsSpec(**limits)
    )
    draft = library.draft()
    planned = plan(spec, Path.cwd(), pool, draft=draft)
    assert not planned.preflight.stopped, planned.preflight.problems
    agreed = any(problem.asks for problem in planned.preflight.problems)
    return create(planned, draft, unpriced_agreed=agreed)


def sent(folder: BatchFolder, pool: Backends) -> Json:
    backend: AnyBackend
    job: Job
    backend, job = Renderer(folder, pool).job(0, 1, "token")
    return backend.describe(job)


KINDS: list[tuple[str, dict[str, Json], dict[str, Json], list[str]]] = [
    ("openai", {}, {}, ["max_completion_tokens"]),
    ("openai", {"base_url": "http://127.0.0.1:1/v1"}, {}, ["max_tokens"]),
    ("openai", {}, {"endpoint": "/v1/responses"}, ["max_output_tokens"]),
    ("chat", {"base_url": "https://api.groq.com/openai/v1"}, {}, ["max_tokens"]),
    ("gemini", {}, {}, ["generationConfig", "maxOutputTokens"]),
    ("mistral", {}, {}, ["max_tokens"]),
    ("together", {}, {}, ["max_tokens"]),
]


@pytest.mark.parametrize(("kind", "table", "job", "path"), KINDS)
def test_what_was_agreed_to_goes_by_the_name_that_the_api_takes(
    tmp_path: Path, kind: str, table: dict[str, Json], job: dict[str, Json], path: list[str]
) -> None:
    pool, library = backends(kind, **table), Library(tmp_path)
    bound = sent(made(pool, library, job, cost_usd=50.0), pool)
    for key in path:
        bound = bound[key]
    assert bound == ASSUMED_ANSWER
    free = sent(made(pool, library, job), pool)
    assert path[-1] not in str(free)
    assert sent(made(pool, library, job | {"max_tokens": 7}, cost_usd=50.0), pool) != free


def test_an_unknown_bound_is_asked_about_only_under_a_limit(tmp_path: Path) -> None:
    pool = backends("openai")
    (asked,) = [problem for problem in checked(pool, {}, cost_usd=5.0).problems if problem.asks]
    assert "max_tokens is not set" in asked.message
    assert 'max_output = … under [prices."m"]' in asked.message
    assert not checked(pool, {}).problems
    pool.config.limits.cost_usd_per_day = 5.0
    (asked,) = [problem for problem in checked(pool, {}).problems if problem.asks]
    assert asked.key == "limits.cost_usd_per_day"
    pool.config.prices["m"] = Price(input=0.0, output=1000.0, max_output=500)
    flight = checked(pool, {})
    assert not flight.problems
    assert (flight.tokens_out_max, flight.cost_max_usd) == (500, pytest.approx(0.25))


@pytest.mark.parametrize(
    ("kind", "job", "sweep", "most"),
    [
        ("openai", {"model": "gpt-4o-mini"}, {}, 16_384),
        ("openai", {"model": "gpt-4o-mini-2024-07-18"}, {}, 16_384),
        ("openai", {"model": "gpt-4o-mini", "extra": {"n": 3}}, {}, 3 * 16_384),
        ("openai", {"model": "gpt-4o-mini", "max_tokens": 10, "extra": {"n": 3}}, {}, 30),
        ("openai", {"model": "gpt-4o-mini"}, {"max_tokens": [100, 200]}, 300),
        ("openai", {}, {"model": ["gpt-4o-mini", "m"]}, None),
        ("openai", {"endpoint": "/v1/completions", "prompt": None, "body": {"prompt": ["a", "b"], "max_tokens": 9}}, {}, 18),
        ("gemini", {"max_tokens": 10, "extra": {"n": 4}}, {}, 40),
        ("anthropic", {}, {}, 4096),
        ("anthropic", {"max_tokens": 50, "extra": {"thinking": {"type": "enabled", "budget_tokens": 2000}}}, {}, 2050),
        ("openai", {"endpoint": "/v1/embeddings", "prompt": None, "body": {"input": "a"}}, {}, 0),
    ],
)  # fmt: skip
def test_what_all_answers_can_have_at_most(
    kind: str, job: dict[str, Json], sweep: dict[str, list[Json]], most: int | None
) -> None:
    flight = checked(backends(kind), job, sweep)
    assert not [problem for problem in flight.problems if problem.fatal]
    assert flight.tokens_out_max == most
    words = tokens_words(flight)
    assert "at most 0 out" not in words
    assert (f"at most {most:,}" if most else "at most") in words or not most
    assert ("no limit set" in words) is (most is None or (most % 16_384 == 0 and most > 0))


def test_a_bound_larger_than_the_limit_is_asked_about_and_a_low_limit_is_told() -> None:
    pool = backends("openai")
    (asked,) = checked(pool, {"model": "gpt-4o-mini"}, cost_usd=1.0).problems
    assert (asked.asks, "16,384 tokens" in asked.message, "$8.19" in asked.message) == ("cost", True, True)
    (low,) = checked(pool, {"max_tokens": 1000}, cost_usd=0.2).problems
    assert (low.asks, low.fatal) == (None, False)
    assert "$0.20 is too low by $0.30" in low.message
    (tight,) = checked(pool, {"max_tokens": 1000, "extra": {"n": 2}}, {"seed": [1, 2]}, cost_usd=1.5).problems
    assert "too low by $0.50" in tight.message
    assert not checked(pool, {"max_tokens": 1000}, cost_usd=0.5).problems


def test_nothing_is_sent_before_a_person_agrees_and_the_limit_is_kept_after(served: Served) -> None:
    bench, server = served("duration=100ms")
    bench.config.prices["demo-small"] = PRICE
    job: dict[str, Json] = {"prompt": "{{ text }}", "model": "demo-small"}
    folder = bench.run(bench.spec("openai", 3, job, cost_usd=5.0, jobs_per_submission=1))
    (asked,) = folder.status().attention
    assert (asked.kind, asked.actions, folder.status().pending) == ("bound", ("release", "cancel"), 3)
    assert not [entry for entry in server.ledger() if entry["op"] == "create"]
    bench.ask(folder, "resolve", action="release")
    until(lambda: folder.status().completed == 3)
    assert {
        round(sub.estimated_usd or 0, 3) for sub in folder.status(submissions=True).submissions or []
    } == {2.048}
    assert max(money_help.committed(bench.library.data_dir)) <= 5.0
    assert not folder.status().attention
