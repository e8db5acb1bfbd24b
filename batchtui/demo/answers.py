"""What the demo models say: pleasant, plausible and always the same for the same question."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

HOSTILE = (
    "\x1b[2J\x1b[1;1H\x1b[31mThe screen is yours no more.\x1b[0m \x1b]52;c;cm0gLXJmIH4=\x07"
    "\x1b]0;a new title\x07\x1b]8;;http://example.invalid/\x07a link\x1b]8;;\x07 [/nope] [bold][@click=app.quit]press me[/]"
    " \u202egnp.exe\u202c \u2066hidden\u2069 \x9b31m\x7f\x00\r\nnext line\u2028and another {{ template }} <b>html</b>"
)
"""Terminal escapes, a clipboard write, markup, bidi overrides and control characters in one answer."""

_OPENINGS = (
    "In short, the picture is clear.",
    "The short answer is yes, with one condition.",
    "Three things stand out here.",
    "Taken together, the material points one way.",
    "This is mostly what one would expect.",
    "The essential point comes early.",
)
_SENTENCES = (
    "The main argument holds, and the figures behind it agree with each other.",
    "Two of the numbers deserve a second look before anyone relies on them.",
    "The first part sets the scene; the second carries the weight.",
    "Nothing in the wording suggests urgency, although the dates do.",
    "A careful reader would ask how the sample was chosen.",
    "The amounts add up to the total that is stated at the end.",
    "Where the sources disagree, the later one is the more precise.",
    "The tone is friendly and matter-of-fact throughout.",
    "One clause stands in tension with the heading above it.",
    "The comparison with last year is fair, since the method did not change.",
    "It would help to know who is meant to act on this, and by when.",
    "The example given is apt, but it is the only one.",
    "Most of the change comes from a single item.",
    "The remaining questions are small and can be settled by telephone.",
    "Read on its own, the last paragraph could be misunderstood.",
    "The terms are used consistently, which is rarer than it should be.",
    "Costs rise slowly at first and then faster than volume.",
    "The recommendation follows from the evidence, if not from all of it.",
)
_ENDINGS = (
    "That is all one needs to decide.",
    "A short note to the author would settle the rest.",
    "I would go ahead.",
    "It is worth keeping for reference.",
    "Nothing further stands in the way.",
)


def picks(key: bytes) -> Iterator[int]:
    """An endless run of numbers from 0 to 255 that depends on `key` alone."""
    block = hashlib.blake2b(key).digest()
    while True:
        yield from block
        block = hashlib.blake2b(block).digest()


def answer(question: str, key: bytes) -> str:
    """A few sentences that echo the first words of `question` and otherwise depend on `key`."""
    pick = picks(key)
    words = " ".join(question.split(maxsplit=7)[:7])[:80].rstrip(".,:;!?")
    start = next(pick)
    count = 1 + next(pick) % 7
    if next(pick) < 20:
        count *= 5  # now and then a long one
    middle = (_SENTENCES[(start + (5 + next(pick) % 3 * 2) * n) % len(_SENTENCES)] for n in range(count))
    sentences = [_OPENINGS[start % len(_OPENINGS)], *middle, _ENDINGS[next(pick) % len(_ENDINGS)]]
    paragraphs = [" ".join(sentences[n : n + 5]) for n in range(0, len(sentences), 5)]
    return f"On “{words}”: " + "\n\n".join(paragraphs)


def tokens(text: str) -> int:
    """Roughly what a tokenizer would count: four characters each."""
    return (len(text) + 3) // 4


def shorten(text: str, limit: int | None) -> tuple[str, bool]:
    """The text within `limit` tokens, and whether it was cut."""
    if limit is None or tokens(text) <= limit:
        return text, False
    return text[: limit * 4], True
