"""What a chat request costs us beside one shared bare httpx client and a bare aiohttp session, in CPU of this process.

Run as `python tests/benchmarks/fanout.py [requests]`. The server is a process of its own; both ways alternate, and
the best of three rounds counts for each, so that other load hits them alike.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import aiohttp
import httpx

from batchtui.backends import registry
from batchtui.backends.base import Job
from batchtui.backends.http import Http
from batchtui.backends.prompts.work import ChatWork, request_body

ROUNDS = 3
PEER_REQUESTS = 300
WORK = ChatWork(model="demo", prompt="Summarise this text in one line. " * 9, max_tokens=100)
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "model": "demo",
        "choices": [{"message": {"role": "assistant", "content": "word " * 90}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 75, "completion_tokens": 90, "total_tokens": 165},
    }
).encode()


class Server(asyncio.Protocol):
    """HTTP/1.1 as lean as it gets: every request has a length and gets the same answer."""

    reply = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
        + ANSWER
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(self.reply)


def serve(port: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def fan_out(call: Callable[[], Awaitable[object]], requests: int, at_once: int) -> float:
    """CPU milliseconds for one request."""
    numbers = iter(range(requests))

    async def lane() -> None:
        for _ in numbers:
            await call()

    begin = time.process_time()
    await asyncio.gather(*(lane() for _ in range(at_once)))
    return (time.process_time() - begin) / requests * 1000


async def bare(url: str, requests: int, at_once: int) -> float:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=at_once), timeout=60) as client:

        async def call() -> None:
            (await client.post(f"{url}/chat/completions", json=request_body(WORK))).json()

        return await fan_out(call, requests, at_once)


async def session(url: str, requests: int, at_once: int) -> float:
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def call() -> None:
            async with client.post(f"{url}/chat/completions", json=request_body(WORK)) as answer:
                await answer.json()

        return await fan_out(call, requests, at_once)


async def transport(url: str, requests: int, at_once: int) -> float:
    http = Http(url, headers={"Authorization": "Bearer none"})

    async def call() -> None:
        await http.request_json("POST", "chat/completions", json=request_body(WORK))

    try:
        return await fan_out(call, requests, at_once)
    finally:
        await http.aclose()


async def chat(url: str, requests: int, at_once: int) -> float:
    backend = registry.build("bench", {"kind": "chat", "base_url": url}, None)
    job = Job(0, "row 1", 1, "token", WORK)

    async def call() -> None:
        await backend.run(job, lambda _: None)  # type: ignore[attr-defined]

    try:
        return await fan_out(call, requests, at_once)
    finally:
        await backend.close()


def show(name: str, value: float, ratio: float, goal: float) -> bool:
    passed = ratio <= goal
    print(f"{name} {value:.3f} ms/request {ratio:.3f} {goal:.3f} {'PASS' if passed else 'FAIL'}")
    return passed


async def main() -> int:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}/v1"
    runs: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, way, count, at_once in (
            ("bare-64", bare, min(requests, PEER_REQUESTS), 64),
            ("aiohttp-64", session, requests, 64),
            ("transport-64", transport, requests, 64),
            ("chat-64", chat, requests, 64),
            ("chat-16", chat, requests, 16),
            ("chat-256", chat, requests, 256),
        ):
            runs.setdefault(name, []).append(await way(url, count, at_once))
    server.terminate()
    best = {name: min(values) for name, values in runs.items()}
    print(f"bare-httpx-64 {best['bare-64']:.3f} ms/request 1.000 - PEER")
    print(f"aiohttp-64 {best['aiohttp-64']:.3f} ms/request 1.000 - PEER")
    return not all(
        (
            show("fanout-transport-64", best["transport-64"], best["transport-64"] / best["bare-64"], 1 / 16),
            show("fanout-chat-64", best["chat-64"], best["chat-64"] / best["bare-64"], 1 / 12),
            show("fanout-aiohttp-64", best["transport-64"], best["transport-64"] / best["aiohttp-64"], 3),
            show("fanout-flat-256-over-16", best["chat-256"], best["chat-256"] / best["chat-16"], 1.25),
        )
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
