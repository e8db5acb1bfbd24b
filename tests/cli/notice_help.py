"""A receiver of webhooks on this machine, which keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from batchtui.model import Json


@dataclass
class Call:
    path: str
    token: str | None
    body: Json


@dataclass
class Receiver:
    port: int
    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Of the next answers; then 200."""
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, nothing is answered."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self) -> list[str]:
        return [call.body["event"] for call in self.calls]


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            got.calls.append(Call(self.path, self.headers.get("Authorization"), json.loads(data)))
            while got.silent.is_set() and not got.over.wait(0.05):
                pass
            self.send_response(got.statuses.pop(0) if got.statuses else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    got = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield got
    finally:
        got.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
