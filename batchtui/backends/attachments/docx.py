"""The text of a Word document, by zip and XML alone; bombs, entities and lying headers are refused."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from typing import BinaryIO
from xml.parsers import expat

LARGEST_FILE = 100_000_000
LARGEST_XML = 100_000_000
LARGEST_TEXT = 20_000_000
"""Characters."""
MOST_ENTRIES = 10_000
RATIO = 200
"""Unpacked to packed bytes; Word's own XML stays far below, a bomb is at 1,000."""
_MAIN = re.compile(r"word/document\d*\.xml", re.IGNORECASE)
_END = struct.Struct("<4s4H2LH")
_WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)


class DocxFault(Exception):
    """Why the file gives no text, to stand behind its name."""


def docx_weight(file: BinaryIO) -> int:
    """About how many bytes its text takes in a request, from the zip's directory alone. Raises DocxFault."""
    with _opened(file) as packed:
        return _main(packed).file_size


def docx_text(file: BinaryIO) -> str:
    """Its paragraphs, one a line, cells of a table apart by tabs. Raises DocxFault."""
    reader = _Reader()
    try:
        with _opened(file) as packed, packed.open(_main(packed)) as xml:
            read = 0
            while piece := xml.read(1 << 16):
                read += len(piece)
                if read > LARGEST_XML:
                    raise DocxFault(f"its text unpacks to more than {LARGEST_XML:,} bytes")
                reader.feed(piece)
            reader.feed(b"", last=True)
    except expat.ExpatError as fault:
        raise DocxFault(f"is a damaged Word document ({fault})") from None
    except _ZIP_FAULTS as fault:
        raise DocxFault(f"is a damaged Word document ({type(fault).__name__})") from None
    return reader.text()


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        size = file.seek(0, 2)
        if size > LARGEST_FILE:
            raise DocxFault(f"has {size:,} bytes; a Word document may have {LARGEST_FILE:,}")
        file.seek(max(0, size - 65_557))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < _END.size:
            raise DocxFault("is a damaged zip file: it has no directory")
        entries = _END.unpack_from(tail, at)[4]
        if entries > MOST_ENTRIES:  # also the mark of a zip64 directory, which Word never writes
            raise DocxFault("is a zip file with too many entries, so no Word document")
        file.seek(0)
        return zipfile.ZipFile(file)
    except _ZIP_FAULTS as fault:
        raise DocxFault(f"is a damaged zip file ({type(fault).__name__})") from None


def _main(packed: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = packed.namelist()
    if len(names) > MOST_ENTRIES:
        raise DocxFault("is a zip file with too many entries, so no Word document")
    name = next((name for name in names if _MAIN.fullmatch(name)), None)
    if name is None:
        other = next((what for sign, what in _OTHERS.items() if any(n.startswith(sign) for n in names)), None)
        raise DocxFault(
            f"is {other or 'a zip file'}, which no provider takes; only docx, PDF, images and text"
        )
    found = packed.getinfo(name)
    if found.flag_bits & 1:
        raise DocxFault("is locked with a password")
    if found.file_size > LARGEST_XML or found.file_size > RATIO * max(found.compress_size, 1_000):
        raise DocxFault(f"unpacks to {found.file_size:,} bytes, more than a Word document would")
    return found


_OTHERS = {"xl/": "an Excel file", "ppt/": "a PowerPoint file", "content.xml": "an OpenDocument file"}


class _Reader:
    """Collects text as the XML goes by; a document type, and with it every entity, is refused."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._in_text = 0
        self._skipped = 0
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        self._parser.Parse(piece, last)

    def text(self) -> str:
        lines = (line.rstrip() for line in "".join(self._pieces).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")

    def _refuse(self, *_: object) -> None:
        raise DocxFault("declares a document type or entities, which no Word document does")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        if self._skipped or name == _FALLBACK or (tag == "pPr" and space in _WORD):  # pPr: tab stops, no tabs
            self._skipped += 1
            return
        if space not in _WORD:
            return
        if tag == "t":
            self._in_text += 1
        elif tag == "tab":
            self._add("\t")
        elif tag in ("br", "cr"):
            self._add("\n")
        elif tag == "noBreakHyphen":
            self._add("-")

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        space, _, tag = name.rpartition(" ")
        if space not in _WORD:
            return
        if tag == "t":
            self._in_text -= 1
        elif tag in ("p", "tr"):
            self._add("\n")
        elif tag == "tc":
            if self._pieces and self._pieces[-1] == "\n":
                self._pieces.pop()
            self._add("\t")

    def _characters(self, text: str) -> None:
        if self._in_text and not self._skipped:
            self._add(text)

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > LARGEST_TEXT:
            raise DocxFault(f"holds more than {LARGEST_TEXT:,} characters of text")
        self._pieces.append(text)
