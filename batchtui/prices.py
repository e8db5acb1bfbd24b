"""What tokens cost. An unknown price is None, never 0: a limit in dollars cannot be kept on a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

BATCH_DISCOUNT = 0.5
"""Factor on the price of a job in a provider's batch."""
_DATED = re.compile(r"(?P<name>.+?)-(?:\d{4}-\d{2}-\d{2}|\d{8})")
_PER_MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens in and out."""

    input: float
    output: float


def price_of(model: str, config_prices: Mapping[str, Price]) -> Price | None:
    """The price of `model`; one dated (`gpt-x-2026-01-31`) falls back to its plain name. None where unknown."""
    if model in config_prices:
        return config_prices[model]
    dated = _DATED.fullmatch(model)
    return config_prices.get(dated["name"]) if dated else None


def cost_usd(
    price: Price | None,
    input_tokens: int | None,
    output_tokens: int | None,
    batch: bool,
    discount: float = BATCH_DISCOUNT,
) -> float | None:
    """USD of one answer; `discount` is the factor in a provider's batch. None where price or usage is unknown."""
    if price is None or input_tokens is None or output_tokens is None:
        return None
    full = (input_tokens * price.input + output_tokens * price.output) / _PER_MILLION
    return full * discount if batch else full
