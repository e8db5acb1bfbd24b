"""results.jsonl: one line an attempt that gave something, word for word; the last line of a job counts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.errors import StoreDamaged
from batchtui.model import Outcome
from batchtui.store.disk import seals
from batchtui.store.disk.lines import SLICE, read_slices

SCHEMA = 1
_USUAL_LINE = 4096
FIRST_LINE = b'{"schema":%d,"file":"results"}\n' % SCHEMA


class StoredResult(Outcome, kw_only=True):
    """A line of results.jsonl: the outcome of attempt `tries` of job `n`."""

    n: int
    tries: int
    job_id: str
    backend: str | None = None
    batch_id: str | None = None
    sub: int | None = None
    started: str | None = None
    ended: str | None = None


def encode(result: StoredResult) -> bytes:
    """ASCII JSON, since a lone half of an emoji cannot be written any other way.

    Ten megabytes would hold the interpreter for half a second in json.dumps, and a tenth of one in msgspec.
    """
    with suppress(ValueError, OverflowError):
        line = msgspec.json.encode(result)
        if line.isascii():
            return seals.seal(line)
    return seals.seal(json.dumps(msgspec.to_builtins(result), separators=(",", ":")).encode())


class ResultReader:
    """results.jsonl kept open, so that a hundred thousand results are read quickly; from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def at(self, offset: int) -> StoredResult:
        """The result that starts at `offset`. Raises StoreDamaged."""
        try:
            return decode(self._line(offset))
        except (OSError, ValueError, RecursionError, msgspec.ValidationError) as fault:
            raise StoreDamaged(
                f"{self._path}: the result at byte {offset} cannot be read ({fault})", proves=True
            ) from fault

    def gone(self, offsets: Iterable[int], end: int) -> int:
        """How many of these results are not in the file any more, which had its last one at `end`."""
        try:
            size = self._path.stat().st_size
        except OSError:
            size = 0
        if end <= len(FIRST_LINE) or size >= end:
            return 0
        whole = self._last_line_end(size)
        return sum(offset >= whole for offset in offsets)

    def _last_line_end(self, size: int) -> int:
        """Where the last whole line of the first `size` bytes ends; 0 where the file cannot be read."""
        try:
            self._open()
            while size > 0:
                begin = max(0, size - SLICE)
                newline = os.pread(self._fd, size - begin, begin).rfind(b"\n")
                if newline >= 0:
                    return begin + newline + 1
                size = begin
        except OSError:
            pass
        return 0

    def _open(self) -> None:
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)

    def _line(self, offset: int) -> bytes:
        self._open()
        size, data = _USUAL_LINE, b""
        while piece := os.pread(self._fd, size, offset + len(data)):
            end = piece.find(b"\n")
            if end >= 0:
                return data + piece[:end]
            data += piece
            size = max(size, len(data))  # a long line is read in few steps
        return data

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def decode(line: bytes) -> StoredResult:
    """The result of a line without its newline. Raises ValueError, RecursionError, msgspec.ValidationError."""
    seals.check(line)
    try:
        return typed.decode(line, StoredResult)
    except msgspec.DecodeError:  # lone halves of an emoji, which only the slower reader takes
        return typed.convert(json.loads(line), StoredResult)


def read_after(path: Path, offset: int) -> Iterator[tuple[int, int, StoredResult | None]]:
    """(offset, length, result) of every whole line from `offset` on; None for one that cannot be read."""
    for at, lines in read_slices(path, offset):
        for line in lines:
            length = len(line) + 1
            if at or not line.startswith(b'{"schema"'):
                try:
                    yield at, length, decode(line)
                except (ValueError, RecursionError, msgspec.ValidationError):
                    yield at, length, None
            at += length
