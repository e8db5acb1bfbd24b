"""P9: a connection that is cut at any point of a transfer: no torn result is taken, nothing goes up again after its create."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.engine.shared import backoff
from tests.engine.provider import Provider, good
from tests.promises.whole import figure

JOB = {"prompt": "{{ text }}", "model": "m"}
PARTS = 50
ROWS = 4
CUTS = range(0, PARTS, PARTS // figure(5, PARTS))
"""Fiftieths of a transfer that get through."""
CONTENT, UPLOAD, CREATE = "GET /v1/files/output/content", "POST /v1/files", "POST /v1/batches"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE", 0.02)


def answers(ids: list[str]) -> str:
    return "".join(good(one, f"answer {place}") for place, one in enumerate(ids))


def whole_once(provider: Provider, made: int) -> None:
    """One upload that counted before one create, and nothing of it again."""
    assert len(provider.made) == made
    last = max(at for at, call in enumerate(provider.calls) if call == UPLOAD)
    assert last < provider.calls.index(CREATE)


@pytest.mark.parametrize("cut", CUTS)
def test_p9_a_download_that_is_cut(tmp_path: Path, cut: int) -> None:
    with Provider(
        lambda ids: {"output": answers(ids)}, request_counts={"total": ROWS, "completed": ROWS, "failed": 0}
    ) as provider:
        usual = provider.reply

        def reply(method: str, path: str, body: bytes) -> tuple[int, str]:
            if f"{method} {path}" == CREATE:
                data = answers(provider._ids).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
                provider.raw[CONTENT] = [head + data[: len(data) * cut // PARTS]]
            return usual(method, path, body)

        provider.reply = reply  # type: ignore[method-assign]
        bench = provider.bench(tmp_path)
        try:
            folder = bench.run(bench.spec("openai", ROWS, JOB))
        finally:
            bench.close()
        assert [folder.result(n).raw_response for n in range(ROWS)] == [f"answer {n}" for n in range(ROWS)]
        stored = (folder.path / "results.jsonl").read_bytes().splitlines()[1:]
        assert len(stored) == ROWS
        assert provider.calls.count(CONTENT) >= 2
        whole_once(provider, 1)


class CutFront:
    """Passes connections on to a server; of the first upload only so many bytes, and then it hangs up."""

    def __init__(self, port: int, share: float) -> None:
        self._port, self._share = port, share
        self.cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            left: int | None = None
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    if left is None and not self.cut and data.startswith(b"POST /v1/files "):
                        self.cut = True
                        left = int(_length_of(data) * self._share)
                    if left is None:
                        server.sendall(data)
                        continue
                    server.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        return


def _pump(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := server.recv(65536):
            client.sendall(data)


def _length_of(data: bytes) -> int:
    """Bytes of a request, head and body."""
    head, _, _ = data.partition(b"\r\n\r\n")
    (said,) = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(head) + 4 + int(said.split(b":")[1])


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(lambda ids: {"output": answers(ids)}) as running:
        yield running


@pytest.mark.parametrize("cut", CUTS)
def test_p9_an_upload_that_is_cut(tmp_path: Path, provider: Provider, cut: int) -> None:
    front = CutFront(int(provider.url.rpartition(":")[2]), cut / PARTS)
    try:
        bench = provider.bench(tmp_path, base_url=f"{front.url}/v1")
        try:
            folder = bench.run(bench.spec("openai", ROWS, JOB))
        finally:
            bench.close()
    finally:
        front.close()
    assert front.cut
    assert folder.status().completed == ROWS
    assert folder.result(ROWS - 1).raw_response == f"answer {ROWS - 1}"
    whole_once(provider, 1)
