"""The manual: one Markdown page a subject, as `batchtui help` and the app show them.

`contents.md` names every page and so gives their order; it is the page that is shown where none is named.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from batchtui.errors import BadInput, nearest

CONTENTS = "contents"
_LINK = re.compile(r"\]\(([a-z0-9-]+)\.md\)")
_HEADING = re.compile(r"#+ (.+)")


class Page(NamedTuple):
    """A page, its name as it is typed, and its text as Markdown."""

    name: str
    title: str
    text: str


class Hit(NamedTuple):
    """A line of a page, under the heading above it; lines count from 1."""

    page: str
    heading: str
    line: int
    text: str


@cache
def names() -> tuple[str, ...]:
    """Every page by name, in the order of the contents."""
    return (CONTENTS, *dict.fromkeys(_LINK.findall(_text(CONTENTS))))


@cache
def page(name: str) -> Page:
    """The page of that name. Raises BadInput, with the nearest name."""
    if name not in names():
        raise BadInput(f'the manual has no page "{name}"{nearest(name, names())}')
    text = _text(name)
    found = _HEADING.match(text)
    return Page(name, found[1] if found else name, text)


def search(words: str) -> list[Hit]:
    """Every line that holds the words, in any case, page after page."""
    wanted = words.casefold()
    hits = []
    for name in names():
        heading = ""
        for number, line in enumerate(_text(name).splitlines(), 1):
            if found := _HEADING.match(line):
                heading = found[1]
            if wanted in line.casefold():
                hits.append(Hit(name, heading, number, line.strip()))
    return hits


def _text(name: str) -> str:
    return (files(__package__) / f"{name}.md").read_text("utf-8")
