"""Whether a server says that its model is on its way into memory, and not that it could not be loaded."""

from __future__ import annotations

import re

_LOADING = re.compile(
    r"\bloading (?:the )?model\b|\bmodel\b.{0,200}?\b(?:(?:is|are|still|currently) loading|being loaded)\b"
    r"|\b(?:currently|still) loading\b|\bmodel (?:is )?loading\b|\b(?:model|server)\b.{0,80}\bwarming up\b"
    r"|\bmodel\b.{0,200}?\bnot (?:yet (?:loaded|ready)|(?:loaded|ready) yet)\b",
    re.I,
)
_NOT_LOADED = re.compile(
    r"\b(?:error|fail\w*|problem|crash\w*) (?:while |when |on |in |to )?(?:be )?load|\bload\w* .{0,80}\bfail|\bcrash"
    r"|\b(?:cannot|can't|could not|unable to|not) (?:be )?load(?!ed yet)",
    re.I,
)


def may_be_loading(status: int) -> bool:
    """Whether a reply of this status can say so: of others, such words are about what was asked."""
    return status in (409, 425) or status >= 500


def is_loading(*said: str | None) -> bool:
    """Whether the words, or the code, say so."""
    texts = [text[:2000].replace("_", " ") for text in said if text]
    return any(map(_LOADING.search, texts)) and not any(map(_NOT_LOADED.search, texts))
