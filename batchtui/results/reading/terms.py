"""What every filter has in common: `/pattern/` looks by a regular expression, and a misspelt name of a field is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from batchtui.errors import BadInput, nearest

Has = Callable[[str], bool]
_NAMED = re.compile(r"([A-Za-z_]\w{2,}):.+", re.DOTALL)


def finder(body: str) -> Has:
    """Whether a text holds the words of a term, or what its `/pattern/` matches; in either case. Raises BadInput."""
    if is_pattern(body):
        try:
            return _searcher(re.compile(body[1:-1], re.IGNORECASE))
        except (re.error, OverflowError, RecursionError) as fault:
            raise BadInput(
                f"{body} is no regular expression: {fault}; in quotes it is looked for as it is"
            ) from None
    part = body.replace('"', "").casefold()
    return lambda text: part in text.casefold()


def _searcher(pattern: re.Pattern[str]) -> Has:
    return lambda text: pattern.search(text) is not None


def is_pattern(body: str) -> bool:
    return len(body) > 2 and body.startswith("/") and body.endswith("/")


def refuse_misspelt(body: str, known: Iterable[str]) -> None:
    """Raises BadInput for `erorr:rate`, which would look for itself as text and find nothing."""
    match = _NAMED.fullmatch(body)
    if match and match[1].casefold() not in known and (meant := nearest(match[1].casefold(), known)):
        raise BadInput(f'there is no field "{match[1]}"{meant} In quotes it is looked for as text')
