"""What is legal in a row and still deserves a word: keys of a provider, NUL, half characters."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|AIza[0-9A-Za-z_-]{35})"
)
_SECRET_SIGNS = ("sk-", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "AIza")
_NUL = re.compile(r"(?<!\\)\\u0000")
_HALF = re.compile(
    r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def warnings(text: str) -> list[str]:
    """Warnings about one row as it was written (JSON with its escapes, or cells)."""
    found: list[str] = []
    if any(sign in text for sign in _SECRET_SIGNS) and _SECRET.search(text):
        found.append("something that looks like a secret key; it would be sent and stored with the row")
    if "\\u" in text:
        if _NUL.search(text):
            found.append("a control character (\\u0000) inside a text; some backends refuse it")
        if _HALF.search(text):
            found.append("half of a character (a lone surrogate) inside a text; it is sent as its escape")
    return found


def mask_secrets(text: str) -> str:
    """The text with what looks like a key shown as dots, for previews."""
    return _SECRET.sub("•••", text)
