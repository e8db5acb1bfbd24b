"""What a job may cost before it is sent, and what it did cost after."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from batchtui.catalog import card_of
from batchtui.model import JobRecord, Outcome
from batchtui.prices import Known, Tokens, find, provider_at, tokens_of
from batchtui.prices.lookup import OWN

if TYPE_CHECKING:
    from batchtui.backends.base import Backend
    from batchtui.config import Config


ASSUMED_ANSWER = 4096
"""Tokens of answer that are reckoned with where nothing bounds them and no limit is to be kept.

Under a limit they are the `max_tokens` that such jobs are sent with, once a person agrees to that.
"""
LIKELY_ANSWER = 1024
"""Tokens of answer that such a job is likely to get."""


class Pricing:
    """Prices over the jobs and answers of a batch. None means unknown, never 0."""

    def __init__(self, config: Config) -> None:
        self._prices = config.prices
        self._origin = str(config.path)
        self._known: dict[tuple[str, str], Known | None] = {}

    def known(self, backend: Backend[msgspec.Struct], model: str) -> Known | None:
        """The price of a model on a backend, and where it is from."""
        key = (backend.name, model)
        if key not in self._known:
            self._known[key] = find(model, self._prices, provider_of(backend), self._origin)
        return self._known[key]

    def longest(
        self, backend: Backend[msgspec.Struct], model: str | None, job: JobRecord, sent: int | None = None
    ) -> int | None:
        """The most tokens that may be written for a job: by its own `max_tokens`, else by `sent`, the one that it is sent
        with all the same, else by what the model can write at all. None where nothing bounds them.
        """
        if job.tokens[1] or job.tokens == (0, 0) or not job.answers:
            return job.tokens[1]
        known = self.known(backend, model) if model else None
        most = sent or (known.longest if known else None)
        return None if most is None else most * job.answers

    def upper(
        self, backend: Backend[msgspec.Struct], model: str | None, job: JobRecord, sent: int | None = None
    ) -> float | None:
        """The most that a job may cost, which is what is reserved: twice the likely prompt, and the longest answer.

        None where its price is unknown, or nothing bounds its answer.
        """
        made = self.longest(backend, model, job, sent)
        return None if made is None else self._cost(backend, model, 2 * job.tokens[0], made, job)

    def assumed(self, backend: Backend[msgspec.Struct], model: str | None, job: JobRecord) -> float | None:
        """What a job is held to cost at most where no limit is to be kept; None where its price is unknown."""
        made = job.tokens[1] or ASSUMED_ANSWER * job.answers
        return self._cost(backend, model, 2 * job.tokens[0], made, job)

    def likely(self, backend: Backend[msgspec.Struct], model: str | None, job: JobRecord) -> float | None:
        """What a job is likely to cost, which is what is shown."""
        return self._cost(backend, model, job.tokens[0], job.tokens[1] or LIKELY_ANSWER * job.answers, job)

    def _cost(
        self, backend: Backend[msgspec.Struct], model: str | None, asked: int, made: int, job: JobRecord
    ) -> float | None:
        if job.tokens == (0, 0):  # no language model at work
            return None if backend.untold_cost else 0.0
        known = self.known(backend, model) if model else None
        return known.rates(batch=backend.remote).cost(Tokens(asked, made)) if known else None

    def actual(self, backend: Backend[msgspec.Struct], outcome: Outcome, model: str | None) -> float | None:
        """What an answer cost by its reported usage, at the price of the model that was asked for."""
        if outcome.cost_usd is not None:
            return outcome.cost_usd
        tokens = tokens_of(outcome.usage, outcome.input_tokens, outcome.output_tokens)
        if tokens is None:
            return None
        for name in (model, outcome.model):
            if name and (known := self.known(backend, name)):
                return known.rates(batch=backend.remote).cost(tokens)
        return None


def provider_of(backend: Backend[msgspec.Struct]) -> str | None:
    """Whose prices hold there; None: those of each model's maker, OWN: nobody's but the config's."""
    address = backend.setup.settings.base_url
    try:
        host = urlsplit(address).hostname if address else None
    except ValueError:
        host = None
    card = card_of(backend.kind)
    if known := provider_at(host) or (card.seller if card else None):
        return known
    return OWN if card and card.sells_itself and _is_near(host) else None


def _is_near(host: str | None) -> bool:
    """Whether it is this machine or one of the same network, as far as its name tells."""
    if host is None or "." not in host.rstrip(".") or host.endswith((".local", ".lan", ".internal")):
        return host is not None
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False
