"""What every filter has in common: `/pattern/` looks by a regular expression, and a misspelt name of a field is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from batchtui.errors import BadInput, nearest
from batchtui.text import cell

Has = Callable[[str], bool]
SLOWEST = 0.25
"""Seconds that a pattern may look at one text: some, as `(a+)+b`, would take for ever at one that almost fits."""
_NAMED = re.compile(r"([A-Za-z_]\w{2,}):.+", re.DOTALL)


def finder(body: str) -> Has:
    """Whether a text holds the words of a term, or what its `/pattern/` matches; in either case.

    Raises BadInput for what is no pattern; so does the test for one that takes too long.
    """
    if is_pattern(body):
        return _searcher(body)
    part = body.replace('"', "").casefold()
    return lambda text: part in text.casefold()


def _searcher(body: str) -> Has:
    import regex  # `re` cannot be stopped

    try:
        pattern = regex.compile(body[1:-1], regex.IGNORECASE)
    except (regex.error, OverflowError, RecursionError) as fault:
        raise BadInput(
            f"{body} is no regular expression: {fault}; in quotes it is looked for as it is"
        ) from None

    def has(text: str) -> bool:
        try:
            return pattern.search(text, timeout=SLOWEST) is not None
        except TimeoutError:
            raise BadInput(
                f"{cell(body, 60)} takes too long to look for; a repetition of what repeats, as (a+)+, is better said once"
            ) from None

    return has


def is_pattern(body: str) -> bool:
    return len(body) > 2 and body.startswith("/") and body.endswith("/")


def refuse_misspelt(body: str, known: Iterable[str]) -> None:
    """Raises BadInput for `erorr:rate`, which would look for itself as text and find nothing."""
    match = _NAMED.fullmatch(body)
    if match and match[1].casefold() not in known and (meant := nearest(match[1].casefold(), known)):
        raise BadInput(f'there is no field "{match[1]}"{meant} In quotes it is looked for as text')
