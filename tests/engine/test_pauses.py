"""A create that a busy server does not take: repeated once it is surely not there, never sooner than was asked for."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.engine.shared import backoff
from batchtui.engine.shared.pauses import Pauses
from batchtui.model import Json
from tests.engine.bench import Bench
from tests.engine.provider import Provider, good

JOB: dict[str, Json] = {"prompt": "{{ text }}", "model": "m"}
CREATE = "POST /v1/batches"


class Busy(Provider):
    """Refuses the first creates, and notes when each came."""

    def __init__(self, refusals: list[tuple[int, Json]]) -> None:
        super().__init__(lambda ids: {"output": "".join(map(good, ids))})
        self.refusals = refusals
        self.times: list[float] = []

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        if f"{method} {path}" == CREATE:
            self.times.append(time.monotonic())
            self.refuse = {CREATE: self.refusals.pop(0)} if self.refusals else {}
        return super().reply(method, path, body)

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]


@pytest.mark.parametrize(
    "refusal",
    [
        (503, {"error": {"message": "overloaded, please retry after 1.2 seconds"}}),  # looked up in between
        (503, {"error": {"message": "Loading model", "type": "unavailable_error"}, "retry_after": 1.2}),
        (429, {"error": {"message": "slow down", "details": [{"retryDelay": "1.2s"}]}}),
        (200, {"error": {"message": "Rate limit exceeded; try again in 1.2s", "code": "429"}}),
    ],
)
def test_a_create_is_repeated_no_sooner_than_was_asked(tmp_path: Path, refusal: tuple[int, Json]) -> None:
    with Busy([refusal, refusal]) as provider:
        bench = provider.bench(tmp_path, settle=0.05)
        try:
            folder = bench.run(bench.spec("openai", 2, JOB))
        finally:
            bench.close()
    assert folder.status().completed == 2
    assert len(provider.times) == 3
    assert min(provider.gaps) >= 1.2


def test_pauses_grow_while_it_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff.random, "uniform", lambda low, high: high)
    pauses = Pauses()
    assert [pauses.hold(1) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pauses.hold(2, asked=7.0) == pytest.approx(7.7)
    assert pauses.left(1) > pauses.left(2) > 0 >= pauses.left(3)
    pauses.over(1)
    assert pauses.left(1) <= 0
    assert pauses.hold(1) == 1


class Limited(BaseHTTPRequestHandler):
    """Says three times that it is too much, and not for how long; then answers."""

    left = 3

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = 200 if Limited.left <= 0 else 429
        Limited.left -= 1
        body = {"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}
        data = json.dumps(body if status == 200 else {"error": {"message": "slow down"}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        return


def test_a_rate_limit_without_a_time_is_met_with_growing_pauses(tmp_path: Path) -> None:
    Limited.left = 3
    with ThreadingHTTPServer(("127.0.0.1", 0), Limited) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        (tmp_path / "config.toml").write_text(f'[backends.chat]\nkind = "chat"\nbase_url = "{url}"\n')
        bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env={}))
        try:
            folder = bench.run(bench.spec("chat", 1, JOB, retries=0))
        finally:
            bench.close()
            server.shutdown()
    assert folder.status().completed == 1
    waits = [event["wait"] for event in folder.events() if event["event"] == "retry"]
    assert len(waits) == 3
    for wait, most in zip(waits, (1, 2, 4), strict=True):
        assert most / 2 <= wait <= most
