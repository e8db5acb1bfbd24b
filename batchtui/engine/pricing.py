"""What a job may cost before it is sent, and what it did cost after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batchtui.model import Outcome
from batchtui.prices import BATCH_DISCOUNT, cost_usd, price_of

if TYPE_CHECKING:
    from batchtui.backends.base import Backend, Job
    from batchtui.config import Config


ASSUMED_ANSWER = 4096
"""Tokens of answer that are reserved for a job that names no `max_tokens`."""


class Pricing:
    """Prices of the config over the jobs and answers of a batch. None means unknown, never 0."""

    def __init__(self, config: Config) -> None:
        self._prices = config.prices

    def upper(
        self, backend: Backend[msgspec.Struct], job: Job[msgspec.Struct], tokens: tuple[int, int]
    ) -> float | None:
        """The most that a job may cost: twice the likely prompt tokens, and every token of answer it may give."""
        model = backend.model(job)
        if model is None:
            return 0.0 if tokens == (0, 0) else None
        return self.of_tokens(model, tokens, batch=backend.remote)

    def of_tokens(self, model: object, tokens: tuple[int, int], *, batch: bool) -> float | None:
        """`upper` for a model and token estimate alone."""
        if tokens == (0, 0):
            return 0.0
        return (
            self._cost(model, 2 * tokens[0], tokens[1] or ASSUMED_ANSWER, batch)
            if isinstance(model, str)
            else None
        )

    def actual(self, outcome: Outcome, model: str | None, *, batch: bool) -> float | None:
        """What an answer cost by its reported usage."""
        if outcome.cost_usd is not None:
            return outcome.cost_usd
        for name in (model, outcome.model):
            if name and price_of(name, self._prices):
                return self._cost(name, outcome.input_tokens, outcome.output_tokens, batch)
        return None

    def _cost(self, model: str, tokens_in: int | None, tokens_out: int | None, batch: bool) -> float | None:
        price = price_of(model, self._prices)
        return cost_usd(price, tokens_in, tokens_out, batch, BATCH_DISCOUNT)
