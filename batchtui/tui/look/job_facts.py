"""What one row of the job table says of its result: read by offset, only for rows that are seen, and kept a while."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from textual.cache import LRUCache

from batchtui import text
from batchtui.model import Result
from batchtui.results.judging.stops import flag_of
from batchtui.results.reading.query import answer
from batchtui.store.files import results
from batchtui.tui.look import figures

READ_LIMIT = 256 * 1024
"""Bytes of a result that a row is worth; longer ones are left to the reader."""


class Facts(NamedTuple):
    seconds: float | None
    tokens: int | None
    line: str
    """First line of the answer, clean, behind why it is not all of it."""


NOTHING = Facts(None, None, "")


class JobFacts:
    """Facts by the offset of the counting result."""

    def __init__(self, path: Path) -> None:
        self._path = path / "results.jsonl"
        self._fd = -1
        self._known: LRUCache[int, Facts] = LRUCache(2048)

    def at(self, offset: int) -> Facts:
        """Never raises: a line that cannot be read says so itself."""
        known = self._known.get(offset)
        if known is None:
            known = self._known[offset] = self._read(offset)
        return known

    def _read(self, offset: int) -> Facts:
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            raw = os.pread(self._fd, READ_LIMIT, offset)
        except OSError as fault:
            return Facts(None, None, f"(cannot be read: {fault.strerror})")
        line, newline, _ = raw.partition(b"\n")
        if not newline:
            return Facts(None, None, "(a large result; open it to read it)")
        try:
            stored = results.decode(line)
        except (ValueError, RecursionError, msgspec.ValidationError):
            return Facts(None, None, "(this result cannot be read)")
        started, ended = figures.unix(stored.started), figures.unix(stored.ended)
        tokens = [count for count in (stored.input_tokens, stored.output_tokens) if count is not None]
        words = stored.error or answer(_as_result(stored)) or ""
        flag = "" if stored.error or not flag_of(stored.finish_reason) else f"({stored.finish_reason}) "
        return Facts(
            ended - started if started is not None and ended is not None else None,
            sum(tokens) if tokens else None,
            text.cell(flag + words.lstrip().split("\n", 1)[0]),
        )

    def close(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1


def _as_result(stored: results.StoredResult) -> Result:
    return Result(
        job_id=stored.job_id,
        raw_response=stored.raw_response,
        parsed_response=stored.parsed_response,
        output=stored.output,
    )
