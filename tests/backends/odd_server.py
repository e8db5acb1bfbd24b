"""A server on loopback that answers whatever a test wants, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEY = "sk-test-0123456789abcdef"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Odd:
    """Raw replies over real sockets. `answer` maps a request to bytes for the wire (None: hang up)."""

    url: str = ""
    answer: Callable[[Request], bytes | None] = lambda request: reply(200, {})
    seen: list[Request] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, *replies: bytes | None) -> None:
        """These replies in turn, the last one for ever."""
        rest = list(replies)
        self.answer = lambda request: rest.pop(0) if len(rest) > 1 else rest[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while request := await _read(reader):
                self.seen.append(request)
                self.arrived.set()
                data = self.answer(request)
                if data is None:
                    return
                if data == b"HANG":
                    await reader.read()
                    return
                writer.write(data)
                await writer.drain()
                if b"connection: close" in data[:4000].lower():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            self.left.set()
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


def reply(status: int, body: Any, headers: dict[str, str] | None = None) -> bytes:
    data = (
        body
        if isinstance(body, bytes)
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
    lines = {"Content-Length": str(len(data)), "Content-Type": "application/json", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data
