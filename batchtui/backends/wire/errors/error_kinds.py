"""Errors that mean one thing and have one name, whatever each server calls them."""

from __future__ import annotations

import re

TOO_LONG = "context_length_exceeded"
"""The prompt, with the answer that was asked for, does not fit what the model can hold."""
_CODES = frozenset(
    {
        TOO_LONG, "string_above_max_length", "exceed_context_size_error", "context_window_exceeded",
        "ContextWindowExceededError", "model_context_window_exceeded", "prompt_too_long",
    }
)  # fmt: skip
_OVERFLOW = re.compile(
    r"maximum context length|available context size|(?:prompt|input) is too long"
    r"|(?:context (?:length|window|size)|n_ctx)\b.{0,80}\b(?:exceed|overflow|too (?:small|long))"
    r"|(?:exceed|longer than|larger than|greater than|too (?:long|large) for|overflow)"
    r".{0,80}\b(?:context (?:length|window|size)|n_ctx)"
    r"|input token count.{0,40}exceeds|token count exceeds the model"
    r"|`?inputs`? (?:tokens )?(?:\+ `?max_new_tokens`? must be <=|must have less than \d+ tokens)",
    re.IGNORECASE | re.DOTALL,
)
_BY_STATUS = {401: "key", 403: "key", 402: "money", 408: "timeout", 413: "too_large", 429: "rate_limit"}


def one_name(code: str | None, words: str) -> str | None:
    """The code of an error under the one name of its kind; None where it has no code, and its words tell of none."""
    return TOO_LONG if code in _CODES or _OVERFLOW.search(words[:2000]) else code


def by_status(status: int) -> str:
    """The name of an error that has only a status."""
    return _BY_STATUS.get(status) or ("server" if status >= 500 else "refused")
