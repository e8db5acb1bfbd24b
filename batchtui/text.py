"""Outside text made safe to show: model output, provider errors, ids and file names are hostile until cleaned.

Data on disk and in exports stays word for word; only what is shown goes through here. Replacement is one
for one: taking a sequence out could join its two halves into a new one.
"""

from __future__ import annotations

import re

from batchtui.masking import REACH, SHORTEST, mask

CELL_LIMIT = 200
"""Characters of a one-line cell, as many as any screen shows."""
LINE_LIMIT = 4096
"""Characters of one line in a viewer."""
MARKS_LIMIT = 8
"""Combining marks kept on one base character."""
JOINS_LIMIT = 8
"""Characters joined to one by zero width joiners; the longest emoji that there is has three."""

_PICTURES = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: 0x2421}
_HIDDEN = (
    (0x80, 0x9F),  # C1: 0x9B is CSI for many terminals
    (0xAD, 0xAD),
    (0x061C, 0x061C),
    (0x180E, 0x180E),
    (0x200B, 0x200B),  # zero width space; the joiners after it stay, scripts and emoji need them
    (0x200E, 0x200F),
    (0x2028, 0x202E),  # line and paragraph separators, bidi embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidi isolates
    (0xD800, 0xDFFF),  # lone halves
    (0xFEFF, 0xFEFF),
    (0xFDD0, 0xFDEF),  # noncharacters, here and at the end of each plane
    (0xFFF9, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0xE0000, 0xE007F),  # tag characters
    (0xE0100, 0xE01EF),  # variation selectors supplement
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0x10000, 0x110000, 0x10000)),
)
_TABLE = _PICTURES | {code: 0xFFFD for first, last in _HIDDEN for code in range(first, last + 1)}
# Ranges, since a class of single characters is a hundred times slower.
_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f" + "".join(f"{chr(a)}-{chr(b)}" for a, b in _HIDDEN) + "]")
_COMBINING = (
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    r"\ufe00-\ufe0f\ufe20-\ufe2f\u1160-\u11ff\u3099\u309a\u200c\u200d]"
)
_MARKS = re.compile(f"({_COMBINING}{_COMBINING}{{{MARKS_LIMIT - 1}}}){_COMBINING}+")
_JOINED = r"\u200d[^\u200d\x00-\x7f]{1,3}"
_JOINS = re.compile(f"((?:{_JOINED}){{{JOINS_LIMIT}}})((?:{_JOINED})+\u200d?)")


def clean(text: str) -> str:
    """The text with every character that could act on a terminal shown instead; newlines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    if _BAD.search(text):
        text = text.translate(_TABLE)
    if text.isascii():
        return text
    text = _MARKS.sub(r"\1", text)
    return _JOINS.sub(_apart, text) if "\u200d" in text else text


def _apart(match: re.Match[str]) -> str:
    """Characters without end would stand in one place, and all be sent for it: those beyond a few stand for themselves."""
    return match[1] + match[2].replace("\u200d", "")


def clean_count(text: str) -> int:
    """How many characters `clean` would replace."""
    return len(_BAD.findall(text))


def cell(text: object, limit: int = CELL_LIMIT) -> str:
    """One clean line of at most `limit` characters, for a table cell, a title or a message."""
    raw = str(text)
    if len(raw) >= SHORTEST:
        raw = mask(raw[: limit + REACH])
    short = clean(raw[: limit + 1]).replace("\n", "\u240a").replace("\t", " ")
    return short if len(raw) <= limit else short[: limit - 1] + "…"


def page(text: str, limit: int = 64_000, lines: int = 2000) -> str:
    """A screenful for a viewer: at most `limit` characters and `lines` lines, each cut at LINE_LIMIT, clean."""
    text = mask(text[: limit + REACH]) + text[limit + REACH :]
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
    """A key that cannot be shown or stored by accident: `repr`, `str` and tracebacks see only dots, pickle refuses."""

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

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")
