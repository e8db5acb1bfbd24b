"""What a program wrote, read back from its output files."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass

KEPT_BYTES = 1_000_000
"""Bytes of one output stream that a result keeps."""
_LAST_BYTES = 4_096
_LINE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Written:
    """`text` is the beginning of the stream, with a note at its end where it is cut; `size` counts all bytes."""

    text: str
    size: int
    last_line: str

    @property
    def cut(self) -> bool:
        return self.size > KEPT_BYTES


def take_output(path: str) -> Written:
    """Read an output file and empty it, for the next program that gets its slot. Raises OSError."""
    size = os.stat(path).st_size
    if not size:
        return Written("", 0, "")
    written = read_output(path, 0, size)
    os.truncate(path, 0)
    return written


def read_output(path: str, begin: int, end: int) -> Written:
    """The bytes of an output file from `begin` to `end`. Raises OSError."""
    size = end - begin
    with open(path, "rb") as file:
        file.seek(begin)
        start = file.read(min(size, KEPT_BYTES))
        file.seek(max(begin, end - _LAST_BYTES))
        lines = file.read(min(size, _LAST_BYTES)).decode("utf-8", "replace").split("\n")
    # a character that the cut went through is left out, not shown as broken
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(start, final=size <= KEPT_BYTES)
    if size > KEPT_BYTES:
        text += f"\n[cut here: {size - KEPT_BYTES:,} of {size:,} bytes were not kept]"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return Written(text, size, last[-_LINE_CHARACTERS:])
