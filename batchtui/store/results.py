"""results.jsonl: one line an attempt that gave something, word for word; the last line of a job counts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from batchtui.errors import StoreDamaged
from batchtui.model import Outcome
from batchtui.store.lines import read_slices

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
            return line + b"\n"
    return json.dumps(msgspec.to_builtins(result), separators=(",", ":")).encode() + b"\n"


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
                f"{self._path}: the result at byte {offset} cannot be read ({fault})"
            ) from fault

    def _line(self, offset: int) -> bytes:
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
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
    try:
        return msgspec.json.decode(line, type=StoredResult)
    except msgspec.DecodeError:  # lone halves of an emoji, which only the slower reader takes
        return msgspec.convert(json.loads(line), StoredResult)


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
