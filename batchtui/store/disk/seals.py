"""The checksum that ends every stored line: the CRC-32 (8 hex digits) of the line without it, as its last key `crc`.

Damage is so told from truth without parsing twice. Files of earlier versions hold results and jobs without it; in those
a line that has none is taken as it is.
"""

from __future__ import annotations

import zlib

_LENGTH = len(',"crc":"00000000"}')


def seal(body: bytes) -> bytes:
    """A JSON object (one line, not empty) as a line with its checksum and newline."""
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def is_whole(line: bytes) -> bool:
    """Whether the checksum fits the line (without its newline)."""
    return line[-_LENGTH:] == b',"crc":"%08x"}' % zlib.crc32(line[:-_LENGTH] + b"}")


def is_sealed(line: bytes) -> bool:
    """Whether the line (without its newline) ends as one with a checksum does."""
    return line[-_LENGTH:].startswith(b',"crc":"') and line.endswith(b'"}')


def check(line: bytes) -> bytes:
    """The line itself (without its newline). Raises ValueError where it has a checksum that does not fit."""
    if is_sealed(line) and not is_whole(line):
        raise ValueError("its checksum does not fit: it was changed")
    return line


def next_is_sealed(line: bytes, before: bool) -> bool:
    """Whether the line has a checksum, where lines `before` it had one. Raises ValueError where it has lost its own.

    An earlier version wrote none; whatever follows a line that has one was written with one.
    """
    now = is_sealed(line)
    if before and not now:
        raise ValueError("its checksum is not there: it was changed")
    return now
