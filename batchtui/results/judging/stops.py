"""Why a model stopped, in the words of every provider: one table that reading, judging and showing go by."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Stop(StrEnum):
    """What a finish reason means for the answer that came with it."""

    DONE = "done"
    LENGTH = "length"
    FILTER = "filter"
    REFUSAL = "refusal"
    PAUSE = "pause"
    ERROR = "error"
    UNKNOWN = "unknown"
    """A word of none of these: the answer may be whole or not."""


_WORDS = {
    Stop.DONE: (
        "", "stop", "stopped", "stop_sequence", "stop_token", "stop_str", "eos", "eos_token", "eos_found", "eot", "end",
        "end_turn", "end_of_turn", "end_of_text", "complete", "completed", "done", "finish", "finished", "success",
        "succeeded", "requires_action", "tool_call", "tool_calls", "tool_use", "tools", "function_call",
        "function_calls", "none", "null", "unspecified", "finish_reason_unspecified",
    ),
    Stop.LENGTH: (
        "length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens", "max_length",
        "model_length", "token_limit", "context_length_exceeded", "model_context_window_exceeded",
    ),
    Stop.FILTER: (
        "content_filter", "content_filtered", "safety", "recitation", "language", "blocklist", "prohibited_content",
        "spii", "sensitive", "guardrail_intervened", "image_safety", "image_prohibited_content", "image_recitation",
    ),
    Stop.REFUSAL: ("refusal",),
    Stop.PAUSE: ("pause_turn", "incomplete"),
    Stop.ERROR: (
        "error", "failed", "cancelled", "canceled", "abort", "aborted", "network_error",
        "insufficient_system_resource",
    ),
}  # fmt: skip
_STOPS = {word: stop for stop, words in _WORDS.items() for word in words}
_PARTS = {
    Stop.ERROR: (
        "error", "fail", "failed", "failure", "fault", "abort", "aborted", "cancel", "cancelled", "canceled", "crashed",
        "exception", "malformed", "overloaded", "disconnect", "disconnected", "killed", "unavailable",
    ),
    Stop.FILTER: (
        "filter", "filtered", "safety", "blocked", "prohibited", "moderation", "moderated", "toxic", "policy", "guardrail",
        "guardrails",
    ),
    Stop.LENGTH: ("length", "tokens", "context", "truncated", "truncation"),
    Stop.REFUSAL: ("refused",),
    Stop.PAUSE: (
        "timeout", "timed", "time", "deadline", "interrupt", "interrupted", "pause", "paused", "unfinished", "partial",
        "repetition", "preempted",
    ),
}  # fmt: skip
"""Of a word that stands in no table, what one part of it tells."""
_FLAGS = {
    Stop.LENGTH: "cut off at its token limit",
    Stop.FILTER: "cut off by the provider's filter",
    Stop.PAUSE: "it ended before it was done",
    Stop.UNKNOWN: "it ended for a reason that is not known here, so that it may not be whole",
}


@lru_cache(maxsize=256)
def stop_of(finish_reason: str | None) -> Stop:
    """What the provider's word means."""
    word = re.sub(r"[\s.\-]+", "_", (finish_reason or "")[:80].strip()).casefold()
    if (known := _STOPS.get(word)) is not None:
        return known
    parts = set(word.split("_"))
    return next((stop for stop, told in _PARTS.items() if parts.intersection(told)), Stop.UNKNOWN)


def flag_of(finish_reason: str | None) -> str | None:
    """What must be said beside an answer that is there, and is not all that it would have been; None: nothing."""
    words = _FLAGS.get(stop_of(finish_reason))
    return f"{words} ({finish_reason})" if words else None
