"""Texts that are not UTF-8: read as `[source] encoding` says, and handed on as UTF-8."""

from __future__ import annotations

import codecs
import io
from encodings.aliases import aliases
from typing import BinaryIO

from batchtui.errors import nearest
from batchtui.sources.faults import BadSource
from batchtui.text import cell

USUAL = ("utf-8", "utf-16", "cp1252", "latin-1", "iso-8859-15", "cp1250", "mac-roman", "shift_jis", "gb18030")
_PIECE = 64 * 1024


def known_encoding(name: str | None) -> str | None:
    """The encoding by Python's own name; None for UTF-8, which needs no help. Raises BadSource."""
    if name is None:
        return None
    try:
        found = codecs.lookup(name)
        "".encode(name)  # refuses what is no encoding of texts
    except (LookupError, ValueError):
        known = [*USUAL, *(alias.replace("_", "-") for alias in aliases)]
        hint = nearest(name.lower(), known) or f"; usual ones are {', '.join(USUAL)}"
        raise BadSource(f'no encoding "{cell(name, 40)}"{hint}', key="source.encoding") from None
    return None if found.name in ("utf-8", "utf-8-sig") else found.name


class Recoded(io.RawIOBase):
    """The bytes of a stream in another encoding, as UTF-8. Raises OSError where they are not in it."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(stream, encoding, newline="")
        self._encoding = encoding
        self._left = b""
        self._line = 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            try:
                piece = self._text.read(_PIECE)
            except UnicodeError as fault:
                reason = cell(getattr(fault, "reason", fault))
                raise OSError(
                    f"not {self._encoding} ({reason}, at or behind line {self._line:,}); is source.encoding right?"
                ) from None
            self._line += piece.count("\n")
            self._left = piece.encode("utf-8", "surrogatepass")
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        self._text.close()
        super().close()
