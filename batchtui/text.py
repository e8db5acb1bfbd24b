"""Outside text made safe to show: model output, provider errors, ids and file names are hostile until cleaned.

Data on disk and in exports stays word for word; only what is shown goes through here. Replacement is one
for one: taking a sequence out could join its two halves into a new one.
"""

from __future__ import annotations

import re

CELL_LIMIT = 200
"""Characters of a one-line cell, as many as any screen shows."""
LINE_LIMIT = 4096
"""Characters of one line in a viewer."""
MARKS_LIMIT = 8
"""Combining marks kept on one base character."""

_PICTURES = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: 0x2421}
_HIDDEN = (
    list(range(0x80, 0xA0))  # C1: 0x9B is CSI for many terminals
    + list(range(0x200B, 0x200C))  # zero width space; joiners stay, scripts and emoji need them
    + [0x200E, 0x200F, 0x061C, 0x00AD, 0x180E]
    + list(range(0x2028, 0x202F))  # line and paragraph separators, bidi embeddings and overrides
    + list(range(0x2060, 0x2070))  # word joiner, invisible operators, bidi isolates
    + [0xFEFF]
    + list(range(0xFFF9, 0xFFFC))
    + list(range(0xE0000, 0xE0080))  # tag characters
    + list(range(0xE0100, 0xE01F0))  # variation selectors supplement
)
_TABLE: dict[int, int] = (
    _PICTURES | dict.fromkeys(_HIDDEN, 0xFFFD) | dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
)
_BAD = re.compile("[" + "".join(re.escape(chr(code)) for code in sorted(_TABLE)) + "]")
_COMBINING = r"[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
_MARKS = re.compile(f"({_COMBINING}{{{MARKS_LIMIT}}}){_COMBINING}+")


def clean(text: str) -> str:
    """The text with every character that could act on a terminal shown instead; newlines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _BAD.sub(lambda match: chr(_TABLE[ord(match[0])]), text)
    return text if text.isascii() else _MARKS.sub(r"\1", text)


def clean_count(text: str) -> int:
    """How many characters `clean` would replace."""
    return len(_BAD.findall(text))


def cell(text: object, limit: int = CELL_LIMIT) -> str:
    """One clean line of at most `limit` characters, for a table cell, a title or a message."""
    raw = str(text)
    short = clean(raw[: limit + 1]).replace("\n", "\u240a").replace("\t", " ")
    return short if len(raw) <= limit else short[: limit - 1] + "…"


def page(text: str, limit: int = 64_000, lines: int = 2000) -> str:
    """A screenful for a viewer: at most `limit` characters and `lines` lines, each cut at LINE_LIMIT, clean."""
    cut = text[:limit]
    rows = cut.split("\n")
    more = len(text) - len(cut) + sum(len(row) + 1 for row in rows[lines:])
    shown = [
        row if len(row) <= LINE_LIMIT else f"{row[:LINE_LIMIT]} … +{len(row) - LINE_LIMIT}"
        for row in rows[:lines]
    ]
    tail = f"\n… {more:,} more characters; write or export the result to read them" if more > 0 else ""
    return clean("\n".join(shown)) + tail


class Secret:
    """A key that cannot be shown by accident: `repr`, `str` and tracebacks see only dots."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)
