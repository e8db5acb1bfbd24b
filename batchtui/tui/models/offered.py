"""The models of a backend: asked for in the background, with their prices where those are known."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from batchtui.amounts import counted
from batchtui.backends.base import Probe
from batchtui.config import Config
from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.pricing import Pricing
from batchtui.errors import BatchtuiError
from batchtui.tui.look import figures


@dataclass(frozen=True, slots=True)
class Models:
    """What a backend offers. `prices` is by model, empty text where nobody knows it; `fault` says why there are none.

    `noun` is what they are: models, or flows, which have no price.
    """

    prices: dict[str, str]
    fault: str = ""
    noun: str = "model"

    @property
    def names(self) -> list[str]:
        return list(self.prices)

    def about(self, model: str, key: str) -> str:
        """The line below the field; `key` opens the list."""
        if model in self.prices:
            return self.prices[model] or ("no price is known for it" if self.noun == "model" else "")
        if not self.prices:
            return ""
        start = f"{key} chooses from {counted(len(self.prices), self.noun)}"
        return f"{start}; this is none of them" if model and "{{" not in model else start


async def ask(config: Config, name: str) -> Probe:
    """Probe a backend over connections of its own, since the worker's belong to the worker's loop."""
    backends = Backends(config)
    try:
        return await backends.get(name).probe()
    except BatchtuiError as fault:
        return Probe(ok=False, message=str(fault))
    except Exception as fault:
        return Probe(ok=False, message=f"{type(fault).__name__}: {fault}")
    finally:
        await backends.close()


def models_of(config: Config, name: str, noun: str = "model") -> Models:
    """Blocks: for a thread."""
    probe = asyncio.run(ask(config, name))
    if not probe.ok or not probe.models:
        said = probe.message if not probe.ok else f"{name} does not say which {noun}s it has"
        return Models({}, said, noun)
    if noun != "model":
        return Models(dict.fromkeys(sorted(probe.models), ""), noun=noun)
    backend, pricing = Backends(config).get(name), Pricing(config)
    prices = {}
    for model in sorted(probe.models):
        known = pricing.known(backend, model)
        rates = known.rates(batch=backend.remote) if known else None
        prices[model] = price_words(rates.input, rates.output) if rates else ""
    return Models(prices)


def price_words(price_in: float, price_out: float) -> str:
    """`$0.15 in, $0.60 out, a million tokens`; of what nothing is paid for nothing is said."""
    sides = [
        f"{figures.dollars(price)} {side}" for price, side in ((price_in, "in"), (price_out, "out")) if price
    ]
    return ", ".join([*sides, "a million tokens"]) if sides else "free of charge"
