"""results.jsonl: one line an attempt that gave something, word for word; the last line of a job counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchtui.errors import StoreDamaged
from batchtui.model import Outcome
from batchtui.store.lines import read_slices

SCHEMA = 1
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
    """ASCII JSON, since a lone half of an emoji cannot be written any other way."""
    return json.dumps(msgspec.to_builtins(result), separators=(",", ":")).encode() + b"\n"


def read_at(path: Path, offset: int) -> StoredResult:
    """The result that starts at `offset`. Raises StoreDamaged."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return decode(file.readline())
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as fault:
        raise StoreDamaged(f"{path}: the result at byte {offset} cannot be read ({fault})") from fault


def decode(line: bytes) -> StoredResult:
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
