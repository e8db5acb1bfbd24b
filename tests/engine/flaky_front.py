"""A server before the demo server that lets status calls fail as often as asked, each in the way asked."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx


class FlakyFront:
    """From the first create on, `failures` status calls fail by `how`: `502`, `hang` or `dns`; the rest goes through."""

    def __init__(self, target: str, how: str, failures: int) -> None:
        self.target, self.how, self.left, self.failed = target, how, failures, 0
        self.armed = False
        self._lock = threading.Lock()
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                front.answer(self, "GET")

            def do_POST(self) -> None:
                front.answer(self, "POST")

            def log_message(self, *arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._client = httpx.Client(base_url=target, timeout=20)
        self._resolve = socket.getaddrinfo

    @property
    def url(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        if self.how == "dns":
            socket.getaddrinfo = self._unresolved
        return self

    def __exit__(self, *why: object) -> None:
        socket.getaddrinfo = self._resolve
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    def _fails(self) -> bool:
        with self._lock:
            if not self.armed or self.left == 0:
                return False
            self.left -= 1
            self.failed += 1
            return True

    def _unresolved(self, host: object, *rest: object, **more: object) -> object:
        if host in ("localhost", b"localhost") and self._fails():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self._resolve(host, *rest, **more)  # type: ignore[arg-type]

    def answer(self, request: BaseHTTPRequestHandler, method: str) -> None:
        """Connections end with their reply, so every call resolves and connects anew."""
        status_call = method == "GET" and "/batches" in request.path
        if status_call and self.how != "dns" and self._fails():
            if self.how == "hang":
                time.sleep(0.5)
                return
            request.send_response(502)
            request.end_headers()
            request.wfile.write(b"<html>Bad Gateway</html>")
            return
        length = int(request.headers.get("content-length") or 0)
        body = request.rfile.read(length)
        skipped = ("host", "connection", "content-length", "accept-encoding")
        headers = {key: value for key, value in request.headers.items() if key.lower() not in skipped}
        reply = self._client.request(method, request.path, content=body, headers=headers)
        request.send_response(reply.status_code)
        request.send_header("content-type", reply.headers.get("content-type", ""))
        request.end_headers()
        request.wfile.write(reply.content)
        if method == "POST" and request.path.endswith("/batches") and reply.is_success:
            self.armed = True
