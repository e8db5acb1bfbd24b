"""Queues of tokens: how much of one model a provider takes in at a time, by account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from batchtui.catalog import card_of

if TYPE_CHECKING:
    from batchtui.backends.base import Backend

_FULL = re.compile(r"token_limit_exceeded|enqueued[ _]tokens?[ _](?:limit|quota)", re.IGNORECASE)
_SIZE = re.compile(r"limit:?\s*([\d,]{4,})", re.IGNORECASE)


def queue_of(backend: Backend[msgspec.Struct], model: str | None) -> tuple[str, int | None]:
    """The name of the queue of this account and model, and its size in tokens; None where nobody has said it yet.

    Where it depends on the account (OpenAI's and Gemini's tiers), `enqueued_tokens` of the backend's table says it, or
    the provider does when it refuses more.
    """
    set_, card = backend.setup.settings.enqueued_tokens, card_of(backend.kind)
    sizes = {"": set_} if isinstance(set_, int) else set_ or (card.queue_tokens if card else {})
    return f"{backend.account()}/{model or ''}", sizes.get(model or "", sizes.get(""))


def is_full(error: str | None) -> bool:
    """Whether these words of a provider say that its queue takes no more now."""
    return bool(error and _FULL.search(error))


def size_told(error: str) -> int | None:
    """The queue's size, where the refusal names it (`Limit: 90,000 enqueued tokens`)."""
    found = _SIZE.search(error)
    return int(found[1].replace(",", "")) if found else None


def held_by(kind: str, message: str) -> str:
    """The kind of what holds a submission back: the queue of tokens that its backend says is full, or its fault."""
    return "queue" if is_full(message) else kind
