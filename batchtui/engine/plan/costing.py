"""What a batch would cost, counted job by job before anything is sent, and whether its limits in dollars can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from batchtui.amounts import dollars
from batchtui.backends.base import Backend
from batchtui.config import Config
from batchtui.engine.spend.pricing import ASSUMED_ANSWER, Pricing
from batchtui.model import JobRecord, LimitsSpec, Problem
from batchtui.preflight import Preflight
from batchtui.text import cell

OWN, DAY = "limits.cost_usd", "limits.cost_usd_per_day"
NAMES_SHOWN = 5


@dataclass(slots=True)
class Costs:
    """Sums over the jobs of a batch. A sum is None in `tell` once a part of it is unknown."""

    config: Config
    limits: LimitsSpec
    pricing: Pricing = field(init=False)
    likely: float = 0.0
    most: float = 0.0
    tokens_out: int = 0
    unset: int = 0
    unpriced: set[str] = field(default_factory=set)
    """Models without a price."""
    untold: set[str] = field(default_factory=set)
    """Backends of which nobody knows what a job there costs."""
    unbounded: set[str] = field(default_factory=set)
    """Models whose answers nothing bounds."""
    least: float | None = None
    """What the cheapest job may cost at most."""
    dearest: tuple[float, str, int] | None = None
    """Of jobs that name no `max_tokens`: cost, model and tokens of the one that may cost most."""

    def __post_init__(self) -> None:
        self.pricing = Pricing(self.config)

    def add(self, backend: Backend[msgspec.Struct], job: JobRecord) -> float | None:
        """Count a job in; what it is likely to cost."""
        pricing, model = self.pricing, job.model or ""
        likely, longest = pricing.likely(backend, job.model, job), pricing.longest(backend, job.model, job)
        is_unset = longest != job.tokens[1]
        self.unset += is_unset
        self.tokens_out += longest or 0
        if longest is None:
            self.unbounded.add(model)
        if likely is None:
            untold = backend.untold_cost and job.tokens == (0, 0)
            (self.untold if untold else self.unpriced).add(backend.name if untold else model)
            return None
        self.likely += likely
        upper = pricing.upper(backend, job.model, job)
        if upper is None:
            return likely
        self.most += upper
        self.least = upper if self.least is None else min(self.least, upper)
        if is_unset and longest and (self.dearest is None or upper > self.dearest[0]):
            self.dearest = (upper, model, longest)
        return likely

    def tell(self, flight: Preflight) -> None:
        """Put the sums into the preflight."""
        flight.cost_usd = None if self.is_unknown else self.likely
        flight.cost_max_usd = None if self.is_unknown or self.unbounded else self.most
        flight.tokens_out_max = None if self.unbounded else self.tokens_out
        flight.tokens_out_unset = self.unset

    @property
    def is_unknown(self) -> bool:
        """Whether the cost of any job is."""
        return bool(self.unpriced or self.untold)

    @property
    def limit(self) -> tuple[str, float] | None:
        """The tighter of the limits in dollars that hold, and its key."""
        own, day = self.limits.cost_usd, self.config.limits.cost_usd_per_day
        held = [(key, value) for key, value in ((OWN, own), (DAY, day)) if value is not None]
        return min(held, key=lambda one: one[1]) if held else None

    @property
    def needs_bound(self) -> bool:
        """Whether a limit can be kept, or anything be sent under it, only if answers are given a bound."""
        if self.limit is None:
            return False
        return bool(self.unbounded) or (self.dearest is not None and self.dearest[0] > self.limit[1])

    def problems(self, where: str) -> Iterator[Problem]:
        """What a person has to know, or to agree to, before jobs go out under a limit in dollars."""
        if self.limit is None:
            return
        key, limit = self.limit
        for message, asks in self._doubts(key, limit):
            yield Problem(message=message, file=where, key=key, fatal=False, asks="cost" if asks else None)

    def _doubts(self, key: str, limit: float) -> Iterator[tuple[str, bool]]:
        """Each with whether somebody has to agree to it."""
        if self.unpriced:
            names, first = _named(self.unpriced)
            yield (
                (
                    f"the price of {names} is unknown, so {key} cannot be kept; "
                    f"add [prices.{first}] input = …, output = … to the config"
                ),
                True,
            )
        if self.untold:
            names, _ = _named(self.untold)
            yield f"what jobs on {names} cost is unknown, so {key} cannot be kept", True
        sent = f"else such jobs are sent with max_tokens = {ASSUMED_ANSWER:,}"
        if self.unbounded - self.unpriced:
            names, first = _named(self.unbounded - self.unpriced)
            yield (
                (
                    f"job.max_tokens is not set, and how long an answer of {names} can be is unknown, so {key} cannot be "
                    f"kept; set job.max_tokens, or max_output = … under [prices.{first}] in the config; {sent}"
                ),
                True,
            )
        elif self.needs_bound and self.dearest:
            cost, model, tokens = self.dearest
            yield (
                (
                    f'job.max_tokens is not set, and an answer of "{cell(model, 60)}" can have {tokens:,} tokens: one job may '
                    f"cost {dollars(cost)}, more than {key} = {dollars(limit)}; set job.max_tokens; {sent}"
                ),
                True,
            )
        if self.likely > limit:
            yield (
                f"{dollars(limit)} is too low by {dollars(self.likely - limit)}: {self._sums()}; {self._waits(limit)}",
                False,
            )
        elif self.most > limit and not self.needs_bound:
            over = f"{dollars(self.most - limit)} more than {key} = {dollars(limit)}"
            yield f"{self._sums()}, {over}; {self._waits(limit)}", False

    def _sums(self) -> str:
        """What it comes to, as far as that is known."""
        least = "at least " if self.is_unknown else ""
        most = "" if self.is_unknown or self.unbounded else f" and may cost {dollars(self.most)}"
        return f"the batch is likely to cost {least}{dollars(self.likely)}{most}"

    def _waits(self, limit: float) -> str:
        if self.least is not None and self.least > limit and not self.needs_bound:
            return "not one job fits, so nothing would be sent"
        return "what does not fit waits"


def tokens_words(flight: Preflight) -> str:
    """`120 in, at most 2,000 out`; without `max_tokens` that no limit is set, and what bounds the answers all the same."""
    told = f"{flight.tokens_in:,} in"
    if flight.tokens_out_max is None:
        return f"{told}, no limit set for the answers, and no bound known"
    if flight.tokens_out_unset:
        return f"{told}, no limit set for the answers: at most {flight.tokens_out_max:,} out, as the model can write"
    return f"{told}, at most {flight.tokens_out_max:,} out" if flight.tokens_out_max else told


def _named(found: set[str]) -> tuple[str, str]:
    """The models or backends in words, and the first of them as a key of TOML."""
    names = [f'"{cell(name, 60)}"' for name in sorted(found)]
    return ", ".join(names[:NAMES_SHOWN]), names[0]
