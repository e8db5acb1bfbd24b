"""The connection under a call: is the client still there, hang up on it, let the reply drip or break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TypeVar

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

T = TypeVar("T")

_DRIPS = 10
"""In how many pieces a slow reply arrives."""


class Connections:
    """Open connections by the client's address, so that one can be cut without a reply."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def opened(self, transport: asyncio.Transport) -> None:
        self._open[_address(transport.get_extra_info("peername"))] = transport

    def closed(self, transport: asyncio.Transport) -> None:
        self._open.pop(_address(transport.get_extra_info("peername")), None)

    def cut_all(self) -> None:
        for transport in list(self._open.values()):
            transport.abort()

    async def drop(self, scope: Scope, receive: Receive) -> None:
        """Closes the connection of this call; the client gets no byte of a reply."""
        transport = self._open.get(_address(scope["client"]))
        if transport is not None:
            transport.abort()
        await _disconnected(receive)


def _address(peer: tuple[str, int]) -> tuple[str, int]:
    return peer[0], peer[1]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def stays(receive: Receive, work: asyncio.Future[T]) -> bool:
    """Waits for `work`, which goes on in any case; False as soon as the client has gone."""
    listener = asyncio.ensure_future(_disconnected(receive))
    either: set[asyncio.Future[T] | asyncio.Future[None]] = {listener, work}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return not listener.done()
    finally:
        listener.cancel()


async def pause(receive: Receive, seconds: float) -> bool:
    """Sleeps; False as soon as the client has gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _disconnected(receive)
            return False
    return True


def dripping(send: Send, seconds: float) -> Send:
    """A `send` that takes `seconds` to let a reply through."""
    left = _DRIPS

    async def drip(message: Message) -> None:
        nonlocal left
        body, more = message.get("body", b""), message.get("more_body", False)
        while body and left:
            size = max(1, len(body) // left) if not more else len(body) // 2 + 1
            await asyncio.sleep(seconds / _DRIPS)
            left -= 1
            await send({"type": "http.response.body", "body": body[:size], "more_body": True})
            body = body[size:]
        await send({**message, "body": body} if "body" in message else message)

    return drip


def cut(response: Response) -> Response:
    """The reply with its JSON broken off in the middle."""
    body = bytes(response.body)
    return Response(body[: len(body) // 2], response.status_code, media_type="application/json")


def listen(app: ASGIApp, connections: Connections, started: threading.Event) -> uvicorn.Server:
    """A silent server for `app` that tells when it listens and keeps `connections` up to date."""

    class Protocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
        def connection_made(self, transport: asyncio.Transport) -> None:
            connections.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self.transport)
            super().connection_lost(exc)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for server in self.servers:
                server.close()
            connections.cut_all()
            await asyncio.sleep(0)

    return Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
        )
    )
