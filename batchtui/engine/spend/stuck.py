"""What a person is told where money holds jobs back and nothing in flight can free any: why, and what would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from batchtui.amounts import NANO, counted, dollars
from batchtui.engine.spend.spending import Refusal
from batchtui.model import Json
from batchtui.prices import nano

MOST_WEIGHED = 20_000
"""Jobs that are weighed in one go, which takes a fifth of a second; of more only what the next ones need is told."""
_CENT = NANO // 100


def need(
    batch: str, refusal: Refusal, pending: list[int], weigh: Callable[[Iterable[int]], float | None]
) -> dict[str, Json]:
    """The fields of what needs a person; `weigh` tells the most that jobs may cost."""
    count = len(pending)
    if refusal.kind == "queue":
        waits = f"{counted(count, 'job')} {'waits' if count == 1 else 'wait'}"
        return {
            "text": f"{waits}: {refusal.text}, by batches that nobody drives: batchtui resume",
            "actions": ["resume"],
        }
    text = f"the cost limit holds back {counted(count, 'job')}: {refusal.text}"
    if refusal.kind != "batch":
        remedy = "raise limits.cost_usd_per_day in the config, or resume tomorrow"
        return {"text": f"{text}; {remedy}: batchtui resume {batch}", "actions": ["resume"]}
    enough, goes = _enough(refusal, pending, weigh)
    remedy = f"a limit of {dollars(enough)} lets {goes}: batchtui limit {batch} cost_usd={enough:.2f}"
    return {"text": f"{text}; {remedy}", "actions": ["limit"], "limit_usd": enough}


def _enough(
    refusal: Refusal, pending: list[int], weigh: Callable[[Iterable[int]], float | None]
) -> tuple[float, str]:
    """A limit under which what waits can go, in whole cents, and how much of it that is."""
    most = weigh(pending) if len(pending) <= MOST_WEIGHED else None
    least = refusal.committed + refusal.asked
    if most is None:
        return _cents(least), "the next ones go"
    everything = "it go" if len(pending) == 1 else "all of them go"
    return _cents(max(least, refusal.committed + nano(most))), everything


def _cents(amount: int) -> float:
    return -(-amount // _CENT) / 100
