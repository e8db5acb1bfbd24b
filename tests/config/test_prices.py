"""Prices: where they are from, what an answer's tokens cost, what providers call them."""

from __future__ import annotations

import pytest

from batchtui.prices import Price, Tokens, cost_usd, find, lookup, nano, provider_at, tokens_of
from batchtui.prices.rates import Rates


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_package", lambda: None)


def test_the_config_comes_first_and_names_its_batch_factor() -> None:
    prices = {"gpt-4o": Price(1, 2, batch=0.25), "claude-x": Price(3, 6, cached_input=0.3)}
    known = find("gpt-4o-2024-08-06", prices, "openai", "config.toml")
    assert known
    assert (known.source, known.usual.input, known.batch.output) == ("config.toml", 1, 0.5)
    other = find("claude-x", prices)
    assert other
    assert other.batch.cached == 0.15
    assert cost_usd(prices["gpt-4o"], 1_000_000, 0, batch=True) == 0.25


def test_the_table_tells_source_and_date(without_package: None) -> None:
    known = find("claude-sonnet-4-5-20250929", {})
    assert known
    assert (known.provider, known.usual.input, known.batch.input) == ("anthropic", 3.0, 1.5)
    assert known.date
    assert "built-in" in known.source
    assert find("gpt-4o-mini", {}, "azure") == find("gpt-4o-mini", {}, "openai")
    assert find("gpt-4o-mini", {}, "groq") is None
    assert find("my-own-model", {}) is None
    assert find("llama-3.3-70b-versatile", {}) is None  # sold by many, made for nobody's price list
    assert find("llama-3.3-70b-versatile", {}, "groq")
    assert find("gpt-4o-mini", {}, lookup.OWN) is None
    assert find("gpt-4o-mini", {"gpt-4o-mini": Price(1, 1)}, lookup.OWN)


def test_every_row_of_the_table_is_a_price(without_package: None) -> None:
    table = lookup._table()
    for provider, models in table["providers"].items():
        for model in models:
            known = find(model, {}, provider)
            assert known
            assert known.usual.input >= known.batch.input >= 0, model
            assert known.usual.output >= known.batch.output >= 0, model
    assert len(lookup.names()) > 50


def test_the_package_agrees_with_the_table() -> None:
    pytest.importorskip("genai_prices", reason="needs the extra `prices`")
    known = find("gpt-4o-mini", {}, "openai")
    assert known
    assert known.source.startswith("genai-prices ")
    assert known.date
    tabled = lookup._tabled("gpt-4o-mini", "openai")
    assert tabled
    assert (known.usual, known.batch) == (tabled.usual, tabled.batch)
    assert find("no-such-model-at-all", {}) is None


def test_a_long_request_costs_more_for_all_of_its_tokens(without_package: None) -> None:
    known = find("claude-sonnet-4-5", {})
    assert known
    assert known.usual.cost(Tokens(200_000, 0)) == pytest.approx(0.6)
    assert known.usual.cost(Tokens(100_000, 0, cached=100_001)) == pytest.approx(0.6 + 0.0600006)


def test_cached_and_thinking_tokens_are_priced_as_told() -> None:
    rates = Rates(10.0, 100.0, cached=1.0, written=12.0)
    openai = {"prompt_tokens": 1000, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 400}}
    assert tokens_of(openai, 1000, 50) == Tokens(600, 50, cached=400)
    responses = {"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4}}
    assert tokens_of(responses, 10, 5) == Tokens(6, 5, cached=4)
    anthropic = {
        "input_tokens": 100, "output_tokens": 7, "cache_read_input_tokens": 2000, "cache_creation_input_tokens": 30,
    }  # fmt: skip
    assert tokens_of(anthropic, 2130, 7) == Tokens(100, 7, cached=2000, written=30)
    assert rates.cost(Tokens(100, 7, 2000, 30)) == pytest.approx((1000 + 700 + 2000 + 360) / 1e6)
    gemini = {
        "promptTokenCount": 8, "candidatesTokenCount": 11, "thoughtsTokenCount": 829, "cachedContentTokenCount": 3,
    }  # fmt: skip
    assert tokens_of(gemini, 8, 11) == Tokens(5, 840, cached=3)
    assert tokens_of({"prompt_tokens": 9, "total_tokens": 9}, 9, None) == Tokens(9, 0)
    assert tokens_of(None, 3, 4) == Tokens(3, 4)
    assert tokens_of(None, None, 4) is None


@pytest.mark.parametrize(
    "usage",
    [
        [],
        "many",
        {"prompt_tokens": -1},
        {"prompt_tokens": "9"},
        {"prompt_tokens": True},
        {"input_tokens": {}},
    ],
)
def test_nonsense_is_no_usage(usage: object) -> None:
    assert tokens_of(usage, None, None) is None
    assert tokens_of(usage, 1, 2) == Tokens(1, 2)


def test_whose_prices_hold_where() -> None:
    assert provider_at("api.openai.com") == "openai"
    assert provider_at("my-resource.openai.azure.com") == "azure"
    assert provider_at("generativelanguage.googleapis.com") == "google"
    assert provider_at("notapi.openai.com.evil.example") is None
    assert provider_at("evilapi.openai.com") is None
    assert provider_at("127.0.0.1") is None
    assert provider_at(None) is None


def test_reserved_amounts_are_never_rounded_down() -> None:
    assert nano(0.1) == 100_000_000
    assert nano(1e-10) == 1
    assert nano(0.0) == 0
