"""Prices of models: where they are from, what an answer cost, what one may cost at most."""

from __future__ import annotations

from batchtui.prices.lookup import find, price_of, provider_at
from batchtui.prices.rates import BATCH_DISCOUNT, Known, Price, Rates, Tokens, cost_usd, nano
from batchtui.prices.usage import tokens_of

__all__ = [
    "BATCH_DISCOUNT",
    "Known",
    "Price",
    "Rates",
    "Tokens",
    "cost_usd",
    "find",
    "nano",
    "price_of",
    "provider_at",
    "tokens_of",
]
