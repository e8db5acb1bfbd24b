"""The JSON values of a reply that is no single one: server-sent events, a value a line, or one with words around it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from batchtui.backends.wire.replies import decode_first
from batchtui.model import Json

_LINE = re.compile(r"\r\n|\n|\r")
_ASIDE = re.compile(r":|(?:id|retry)\s*:")
"""A comment, by which connections are kept alive, or a field of an event that says nothing of the answer."""
_DONE = "[DONE]"
_BLANK = re.compile(r"[\s,]*")


@dataclass(slots=True)
class Values:
    """What was read, in its order, each with the name of its event (empty: none)."""

    values: list[tuple[str, Json]] = field(default_factory=list)
    done: bool = False
    """Whether the server said that nothing follows."""
    torn: bool = False
    """Whether something followed that is no whole value."""


def read_values(text: str) -> Values:
    """As far as they can be read."""
    read = Values()
    name, parts = "", list[str]()
    for line in _LINE.split(text.removeprefix("\ufeff")):
        field_, colon, rest = line.partition(":")
        if colon and field_.strip() == "event":
            _decode(name, parts, read)
            name, parts = rest.strip(), []
        elif colon and field_.strip() == "data":
            parts.append(rest)
        elif not _ASIDE.match(line.lstrip()):
            parts.append(line)
    _decode(name, parts, read)
    return read


def _decode(name: str, parts: list[str], read: Values) -> None:
    """The values of one event, or of lines without one; a value may stand on several lines."""
    text = "\n".join(parts)
    at = _BLANK.match(text).end()  # type: ignore[union-attr]
    while at < len(text) and not read.torn:
        if text.startswith(_DONE, at):
            read.done, at = True, at + len(_DONE)
        else:
            try:
                value, at = decode_first(text, at)
            except ValueError:
                read.torn = True
                return
            read.values.append((name, value))
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
