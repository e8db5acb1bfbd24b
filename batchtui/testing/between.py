"""What stands between a backend and its server in tests: it hands on, and does on request what a network does."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_NOT_HANDED_ON = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_WAIT = 30.0
"""Seconds that the server behind may take for a reply."""


@dataclass(slots=True)
class _Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


_Fault = Callable[[Callable[[], _Reply]], tuple[_Reply, int] | None]
"""Takes what asks the server; answers the reply with how many bytes of its body go out, or None to hang up."""


class Between:
    """A server on loopback, in a thread, in front of the one at `base_url`; its own address is `url`.

    `seen` holds every request as `METHOD /path`, with what stands after a `?`. A fault is for the requests that its regular
    expression finds in that, and holds until `quiet`.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._behind = parts.netloc
        self.seen: list[str] = []
        self._faults: list[tuple[re.Pattern[str], _Fault]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{parts.path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, requests: str) -> int:
        """How many requests came that the regular expression finds."""
        return sum(re.search(requests, one) is not None for one in self.seen)

    def lose(self, requests: str) -> None:
        """The server does what these ask, and its reply is never heard."""

        def lost(ask: Callable[[], _Reply]) -> None:
            ask()

        self._faults.append((re.compile(requests), lost))

    def cut(self, requests: str) -> None:
        """The bodies of these replies break off in the middle."""

        def half(ask: Callable[[], _Reply]) -> tuple[_Reply, int]:
            reply = ask()
            return reply, len(reply.body) // 2

        self._faults.append((re.compile(requests), half))

    def answer(self, requests: str, status: int, body: bytes = b"{}", **headers: str) -> None:
        """These do not reach the server; they are answered so. `retry_after="1"` is the header Retry-After."""
        named = [("Content-Type", "application/json")]
        named += [(name.replace("_", "-").title(), value) for name, value in headers.items()]
        reply = _Reply(status, named, body)
        self._faults.append((re.compile(requests), lambda ask: (reply, len(body))))

    def quiet(self) -> None:
        """From here on everything is handed on as it comes."""
        self._faults.clear()

    def _reply(self, request: str, ask: Callable[[], _Reply]) -> tuple[_Reply, int] | None:
        self.seen.append(request)
        for pattern, fault in tuple(self._faults):
            if pattern.search(request):
                return fault(ask)
        reply = ask()
        return reply, len(reply.body)

    def _ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> _Reply:
        connection = http.client.HTTPConnection(self._behind, timeout=_WAIT)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return _Reply(reply.status, reply.getheaders(), reply.read())
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Nothing is printed."""

            def _any(self) -> None:
                body = self._body()
                headers = [
                    (name, value)
                    for name, value in self.headers.items()
                    if name.lower() not in _NOT_HANDED_ON
                ]
                sent = between._reply(
                    f"{self.command} {self.path}",
                    lambda: between._ask(self.command, self.path, headers, body),
                )
                self.close_connection = True
                if sent is None:
                    return
                reply, length = sent
                self.send_response_only(reply.status)
                for name, value in reply.headers:
                    if name.lower() not in _NOT_HANDED_ON:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(reply.body[:length])

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                chunks = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
                return b"".join(chunks)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

        return Handler
