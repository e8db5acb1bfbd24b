"""What tokens cost. An unknown price is None, never 0: a limit in dollars cannot be kept on a guess."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from batchtui.amounts import NANO

BATCH_DISCOUNT = 0.5
"""Factor on the price of a job in a provider's batch, where nothing says otherwise."""
_PER_MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`[prices."model"]`: USD per million tokens."""

    input: float
    """US dollars for a million tokens of the request."""
    output: float
    """US dollars for a million tokens of the answer, thinking included."""
    cached_input: float | None = None
    """For tokens that are read from a cache; left out: as `input`."""
    cache_write: float | None = None
    """For tokens that are written to one; left out: as `input`."""
    batch: float | None = None
    """The factor in a provider's batch, as 0.5."""
    max_output: int | None = None
    """The most tokens that one answer can have, which a limit in dollars reckons with."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one answer used. `input` are those that no cache was read or written for; `output` includes thinking."""

    input: int
    output: int
    cached: int = 0
    written: int = 0

    @property
    def asked(self) -> int:
        return self.input + self.cached + self.written


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens. `long` holds once a request asks more than `over` tokens, for all of them."""

    input: float
    output: float
    cached: float | None = None
    written: float | None = None
    over: int | None = None
    long: Rates | None = None

    def cost(self, tokens: Tokens) -> float:
        """USD, to a billionth, which is what the store counts in."""
        if self.long is not None and self.over is not None and tokens.asked > self.over:
            return self.long.cost(tokens)
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.written is None else self.written
        spent = tokens.input * self.input + tokens.output * self.output
        return round((spent + tokens.cached * cached + tokens.written * written) / _PER_MILLION, 9)

    def times(self, factor: float) -> Rates:
        def scaled(value: float | None) -> float | None:
            return None if value is None else value * factor

        return Rates(
            self.input * factor,
            self.output * factor,
            scaled(self.cached),
            scaled(self.written),
            self.over,
            self.long.times(factor) if self.long else None,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """A model's price, and where it is from. `date`: the day on which it was known to hold; None where nobody said."""

    model: str
    usual: Rates
    batch: Rates
    source: str
    date: str | None = None
    provider: str | None = None
    longest: int | None = None
    """The most tokens that one answer of this model can have; None where nobody said."""

    def rates(self, *, batch: bool) -> Rates:
        return self.batch if batch else self.usual


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
    rates = rates_of(price)
    factor = (discount if price.batch is None else price.batch) if batch else 1.0
    return rates.times(factor).cost(Tokens(input_tokens, output_tokens))


def rates_of(price: Price) -> Rates:
    return Rates(price.input, price.output, price.cached_input, price.cache_write)


def nano(usd: float) -> int:
    """Whole billionths of a dollar, rounded up: what is reserved is never less than what may be spent."""
    return math.ceil(round(usd * NANO, 3))
