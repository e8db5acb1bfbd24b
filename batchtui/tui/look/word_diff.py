"""Two texts beside one another, by words: what only one of them has is set off in it."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from textual.content import Content

_PIECES = re.compile(r"\s+|\w+|[^\w\s]")
MOST_PIECES = 6000
"""Beyond this the texts are shown as they are: to compare them takes the square of it at worst."""
ONLY_LEFT, ONLY_RIGHT = "bold underline $text-error", "bold underline $text-success"


def word_diff(left: str, right: str) -> tuple[Content, Content]:
    """Both texts, which were cleaned before; told apart by weight and line as well as by colour."""
    mine, others = _PIECES.findall(left), _PIECES.findall(right)
    one, other = Content(left), Content(right)
    if left == right or max(len(mine), len(others)) > MOST_PIECES:
        return one, other
    starts, ends = _places(mine), _places(others)
    for tag, a, b, c, d in SequenceMatcher(None, mine, others, autojunk=len(mine) > 1000).get_opcodes():
        if tag != "equal":
            one = one.stylize(ONLY_LEFT, starts[a], starts[b]) if b > a else one
            other = other.stylize(ONLY_RIGHT, ends[c], ends[d]) if d > c else other
    return one, other


def _places(pieces: list[str]) -> list[int]:
    """Where each piece begins, and where the last one ends."""
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places
