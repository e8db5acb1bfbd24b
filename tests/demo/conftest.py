"""A plain client of the demo server: httpx without retries, and the bodies that tests send."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from batchtui.demo.server import DemoServer

CHAT = "/v1/chat/completions"


class Client(httpx.Client):
    """Calls one server by path, each on its own connection where it may be cut."""

    def chat(self, prompt: str = "hello", **body: Any) -> httpx.Response:
        asked = {"model": "demo-small", "messages": [{"role": "user", "content": prompt}]} | body
        return self.post(CHAT, json=asked)

    def upload(self, content: bytes, name: str = "in.jsonl", purpose: str = "batch") -> httpx.Response:
        return self.post("/v1/files", data={"purpose": purpose}, files={"file": (name, content)})

    def create(self, file_id: str, token: str = "t", **body: Any) -> httpx.Response:
        asked = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}
        return self.post("/v1/batches", json=asked | {"metadata": {"batchtui_token": token}} | body)

    def batch(self, content: bytes, **body: Any) -> dict[str, Any]:
        """Uploads and creates."""
        return dict(self.create(self.upload(content).json()["id"], **body).raise_for_status().json())

    def until(self, batch_id: str, *states: str) -> dict[str, Any]:
        """Polls until the batch is in one of these states, the ended ones by default."""
        awaited = states or ("completed", "failed", "expired", "cancelled")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            batch = self.get(f"/v1/batches/{batch_id}").raise_for_status().json()
            if batch["status"] in awaited:
                return dict(batch)
            time.sleep(0.01)
        raise AssertionError(f"still {batch['status']}")

    def lines(self, file_id: str | None) -> list[dict[str, Any]]:
        """A result file, decoded; none for no file."""
        if file_id is None:
            return []
        return [json.loads(line) for line in self.get(f"/v1/files/{file_id}/content").text.splitlines()]

    def ledger(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.get("/__ledger").text.splitlines()]


def rows(count: int, prompt: str = "row {}", model: str = "demo-small") -> bytes:
    """An input file with the ids r0, r1, …"""
    lines = (
        {
            "custom_id": f"r{n}",
            "method": "POST",
            "url": CHAT,
            "body": {"model": model, "messages": [{"role": "user", "content": prompt.format(n)}]},
        }
        for n in range(count)
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture
def client_of() -> Iterator[Callable[[DemoServer], Client]]:
    clients: list[Client] = []

    def make(server: DemoServer) -> Client:
        clients.append(Client(base_url=server.url, timeout=60))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def demo(
    demo_server: Callable[..., DemoServer], client_of: Callable[[DemoServer], Client]
) -> Callable[..., Client]:
    """`demo("drop=1")`: a client of a new server with these faults."""
    return lambda faults="", **options: client_of(demo_server(faults, **options))


@pytest.fixture(name="rows")
def rows_fixture() -> Callable[..., bytes]:
    return rows
