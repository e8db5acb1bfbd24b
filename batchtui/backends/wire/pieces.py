"""What goes up and comes down in pieces: multipart forms, files as they lie on disk, lines of a download."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from batchtui.backends.wire.rows import Rows

CHUNK = 1 << 18
REPLY_LIMIT = 100_000_000


@dataclass(slots=True)
class Body:
    """What is known of a download once it is over: its bytes, and whether its end was announced (by a length or so)."""

    size: int = 0
    framed: bool = False


@dataclass(slots=True)
class Download:
    """Where it came from in the end, its headers (lower-case names), and its bytes as they come."""

    url: str
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


CRLF = "\r\n"


def form(
    fields: Mapping[str, str], filename: str = "", source: Path | None = None
) -> tuple[list[tuple[str, str]], AsyncIterator[bytes]]:
    """Headers and body of a multipart form with at most one file, its length known from the start."""
    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    if source is not None:
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
    opening = head.encode()
    closing = f"{'' if source is None else CRLF}--{boundary}--\r\n".encode()
    headers = [
        ("Content-Type", f"multipart/form-data; boundary={boundary}"),
        ("Content-Length", str(len(opening) + (source.stat().st_size if source else 0) + len(closing))),
    ]
    return headers, pieces(opening, source, closing)


def length(source: Path) -> tuple[str, str]:
    """The header that announces a file's bytes."""
    return "Content-Length", str(source.stat().st_size)


async def pieces(opening: bytes, source: Path | None, closing: bytes) -> AsyncIterator[bytes]:
    """A file between two strings, as a request's body."""
    yield opening
    if source is not None:
        with source.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    yield closing


async def timed(chunks: AsyncIterator[bytes], total: float) -> AsyncIterator[bytes]:
    """The same chunks; TimeoutError once they have taken `total` seconds, since a drip never ends by itself."""
    deadline = asyncio.get_running_loop().time() + total
    async for chunk in chunks:
        yield chunk
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError


async def counted(chunks: AsyncIterator[bytes], body: Body | None) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if body is not None:
            body.size += len(chunk)
        yield chunk


async def collected(chunks: AsyncIterator[bytes]) -> bytearray:
    """All of them. Raises ValueError where that is more than a reply may be."""
    data = bytearray()
    async for chunk in chunks:
        if len(data) + len(chunk) > REPLY_LIMIT:
            data.clear()  # the fault is kept for longer, and with it what we know here
            raise ValueError(f"over the limit of {REPLY_LIMIT:,} bytes")
        data += chunk
    return data


async def lines(
    chunks: AsyncIterator[bytes], keep: Callable[[bytes], None] | None, limit: int
) -> AsyncIterator[bytes]:
    """Lines with their LF, as `Rows` reads them; `keep` gets every chunk as it came."""
    rows = Rows(limit)
    async for chunk in chunks:
        if keep:
            keep(chunk)
        for row in rows.feed(chunk):
            yield row
    for row in rows.end():
        yield row
