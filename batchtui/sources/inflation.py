"""What a packed source may hold: text that grows without end is no table, but a file made to fill the memory."""

from __future__ import annotations

import gzip
import io
from typing import BinaryIO

RATIO_LIMIT = 100
"""Bytes of text out of one packed byte."""
TEXT_LIMIT = 64 * 1024 * 1024
"""Up to here nothing is asked."""


class Inflating(OSError):
    """The source grows beyond both limits."""


def refuse_inflating(text: int, packed: int, advice: str) -> None:
    """Raises Inflating where so many bytes of text came out of so few packed ones."""
    if text > TEXT_LIMIT and text > RATIO_LIMIT * packed:
        raise Inflating(
            f"more than {TEXT_LIMIT >> 20} MB of text at over {RATIO_LIMIT} times the packed size: "
            f"it looks made to fill the memory; if it is what you mean, {advice}"
        )


class Gunzipped(io.RawIOBase):
    """What a gzip stream holds. Reading raises Inflating, and what gzip raises for damaged data."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed, self._inside = packed, gzip.GzipFile(fileobj=packed)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = self._inside.readinto(buffer)
        self._count += size
        refuse_inflating(self._count, self._packed.tell(), "unpack it with gunzip and name the plain file")
        return size

    def close(self) -> None:
        self._inside.close()
        self._packed.close()
        super().close()
