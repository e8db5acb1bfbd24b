"""What an answer used, from the words of each provider: tokens of a cache and of thinking where they are told."""

from __future__ import annotations

import re

from batchtui.model import Json
from batchtui.prices.rates import Tokens

_COUNTS = (
    "input_tokens", "output_tokens", "prompt_tokens", "completion_tokens", "cache_read_input_tokens",
    "cache_creation_input_tokens", "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount",
    "toolUsePromptTokenCount",
)  # fmt: skip


def tokens_of(usage: Json, input_tokens: int | None, output_tokens: int | None) -> Tokens | None:
    """`usage` as the provider wrote it, else the plain counts. None where either side is unknown.

    A usage with a count that cannot be one is left aside as a whole: part of it would make the cost too small.
    """
    told = usage if isinstance(usage, dict) else {}
    if any(told.get(key) is not None and count(told[key]) is None for key in _COUNTS):
        told = {}
    found = _gemini(told) or _anthropic(told) or _openai(told)
    if found is not None:
        return Tokens(found.input, max(found.output, output_tokens or 0), found.cached, found.written)
    if input_tokens is None or output_tokens is None:
        return None
    return Tokens(input_tokens, output_tokens)


def count(value: Json) -> int | None:
    """A count of tokens as it can be trusted, also as `11.0` or `"11"`; a negative or worded one would make the cost
    wrong, and is None."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,16}(?:\.0+)?\s*", value, re.ASCII):
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _count(told: dict[str, Json], key: str) -> int | None:
    return count(told.get(key))


def _anthropic(told: dict[str, Json]) -> Tokens | None:
    """What the cache gave and took stands beside `input_tokens`."""
    read, written = _count(told, "cache_read_input_tokens"), _count(told, "cache_creation_input_tokens")
    asked, made = _count(told, "input_tokens"), _count(told, "output_tokens")
    if (read is None and written is None) or asked is None or made is None:
        return None
    return Tokens(asked, made, read or 0, written or 0)


def _openai(told: dict[str, Json]) -> Tokens | None:
    """What the cache gave is part of the prompt's tokens, what was thought part of the completion's."""
    for prompt, made_key in (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")):
        asked, made = _count(told, prompt), _count(told, made_key)
        if asked is None:
            continue
        if made is None and _count(told, "total_tokens") == asked:
            made = 0  # embeddings make none
        if made is None:
            continue
        details = told.get(f"{prompt}_details")
        cached = _count(details, "cached_tokens") if isinstance(details, dict) else None
        cached = min(cached or 0, asked)
        return Tokens(asked - cached, made, cached)
    return None


def _gemini(told: dict[str, Json]) -> Tokens | None:
    """What was thought is billed as output, and stands beside the candidates' tokens."""
    asked = _count(told, "promptTokenCount")
    if asked is None:
        return None
    asked += _count(told, "toolUsePromptTokenCount") or 0
    made = (_count(told, "candidatesTokenCount") or 0) + (_count(told, "thoughtsTokenCount") or 0)
    cached = min(_count(told, "cachedContentTokenCount") or 0, asked)
    return Tokens(asked - cached, made, cached)
