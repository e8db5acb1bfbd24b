"""The rows of a download, a line each, in whatever form a server laid them down.

Lines of JSON in UTF-8 are the rule, and pass as they are. UTF-16, and one JSON list of all rows, are made lines of: the
former by its mark or its zeros, the latter by the bracket that it begins with.
"""

from __future__ import annotations

import codecs
import re
from typing import Protocol

LINE_LIMIT = 64_000_000
"""Bytes of a row."""
_LEAST, _MOST = 4, 256
"""Bytes that show the encoding, and what it begins with; spaces are passed over up to so many."""
_SIGNATURE = b"\xef\xbb\xbf"
_INSIDE, _IN_TEXT, _BETWEEN = re.compile(rb'["{}\[\],]'), re.compile(rb'["\\]'), re.compile(rb"[\[\n]")
_CUT = b"["
"""Behind the last row of a list without its end: no JSON, and no LF, as of a line that was cut."""


class _Splitter(Protocol):
    def feed(self, data: bytes) -> list[bytes]: ...

    def end(self) -> list[bytes]: ...


class Rows:
    """Lines with their LF; a last one without it was cut. Of one over `limit` bytes its first ones only."""

    def __init__(self, limit: int) -> None:
        self._limit, self._head = limit, b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._splitter: _Splitter | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The rows that these bytes end."""
        if self._splitter is None:
            data = self._head = self._head + data
            if not self._begins(data):
                return []
        assert self._splitter
        return self._splitter.feed(self._plain(data))

    def end(self) -> list[bytes]:
        """What is left when no more comes."""
        found = []
        if self._splitter is None:
            self._splitter = self._of(self._head)
            found = self._splitter.feed(self._head)
        if rest := self._plain(b"", final=True):
            found += self._splitter.feed(rest)
        return found + self._splitter.end()

    def _begins(self, head: bytes) -> bool:
        """Whether it is known by now in which form it comes."""
        encoding = _utf16(head)
        begin = codecs.getincrementaldecoder(encoding)("replace").decode(head).encode() if encoding else head
        begin = begin.removeprefix(_SIGNATURE).lstrip()
        if len(head) < _LEAST or (not begin and len(head) < _MOST):
            return False
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        self._splitter = self._of(begin)
        return True

    def _of(self, begin: bytes) -> _Splitter:
        return _ListRows(self._limit) if begin.startswith(b"[") else _Lines(self._limit)

    def _plain(self, data: bytes, final: bool = False) -> bytes:
        return self._decoder.decode(data, final).encode() if self._decoder else data


def _utf16(head: bytes) -> str | None:
    """UTF-16 by its mark, or by the zeros in what can only be ASCII: the beginning of a JSON text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if (zeros := [byte == 0 for byte in head[:_LEAST]]) == [False, True] * 2:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False] * 2 else None


class _Parts:
    """A row that comes in pieces."""

    def __init__(self, limit: int) -> None:
        self._limit, self._parts, self.size = limit, [b""], 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= self._limit:
            self._parts.append(piece)

    def take(self) -> bytes:
        row, self._parts, self.size = b"".join(self._parts), [], 0
        return row


class _Lines:
    """Rows with an LF between them."""

    def __init__(self, limit: int) -> None:
        self._row = _Parts(limit)

    def feed(self, data: bytes) -> list[bytes]:
        first, *rest = data.split(b"\n")
        self._row.add(first)
        if not rest:
            return []
        found = [self._row.take() + b"\n", *(line + b"\n" for line in rest[:-1])]
        self._row.add(rest[-1])
        return found

    def end(self) -> list[bytes]:
        size = self._row.size
        return [self._row.take()] if size else []


class _ListRows:
    """Rows in one JSON list; what stands behind its end is read as lines."""

    def __init__(self, limit: int) -> None:
        self._row, self._depth = _Parts(limit), 0
        self._in_text = self._escaped = False

    def feed(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        begin = at = 0
        while at < len(data):
            if self._escaped:
                self._escaped, at = False, at + 1
                continue
            mark = self._pattern().search(data, at)
            if mark is None:
                break
            at = mark.end()
            if self._passes(mark[0]):
                continue
            opens = mark[0] == b"["
            self._row.add(data[begin : mark.start()])
            begin = at
            row = self._row.take().translate(None, b"\r\n").lstrip().removeprefix(_SIGNATURE).lstrip()
            if row and opens:  # a bracket in a line behind the list begins no other
                self._row.add(row + mark[0])
                self._depth = 0
            elif row:
                found.append(row.rstrip() + b"\n")
        self._row.add(data[begin:])
        return found

    def _pattern(self) -> re.Pattern[bytes]:
        if self._depth == 0:
            return _BETWEEN
        return _IN_TEXT if self._in_text else _INSIDE

    def _passes(self, mark: bytes) -> bool:
        """Whether it is a part of a row, and does not part rows."""
        if self._depth and mark == b'"':
            self._in_text = not self._in_text
        elif self._in_text:
            self._escaped = True
        elif mark in (b"{", b"["):
            self._depth += 1
            return self._depth > 1
        elif mark in (b"}", b"]"):
            self._depth -= 1
            return self._depth > 0
        else:
            return self._depth > 1
        return True

    def end(self) -> list[bytes]:
        row = self._row.take().strip()
        if self._depth:
            return [row + _CUT]
        return [row] if row else []
