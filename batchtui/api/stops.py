"""Why a batch does not go on by itself, as the exception that tells it."""

from __future__ import annotations

from batchtui.errors import BatchtuiError, ConfigError, LimitHit, Unreachable
from batchtui.model import Attention, BatchStatus
from batchtui.text import cell


class NeedsPerson(BatchtuiError):
    """The batch waits for a decision, such as a submission of which nobody can tell whether it was made."""


_BY_KIND: dict[str, type[BatchtuiError]] = {
    "budget": LimitHit,
    "price": LimitHit,
    "bound": LimitHit,
    "key": ConfigError,
    "account": ConfigError,
    "proxy": ConfigError,
    "address": ConfigError,
    "money": Unreachable,
}
_WHAT_NEXT = {
    "price": "run.release() sends them all the same",
    "bound": "run.release() sends them with that bound",
    "canary": "read its results, then run.release() or run.cancel()",
    "unsure": "run.resolve(…) takes resend, adopt or abandon",
    "forgotten": "run.resolve(…) takes resend or abandon",
}


def stopped(status: BatchStatus, attention: list[Attention]) -> BatchtuiError:
    """The exception for what needs a person, with what to do about it."""
    first = attention[0]
    what_next = _WHAT_NEXT.get(first.kind, "once that is settled, run.resume() goes on")
    if first.limit_usd is not None:
        what_next = f"here that is run.limit(cost_usd={first.limit_usd:.2f})"
    text = "; ".join(cell(item.text, 300) for item in attention)
    return _BY_KIND.get(first.kind, NeedsPerson)(f"{label(status)} cannot go on: {text}; {what_next}")


def label(status: BatchStatus) -> str:
    return f"batch {cell(status.name, 60)} ({status.id})"
