"""Where a price is looked for: the user's config, then the package genai-prices (extra `prices`), then a small table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from batchtui.catalog import cards
from batchtui.model import Json
from batchtui.prices.rates import BATCH_DISCOUNT, Known, Price, Rates, rates_of

TABLE, LONGEST = (Path(__file__).with_name(name) for name in ("table.json", "longest.json"))
_DATED = re.compile(r"(?P<name>.+?)-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)")
_OTHER_HOSTS = {
    "openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x-ai",
    "api.fireworks.ai": "fireworks",
    "api.cerebras.ai": "cerebras",
}
"""Of providers that have no kind or dialect of their own."""
_HOSTS = {host: seller for card in cards().values() for host, seller in card.hosts.items()} | _OTHER_HOSTS
"""Whose prices hold at a host; elsewhere those of the model's maker."""
_DISCOUNTS = {"deepinfra": 0.8}
"""Factors in a provider's batch that differ from BATCH_DISCOUNT."""
_PRICES_OF = {seller: other for card in cards().values() for seller, other in card.prices_of.items()}
_MAKERS = tuple(card.maker for card in cards().values() if card.maker)
"""Who is asked for the price of a model whose seller nobody named."""
OWN = "own"
"""The seller where a server of one's own does the work: what that costs is known to its owner alone."""


def provider_at(host: str | None) -> str | None:
    """The provider whose prices hold at this host; None for a server of one's own or a gateway."""
    return next(
        (
            provider
            for name, provider in _HOSTS.items()
            if host and (host == name or host.endswith("." + name))
        ),
        None,
    )


def price_of(model: str, config_prices: Mapping[str, Price]) -> Price | None:
    """The config's price of `model`; one dated (`gpt-x-2026-01-31`) falls back to its plain name. None where unknown."""
    if model in config_prices:
        return config_prices[model]
    dated = _DATED.fullmatch(model)
    return config_prices.get(dated["name"]) if dated else None


def find(
    model: str, config_prices: Mapping[str, Price], provider: str | None = None, origin: str = "config"
) -> Known | None:
    """The price of `model` at `provider` (None: its maker's; OWN: the config's alone), None where nobody knows it."""
    own = price_of(model, config_prices)
    if own is not None:
        usual = rates_of(own)
        factor = _DISCOUNTS.get(provider or "", BATCH_DISCOUNT) if own.batch is None else own.batch
        return Known(
            model, usual, usual.times(factor), origin, longest=own.max_output or longest(model, provider)
        )
    if provider == OWN:
        return None
    found = (_packaged(model, seller) or _tabled(model, seller) for seller in _sellers(provider))
    return next((known for known in found if known is not None), None)


def longest(model: str, provider: str | None = None) -> int | None:
    """The most tokens that one answer of `model` can have, by the built-in table alone; None where it has no such model."""
    if provider == OWN:
        return None
    found = (_of(_longest_table()["providers"].get(seller, {}), model) for seller in _sellers(provider))
    return next((most for most in found if most is not None), None)


def _sellers(provider: str | None) -> tuple[str, ...]:
    return (_PRICES_OF.get(provider, provider),) if provider else _MAKERS


# ---- the package


@cache
def _package() -> tuple[str, str | None] | None:
    """Name and age of the package's table; None where the extra is not installed."""
    try:
        from importlib.metadata import version

        from genai_prices.data_snapshot import get_snapshot

        return f"genai-prices {version('genai-prices')}", _newest(get_snapshot().providers)
    except Exception:  # an extra that cannot be loaded is one that is not there
        return None


def _packaged(model: str, provider: str) -> Known | None:
    if (package := _package()) is None:
        return None
    try:
        from genai_prices import Usage, calc_price

        one = Usage(input_tokens=1, output_tokens=1)
        usual = calc_price(one, model, provider_id=provider)
        batch = calc_price(one, model, provider_id=provider, price_context={"processing": "batch"})
    except (
        Exception
    ):  # LookupError for an unknown model; whatever else it says, the price is not known from it
        return None
    rates, batch_rates = _rates(usual.model_price), _rates(batch.model_price)
    if rates is None or batch_rates is None:
        return None
    if rates == batch_rates:
        batch_rates = rates.times(_DISCOUNTS.get(provider, BATCH_DISCOUNT))
    most = longest(model, provider) or getattr(usual.model, "context_window", None)
    return Known(model, rates, batch_rates, *package, usual.provider.id, most)


def _rates(price: Any) -> Rates | None:
    names = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
    given = [getattr(price, name, None) for name in names]
    base = [_number(getattr(value, "base", value)) for value in given]
    if base[0] is None:
        return None
    tiers = [tier for value in given for tier in getattr(value, "tiers", ())]
    if not tiers:
        return Rates(base[0], base[1] or 0.0, base[2], base[3])
    over = min(tier.start for tier in tiers)
    dear = [_number(_beyond(value, over)) for value in given]
    assert dear[0] is not None
    long = Rates(dear[0], dear[1] or 0.0, dear[2], dear[3])
    return Rates(base[0], base[1] or 0.0, base[2], base[3], over, long)


def _beyond(value: Any, over: int) -> Any:
    """The dearest tier: with several, a long request is never held for cheaper than it is."""
    tiers = getattr(value, "tiers", None)
    return max(tier.price for tier in tiers) if tiers else getattr(value, "base", value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _newest(providers: Any) -> str | None:
    """The newest day from which any price of the package holds, which is how old it is at most."""
    days = [
        getattr(dated.constraint, "start_date", None)
        for provider in providers
        for model in provider.models
        for dated in (model.prices if isinstance(model.prices, list) else ())
    ]
    held = [day for day in days if day is not None and day <= date.today()]
    return max(held).isoformat() if held else None


# ---- the table


@cache
def _table() -> dict[str, Json]:
    table: dict[str, Json] = json.loads(TABLE.read_bytes())
    return table


@cache
def _longest_table() -> dict[str, Json]:
    table: dict[str, Json] = json.loads(LONGEST.read_bytes())
    return table


def _of(sold: Mapping[str, Json], model: str) -> Json:
    """What a table holds under this name; one dated (`gpt-x-2026-01-31`) falls back to its plain name."""
    dated = _DATED.fullmatch(model)
    return sold.get(model) or (sold.get(dated["name"]) if dated else None)


def _tabled(model: str, provider: str) -> Known | None:
    table = _table()
    row = _of(table["providers"].get(provider, {}), model)
    if row is None:
        return None
    usual, batch = _row(row["usual"]), _row(row["batch"])
    return Known(model, usual, batch, table["source"], table["date"], provider, longest(model, provider))


def _row(values: Json) -> Rates:
    """[input, output, cached, written] and, where long requests cost more, [over, [the same four]]."""
    given, made, cached, written = values[:4]
    if len(values) == 4:
        return Rates(given, made, cached, written)
    over, dear = values[4]
    return Rates(given, made, cached, written, over, Rates(*dear))


def names() -> list[str]:
    """Models of the built-in table, for the nearest word to a typo."""
    return [model for models in _table()["providers"].values() for model in models]
