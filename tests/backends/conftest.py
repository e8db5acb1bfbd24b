"""The odd server, and backends that point at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from batchtui.backends import registry
from batchtui.demo.server import DemoServer
from batchtui.text import Secret
from tests.backends.odd_server import KEY, Odd


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    server = Odd()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Any]]:
    """Builds a backend from its table the way the engine does, with a key; closed at the end."""
    made = []

    def build(kind: str, url: str, **table: Any) -> Any:
        backend = registry.build("b", {"kind": kind, "base_url": f"{url}/v1", **table}, Secret(KEY))
        made.append(backend)
        return backend

    yield build
    for backend in made:
        await backend.close()


@pytest.fixture
def demo() -> Iterator[Callable[..., DemoServer]]:
    """Starts demo servers with the faults a test asks for."""
    servers: list[DemoServer] = []

    def start(faults: str = "") -> DemoServer:
        server = DemoServer(faults=faults)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
