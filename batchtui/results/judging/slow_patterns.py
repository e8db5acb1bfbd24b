"""Patterns of a schema that may take for ever on an answer that almost fits them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchtui.model import Json

_ATOM = r"(?:\\.|\[(?:\\.|[^\]\\])*\]|[^()\[\]\\|*+?{}])"
_NESTED = re.compile(rf"\((?:\?:|\?P<\w+>)?(?:{_ATOM}[*+?]\??)*{_ATOM}[*+]\??(?:{_ATOM}[*+?]\??)*\)[*+]")
"""A repetition without end of what may itself be repeated without end, and nothing fixed between, as in (a+)+."""


def slow_patterns(schema: Json, place: str = "$") -> Iterator[str]:
    """Where such patterns stand, as `$.properties.a.pattern`."""
    waiting = [(place, schema)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{place}[{number}]", inner) for number, inner in enumerate(value)]
        elif isinstance(value, dict):
            pattern = value.get("pattern")
            if isinstance(pattern, str) and _NESTED.search(pattern):
                yield f"{place}.pattern"
            waiting += [(f"{place}.{key}", inner) for key, inner in value.items()]
