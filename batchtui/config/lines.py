"""On which line of config.toml a key stands, so that what is wrong with it can be found at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from batchtui.errors import ConfigError
from batchtui.text import cell
from batchtui.toml_file import read_text

PREFIX = "config: "
"""What a fault of a table begins with before anyone has looked for its line."""
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|=|\]|$)""")
_INDEX = re.compile(r"\[[^]]*\]")


def placed(fault: ConfigError, path: Path) -> ConfigError:
    """The same fault with file and line in front of its key; as it is where the file does not say such a thing."""
    said = str(fault)
    key = said.removeprefix(PREFIX).partition(": ")[0]
    line = line_of(path, key) if said.startswith(PREFIX) else None
    return fault if line is None else type(fault)(f"{cell(path)}:{line}: {said.removeprefix(PREFIX)}")


def line_of(path: Path, key: str) -> int | None:
    """The line of `backends.x.submit.path`, or of the nearest table around it that the file has."""
    try:
        text = read_text(path, ConfigError)
    except ConfigError:
        return None
    plain = _INDEX.sub("", key)
    wanted = _names(f"{plain}=") or plain.split(".")
    best, found = 1, None  # every key is in `backends`
    for number, names in _keys(text):
        shared = 0
        for name, other in zip(names, wanted, strict=False):
            if name != other:
                break
            shared += 1
        if shared > best and shared == len(names):
            best, found = shared, number
    return found


def _keys(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each key and table with its line; what stands inside a value on one line has the line of that."""
    table: list[str] = []
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        stripped = line.strip()
        if stripped.startswith("["):
            table = _names(stripped.lstrip("["))
            yield number, table
        elif stripped and not stripped.startswith("#"):
            if names := _names(stripped):
                yield number, [*table, *names]
            for quotes in ('"""', "'''"):
                if line.count(quotes) == 1:
                    closing = quotes


def _names(text: str) -> list[str]:
    """The parts of a dotted key up to its end; none where there is no key."""
    names: list[str] = []
    at = 0
    while match := _PART.match(text, at):
        names.append(next(part for part in match.groups()[:3] if part is not None))
        if match[4] != ".":
            return names if match[4] else []
        at = match.end()
    return []
