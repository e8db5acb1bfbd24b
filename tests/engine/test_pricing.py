"""Whose price an answer has: by the backend's kind and address, by the model's name, by the provider's own word."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.config import Config
from batchtui.config.shape import BackendConfig
from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.pricing import ASSUMED_ANSWER, LIKELY_ANSWER, Pricing, provider_of
from batchtui.model import JobRecord, JobState, Outcome
from batchtui.prices import Price


def backends(**tables: dict[str, str]) -> Backends:
    config = Config(path=Path("config.toml"))
    for name, table in tables.items():
        config.backends[name] = BackendConfig(name=name, kind=table["kind"], table=table, origin="test")
    config.prices["m"] = Price(10.0, 100.0)
    return Backends(config, env={"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"})


@pytest.mark.parametrize(
    ("kind", "address", "provider"),
    [
        ("openai", None, "openai"),
        ("openai", "https://api.groq.com/openai/v1", "groq"),
        ("openai", "https://gateway.example.com/v1", None),
        ("openai", "http://127.0.0.1:4010/v1", None),
        ("anthropic", "http://127.0.0.1:4010", "anthropic"),
        ("chat", "http://127.0.0.1:11434/v1", "own"),
        ("chat", "https://gpu-box:8000/v1", "own"),
        ("chat", "https://192.168.1.20:8000/v1", "own"),
        ("chat", "https://api.deepinfra.com/v1/openai", "deepinfra"),
    ],
)
def test_whose_prices_hold(kind: str, address: str | None, provider: str | None) -> None:
    table = {"kind": kind} | ({"base_url": address} if address else {})
    assert provider_of(backends(b=table).get("b")) == provider


def job(asked: int, made: int, answers: int = 1) -> JobRecord:
    return JobRecord(n=0, id="1", tokens=(asked, made), answers=answers)


def test_estimates_and_what_it_cost() -> None:
    pool = backends(chat={"kind": "chat", "base_url": "http://127.0.0.1:1/v1"}, openai={"kind": "openai"})
    pricing, chat, openai = Pricing(pool.config), pool.get("chat"), pool.get("openai")
    full, unset, other = job(100, 50), job(100, 0), job(0, 0)
    assert pricing.likely(chat, "m", full) == pytest.approx((100 * 10 + 50 * 100) / 1e6)
    assert pricing.upper(chat, "m", full) == pytest.approx((200 * 10 + 50 * 100) / 1e6)
    assert pricing.upper(openai, "m", full) == pytest.approx((200 * 10 + 50 * 100) / 2e6)
    assert pricing.likely(chat, "m", unset) == pytest.approx((1000 + LIKELY_ANSWER * 100) / 1e6)
    assert pricing.assumed(chat, "m", unset) == pytest.approx((2000 + ASSUMED_ANSWER * 100) / 1e6)
    assert pricing.upper(chat, "m", unset) is None  # nothing bounds its answer
    assert pricing.upper(chat, "unheard-of", full) is None
    assert pricing.upper(chat, None, full) is None
    assert pricing.upper(chat, None, other) == 0.0

    answer = Outcome(state=JobState.COMPLETED, input_tokens=100, output_tokens=50, model="m-2026-01-31")
    assert pricing.actual(openai, answer, None) == pytest.approx(6000 / 2e6)
    assert pricing.actual(chat, answer, "unheard-of") == pytest.approx(6000 / 1e6)
    answer.cost_usd = 0.25
    assert pricing.actual(chat, answer, "m") == 0.25
    assert pricing.actual(chat, Outcome(state=JobState.FAILED), "m") is None
