"""What is legal in a row and still deserves a word: keys of a provider, NUL, half characters."""

from __future__ import annotations

import re

from batchtui.masking import may_hold_key

_NUL = re.compile(r"(?<!\\)\\u0000")
_HALF = re.compile(
    r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def warnings(text: str) -> list[str]:
    """Warnings about one row as it was written (JSON with its escapes, or cells)."""
    found: list[str] = []
    if may_hold_key(text):
        found.append("something that looks like a secret key; it would be sent and stored with the row")
    if "\\u" in text:
        if _NUL.search(text):
            found.append("a control character (\\u0000) inside a text; some backends refuse it")
        if _HALF.search(text):
            found.append("half of a character (a lone surrogate) inside a text; it is sent as its escape")
    return found
