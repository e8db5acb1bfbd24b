"""Batches whose submissions may cost 2.00 USD at most and cost a few cents in truth, and what became of the money."""

from __future__ import annotations

from pathlib import Path

import msgspec

from batchtui.config import Config
from batchtui.model import BatchSpec, Json
from batchtui.prices import Price
from batchtui.prices.rates import NANO
from batchtui.store.files.spend import Ledger, SpendLine
from tests.engine.bench import Bench

MOST = 2000
"""Tokens that an answer may have; a million of them costs 1,000 USD, half of that in a provider's batch."""
PRICE = Price(input=0.0, output=1000.0)


def price(config: Config, **limits: float) -> None:
    config.prices["demo-small"] = PRICE
    for name, value in limits.items():
        setattr(config.limits, name, value)


def spec(bench: Bench, backend: str, jobs: int, **limits: Json) -> BatchSpec:
    """Every two jobs of `openai` may cost 2.00 USD at most, as every one of `chat` may."""
    job = {"prompt": "{{ text }}", "model": "demo-small", "max_tokens": MOST}
    return bench.spec(backend, jobs, job, **limits)


def lines(data_dir: Path) -> list[SpendLine]:
    text = (data_dir / "spend.jsonl").read_bytes()
    return [msgspec.json.decode(line, type=SpendLine) for line in text.splitlines()]


def committed(data_dir: Path) -> list[float]:
    """USD spent and in flight, all batches together, after each line."""
    ledger, found = Ledger(), []
    for line in lines(data_dir):
        ledger.apply(line)
        spent = sum(sum(days.values()) for days in ledger.spent.values())
        found.append((spent + ledger.claimed()) / NANO)
    return found
