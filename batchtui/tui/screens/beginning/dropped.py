"""The path in what a terminal pastes when a file is dropped on it: quoted, escaped, or as an address."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from batchtui.errors import BadInput
from batchtui.text import cell

_LONGEST = 4096
"""Bytes of a path that Linux takes; what is longer is a text."""


def dropped_path(text: str, base: Path) -> Path:
    """The first reading of `text` that names something that is there. Raises BadInput with what was looked for."""
    text = text.strip()
    if not text or "\0" in text or len(text) > _LONGEST:
        raise BadInput("that is no path: drop a file here, or type where it is")
    readings = list(dict.fromkeys(_readings(text)))
    for reading in readings:
        with suppress(OSError, RuntimeError):
            if (path := base / Path(reading).expanduser()).exists():
                return path
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return dropped_path(lines[0], base)
    raise BadInput(f"{cell(readings[-1], 200)}: no such file; a relative path starts from {cell(base, 200)}")


def _readings(text: str) -> Iterator[str]:
    """As it stands; then as a shell reads it, which undoes quotes and escaped blanks; each as an address too."""
    yield text
    with suppress(ValueError):
        words = shlex.split(text)
        yield from _address(words[0]) if words else ()
    yield from _address(text)


def _address(text: str) -> Iterator[str]:
    """The path of a `file://` address, whose blanks are escaped as `%20`; else the text itself."""
    if text.lower().startswith("file://"):
        with suppress(ValueError):
            yield unquote(urlsplit(text).path)
    else:
        yield text
