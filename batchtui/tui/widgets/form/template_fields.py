"""`{{ fields }}` as one types them: where they stand, which of them no column is, and what completes one. No Textual here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

_FIELD = re.compile(r"\{\{(.*?)\}\}")
_NAME = re.compile(r"\s*([^\W\d]\w*)")
_OPEN = re.compile(r"\{\{\s*([\w.]*)$")
_CLOSE = re.compile(r"[\w.]*\s*\}\}")
ROW = "row"
"""`row["a name"]` reaches every column."""


class Place(NamedTuple):
    start: int
    end: int
    known: bool


def fields(line: str, columns: Collection[str]) -> Iterator[Place]:
    """Every field of a line; without columns nothing is known to be wrong."""
    for match in _FIELD.finditer(line):
        name = _NAME.match(match[1])
        wrong = columns and name is not None and name[1] != ROW and name[1] not in columns
        yield Place(*match.span(), known=not wrong)


def unfinished(before: str, after: str) -> tuple[int, int]:
    """How many characters before and behind the cursor are a field that is being typed: `{{ spe` and ` }}`."""
    opened = _OPEN.search(before)
    if opened is None:
        return 0, 0
    closed = _CLOSE.match(after)
    return len(opened[0]), len(closed[0]) if closed else 0


def completion(before: str, after: str, columns: Sequence[str]) -> str:
    """What is still missing of the first column that goes on so; empty where nothing was typed of it, or none does."""
    opened = _OPEN.search(before)
    if opened is None or not opened[1] or after.strip():
        return ""
    name = next((name for name in columns if name.isidentifier() and name.startswith(opened[1])), "")
    return f"{name.removeprefix(opened[1])} }}}}" if name else ""
