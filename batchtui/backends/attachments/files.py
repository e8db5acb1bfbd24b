"""Files that go with a prompt: what a path leads to, told from its first bytes, and its content when it is sent."""

from __future__ import annotations

import base64
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from batchtui.backends.attachments.docx import DocxFault, docx_text, docx_weight
from batchtui.errors import BadInput
from batchtui.text import cell

Form: TypeAlias = Literal["pdf", "image", "text", "docx"]

HEAD = 16_384
"""Bytes that are looked at to tell what a file is; a text no longer than this is measured exactly."""
LARGEST = 512_000_000
"""Bytes above which no provider takes a file, whatever its kind."""
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office file of before 2007; save it as docx or PDF"),
    (b"II*\x00", "a TIFF image; save it as PNG or JPEG"),
    (b"MM\x00*", "a TIFF image; save it as PNG or JPEG"),
    (b"BM", "a BMP image; save it as PNG or JPEG"),
    (b"\x1f\x8b", "packed with gzip; unpack it first"),
    (b"{\\rtf", "an RTF document; save it as docx or PDF"),
)
_NAMED = {".pdf": "pdf", ".docx": "docx"} | dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp"), "image")
_TEXTS = {".csv": "text/csv", ".html": "text/html", ".htm": "text/html", ".md": "text/markdown"}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class FileFault(BadInput):
    """A file that cannot be sent: gone, no file, or of a kind nobody takes. The job fails with error_kind `file`."""

    kind = "file"
    key = "job.file"


@dataclass(slots=True)
class Attached:
    """A file beside a prompt. `data` is its content as it is sent (base64, or text), None until it is sent.

    `weight` is about how many bytes `data` takes in a request, `pages` the pages of a PDF where they were counted.
    """

    path: Path
    name: str
    form: Form
    media_type: str
    size: int
    changed: int
    """When it was last written, in ns."""
    weight: int
    data: str | None = None
    pages: int | None = None

    @property
    def content(self) -> str:
        """The data, or words that stand for it where nothing is sent."""
        return self.data if self.data is not None else f"«{self.size:,} bytes of {self.name}»"

    @property
    def named(self) -> str:
        return {"pdf": "a PDF", "docx": "a Word document", "text": "text"}.get(
            self.form, f"a {self.media_type.partition('/')[2].upper()} image"
        )


def look(path: Path) -> Attached:
    """What the path leads to, from its length and first bytes alone. Raises FileFault."""
    fd = _open(path)
    try:
        return _look(fd, path)
    finally:
        os.close(fd)


def load(path: Path) -> Attached:
    """The same with its `data`, read now. Raises FileFault."""
    fd = _open(path)
    try:
        found = _look(fd, path)
        if found.form == "docx":
            try:
                with os.fdopen(os.dup(fd), "rb") as file:
                    found.data = docx_text(file)
            except DocxFault as fault:
                raise FileFault(f"{cell(path, 200)}: {fault}") from None
        else:
            raw = _whole(fd, found.size, path)
            found.data = (
                _decoded(raw, path) if found.form == "text" else base64.b64encode(raw).decode("ascii")
            )
    finally:
        os.close(fd)
    if not found.data.strip():
        raise FileFault(f"{cell(path, 200)}: holds no text")
    return found


def _open(path: Path) -> int:
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):  # a device or a pipe is not even opened
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise FileFault(f"{cell(path, 200)}: is {what}")
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise FileFault(f"{cell(path, 200)}: there is no such file") from None
    except OSError as fault:
        raise FileFault(f"{cell(path, 200)}: cannot be read ({fault.strerror})") from None
    except ValueError:  # NUL, half characters
        raise FileFault(f"{cell(path, 200)}: is no usable path") from None


def _look(fd: int, path: Path) -> Attached:
    shown = cell(path, 200)
    about = os.fstat(fd)
    if not stat.S_ISREG(about.st_mode):
        raise FileFault(f"{shown}: is no regular file")
    if not about.st_size:
        raise FileFault(f"{shown}: is empty")
    if about.st_size > LARGEST:
        raise FileFault(f"{shown}: has {about.st_size:,} bytes; at most {LARGEST:,} can be sent")
    try:
        head = os.pread(fd, HEAD, 0)
    except OSError as fault:
        raise FileFault(f"{shown}: cannot be read ({fault.strerror})") from None
    form, media_type = _form(head, fd, path)
    named = _NAMED.get(path.suffix.lower())
    if form == "text" and named:
        raise FileFault(f"{shown}: is named {path.suffix} but holds text, which begins with “{_begin(head)}”")
    if form == "text":
        weight = _text_weight(head, about.st_size, path)
    elif form == "docx":
        weight = _docx_weight(fd, path)
    else:
        weight = -(-about.st_size // 3) * 4
    return Attached(
        path=path,
        name=cell(path.name, 200),
        form=form,
        media_type=media_type,
        size=about.st_size,
        changed=about.st_mtime_ns,
        weight=weight,
    )


def _form(head: bytes, fd: int, path: Path) -> tuple[Form, str]:
    for sign, media_type in _IMAGES:
        if head.startswith(sign):
            return "image", media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image", "image/webp"
    if b"%PDF-" in head[:1024]:
        return "pdf", "application/pdf"
    shown = cell(path, 200)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        _docx_weight(fd, path)  # refuses what is no Word document
        return "docx", DOCX
    for sign, what in _FOREIGN:
        if head.startswith(sign) and (sign != b"BM" or b"\0" in head[:32]):
            raise FileFault(f"{shown}: is {what}")
    if head[4:8] == b"ftyp":
        raise FileFault(f"{shown}: is a video or a HEIC image; save an image as JPEG or PNG")
    _decoded_head(head, path)
    return "text", _TEXTS.get(path.suffix.lower(), "text/plain")


def _docx_weight(fd: int, path: Path) -> int:
    try:
        with os.fdopen(os.dup(fd), "rb") as file:
            return docx_weight(file)
    except DocxFault as fault:
        raise FileFault(f"{cell(path, 200)}: {fault}") from None


# ---- text


def _encoding(head: bytes) -> str:
    return "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _decoded_head(head: bytes, path: Path) -> str:
    """The text of the first bytes, of which the last character may be cut. Raises FileFault."""
    if len(head) < HEAD:
        return _decoded(head, path)
    if _encoding(head) == "utf-16":
        return head[:-2].decode("utf-16", "ignore")
    cut = len(head)
    while cut > len(head) - 4 and head[cut - 1] & 0xC0 == 0x80:
        cut -= 1
    return _decoded(head[: cut - 1] if head[cut - 1] >= 0x80 else head, path)


def _decoded(raw: bytes, path: Path) -> str:
    try:
        text = raw.decode(_encoding(raw))
    except UnicodeDecodeError as fault:
        raise FileFault(
            f"{cell(path, 200)}: is neither a PDF, an image (PNG, JPEG, GIF, WebP), a docx nor UTF-8 text "
            f"(byte {fault.start + 1:,})"
        ) from None
    if "\0" in text:
        raise FileFault(
            f"{cell(path, 200)}: holds NUL bytes, so it is no text, and no kind of file known here"
        )
    return text


def _text_weight(head: bytes, size: int, path: Path) -> int:
    """Bytes of the text as JSON writes it; of a long one by the share of its beginning."""
    text = _decoded_head(head, path)
    written = len(json.dumps(text)) - 2
    if size <= len(head):
        return written
    return -(-written * size * 5 // (len(head) * 4))  # a quarter more: the rest may hold more to escape


def _begin(head: bytes) -> str:
    return cell(" ".join(head[:200].decode("utf-8", "replace").split()), 40)


def _whole(fd: int, size: int, path: Path) -> bytes:
    pieces, at = [], 0
    try:
        while at <= size and (piece := os.pread(fd, 1 << 22, at)):
            pieces.append(piece)
            at += len(piece)
    except OSError as fault:
        raise FileFault(f"{cell(path, 200)}: cannot be read ({fault.strerror})") from None
    if at != size:
        raise FileFault(f"{cell(path, 200)}: changed while it was read")
    return b"".join(pieces)
