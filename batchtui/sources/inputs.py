"""The bytes of a source: a regular file or standard input, inflated where it is gzip, checked to be text."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from batchtui.sources.encodings import Recoded
from batchtui.sources.faults import BadSource
from batchtui.sources.inflation import TEXT_LIMIT, Gunzipped, Inflating
from batchtui.text import cell

HEAD = 64 * 1024
_AHEAD = 1024 * 1024
LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one line: more is a damaged file or a gzip bomb, not a row."""
BOM = b"\xef\xbb\xbf"
READ_FAULTS = (OSError, EOFError, zlib.error)
"""What reading a damaged or vanished file raises (gzip's own errors among them)."""

ENCODING_ADVICE = 'save the file as UTF-8, or write its encoding under [source], as encoding = "cp1252"'

_CONTROLS = frozenset(range(0x20)) - frozenset(b"\t\n\v\f\r") | {0x7F}
_KNOWN_BINARIES = {
    b"PK\x03\x04": "a zip archive or a workbook; give a workbook its ending, .xlsx or .ods",
    b"\xd0\xcf\x11\xe0": "a document of old Office; give a workbook its ending, .xls",
    b"PAR1": "a Parquet file; give it the ending .parquet",
    b"%PDF": "a PDF; give its folder as the source, one job a file",
}


@dataclass(frozen=True)
class Input:
    """Bytes that can be read again and again. `head` holds the first of them, inflated and without a BOM."""

    name: str
    """As messages call it."""
    path: Path | None
    head: bytes
    size: int | None
    """Bytes in all; None where only reading to the end would tell."""
    zipped: bool = False
    spool: IO[bytes] | None = None
    encoding: str | None = None
    """Another than UTF-8, in which the bytes were written; `head` and every stream are UTF-8 already."""

    def open(self) -> BinaryIO:
        """A fresh stream from the first byte."""
        stream = _open(self.path, self.spool, zipped=self.zipped)
        return cast(BinaryIO, io.BufferedReader(Recoded(stream, self.encoding))) if self.encoding else stream

    def lines(self) -> Iterator[tuple[int, bytes | None]]:
        """(line number, bytes without the line end), split on LF only; None for a line over LINE_LIMIT."""
        with self.open() as stream:
            number = 0
            while line := stream.readline(LINE_LIMIT + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(BOM)
                if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
                    while (rest := stream.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                        pass
                    yield number, None
                else:
                    yield number, line.rstrip(b"\r\n")

    def count_hint(self) -> int | None:
        """About how many lines there are, from the first of them."""
        if self.size is None or not self.head:
            return None
        lines = self.head.count(b"\n")
        if len(self.head) < HEAD:
            return lines + (not self.head.endswith(b"\n"))
        return round(self.size * lines / len(self.head))


def from_file(path: Path, name: str, encoding: str | None = None) -> Input:
    """Raises BadSource for what is missing, unreadable, or not a regular file (a pipe would never end)."""
    try:
        status = path.stat()
    except FileNotFoundError:
        message = f"no such file or folder (looked for {cell(path.absolute())})"
        raise BadSource(message, file=name) from None
    except (OSError, ValueError) as fault:
        raise BadSource(f"cannot be read: {_reason(fault)}", file=name) from None
    if not stat.S_ISREG(status.st_mode):
        message = 'not a regular file; give a file, a folder, or "-" to read standard input'
        raise BadSource(message, file=name)
    return _looked_at(name, path, None, status.st_size, encoding)


def from_stdin(stdin: BinaryIO | None, encoding: str | None = None) -> Input:
    """Standard input, kept in an unnamed temporary file so that it can be read twice."""
    stream = sys.stdin.buffer if stdin is None else stdin
    if stream.isatty():
        raise BadSource('standard input is a terminal: pipe rows into it, or name a file in place of "-"')
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the Input does
    shutil.copyfileobj(stream, spool)
    spool.flush()
    source = _looked_at("standard input", None, spool, os.fstat(spool.fileno()).st_size, encoding)
    weakref.finalize(source, spool.close)
    return source


def need_text(source: Input) -> None:
    """Raises BadSource naming what the bytes are instead of UTF-8 text."""
    head, name = source.head, source.name
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(head) > 3 and head[1] == head[3] == 0 != head[0]):
        message = 'this is UTF-16; write encoding = "utf-16" under [source], or save the file as UTF-8'
        raise BadSource(message, file=name)
    for magic, what in _KNOWN_BINARIES.items():
        if head.startswith(magic):
            raise BadSource(f"not text but {what}", file=name)
    if len(_CONTROLS.intersection(head)) > 3:
        message = "not text; a source is UTF-8 text (csv, tsv, json, jsonl), Parquet or a folder"
        raise BadSource(message, file=name)


def encoding_fault(fault: UnicodeDecodeError) -> str:
    byte = fault.object[fault.start]
    return f"not UTF-8 (byte 0x{byte:02x} at {fault.start + 1}); {ENCODING_ADVICE}"


def read_fault(fault: BaseException, *, zipped: bool) -> str:
    """Why reading stopped, in words; one of READ_FAULTS."""
    if isinstance(fault, Inflating):
        return str(fault)
    return f"broken gzip data: {_reason(fault)}" if zipped else f"cannot be read: {_reason(fault)}"


def _looked_at(
    name: str, path: Path | None, spool: IO[bytes] | None, size: int, encoding: str | None
) -> Input:
    zipped = False
    try:
        with _open(path, spool, zipped=False) as stream:
            head = stream.read(HEAD)
        zipped = head.startswith(b"\x1f\x8b")
        if zipped:
            with _open(path, spool, zipped=True) as stream:
                head = stream.read(HEAD)
                _look_ahead(stream)
        if encoding:
            with Input(name, path, b"", None, zipped, spool, encoding).open() as stream:
                head = stream.read(HEAD)
    except READ_FAULTS as fault:
        raise BadSource(read_fault(fault, zipped=zipped), file=name) from None
    known_size = None if zipped or encoding else size
    return Input(name, path, head.removeprefix(BOM), known_size, zipped, spool, encoding)


def _look_ahead(stream: BinaryIO) -> None:
    """As far as anything may inflate, so that what grows without end is told at once, not after a million rows.

    Raises Inflating; other damage is told with its place, when the rows before it were read.
    """
    left = TEXT_LIMIT
    try:
        while left > 0 and (piece := stream.read(_AHEAD)):
            left -= len(piece)
    except Inflating:
        raise
    except READ_FAULTS:
        return


def _open(path: Path | None, spool: IO[bytes] | None, *, zipped: bool) -> BinaryIO:
    if path is not None:
        plain: BinaryIO = path.open("rb")
    else:
        assert spool is not None
        plain = cast(BinaryIO, io.BufferedReader(_Again(spool)))
    return cast(BinaryIO, io.BufferedReader(Gunzipped(plain), HEAD)) if zipped else plain


def _reason(fault: BaseException) -> str:
    return cell(fault.strerror if isinstance(fault, OSError) and fault.strerror else fault)


class _Again(io.RawIOBase):
    """A reader of its own position over an open file, so that two readers do not disturb each other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = os.pread(self._file.fileno(), len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
