"""A provider in OpenAI's form whose batch ends at once with whatever files a test gives it, over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType

from batchtui.config import load_config
from batchtui.model import Json
from tests.engine.bench import Bench

Ids = list[str]
Files = dict[str, str]
Write = Callable[[BufferedIOBase], None]
"""Writes a reply piece by piece."""


class Provider:
    """`answer(ids)` gives the batch's files by name (`output`, `errors`), `batch` what else its object says.

    A file whose text is None is named by the batch and gone (404). `calls` counts the reads of each path.
    """

    def __init__(self, answer: Callable[[Ids], dict[str, str | None]], **batch: Json) -> None:
        self.batch: dict[str, Json] = {"status": "completed", **batch}
        self.calls: list[str] = []
        self.bodies: dict[str, bytes] = {}
        self.refuse: dict[str, tuple[int, Json]] = {}
        """Replies by method and path, such as `POST /v1/batches`, in place of the usual ones."""
        self.raw: dict[str, list[bytes | Write]] = {}
        """Whole replies as they go over the wire, by method and path, each once before the usual ones; b"" hangs up."""
        self.made: list[dict[str, Json]] = []
        """The bodies of all creates."""
        self.file_object: dict[str, Json] = {}
        self._answer = answer
        self._ids: Ids = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Provider:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bench(self, folder: Path, **table: Json) -> Bench:
        fields = {
            "kind": "openai",
            "base_url": f"{self.url}/v1",
            "poll_interval": 0.1,
            "settle": 0.5,
            **table,
        }
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
        (folder / "config.toml").write_text(f"[backends.openai]\n{lines}")
        return Bench(folder, load_config(folder / "config.toml", env={}))

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, str | bytes]:
        call = f"{method} {path.split('?')[0]}"
        self.calls.append(call)
        self.bodies[call] = body
        if call == "POST /v1/batches":
            self.made.append(json.loads(body))
        if call in self.refuse:
            status, value = self.refuse[call]
            return status, value if isinstance(value, str) else json.dumps(value)
        if call == "POST /v1/files":
            head = next(part for part in body.split(b"\r\n\r\n") if part.startswith(b"{"))
            lines = head.split(b"\r\n--")[0].splitlines()
            self._ids = [json.loads(line)["custom_id"] for line in lines]
            return 200, json.dumps({"id": "file-in"})
        if call == "GET /v1/batches":
            return 200, json.dumps({"data": [], "has_more": False})
        if "/v1/batches" in call:
            return 200, json.dumps(self._object())
        if call.endswith("/content"):
            text = self._answer(self._ids)[path.split("/")[3]]
            return (404, "{}") if text is None else (200, text)
        return 200, json.dumps(self.file_object)

    def _object(self) -> dict[str, Json]:
        files = self._answer(self._ids)
        named = {"output_file_id": "output", "error_file_id": "errors"}
        return {"id": "batch_1", **{key: name for key, name in named.items() if name in files}, **self.batch}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            call = f"{self.command} {self.path.split('?')[0]}"
            if provider.raw.get(call):
                provider.reply(self.command, self.path, body)
                odd = provider.raw[call].pop(0)
                self.wfile.write(odd) if isinstance(odd, bytes) else odd(self.wfile)
                self.close_connection = True
                return
            status, text = provider.reply(self.command, self.path, body)
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def good(wire_id: str, text: str = "fine", **more: Json) -> str:
    body = {"choices": [{"message": {"content": text}}]}
    row = {"custom_id": wire_id, "response": {"status_code": 200, "body": body}, "error": None, **more}
    return json.dumps(row) + "\n"


def bad(wire_id: str, message: str = "no", status: int = 400) -> str:
    body = {"error": {"message": message, "type": "invalid_request_error", "code": "invalid_prompt"}}
    return (
        json.dumps({"custom_id": wire_id, "response": {"status_code": status, "body": body}, "error": None})
        + "\n"
    )
