"""A provider in OpenAI's form that keeps what was made, and gives one odd reply or one odd file of results."""

from __future__ import annotations

import gzip
import json
import re
import threading
from io import BufferedIOBase

from batchtui.model import Json
from tests.engine.provider import Provider, Write, good

CREATE, POLL = "POST /v1/batches", "GET /v1/batches/batch_1"
OUTPUT = "GET /v1/files/output/content"
OFTEN = 1000
"""As often as a run may ask within a test."""


class Odd(Provider):
    """Lists what was made, as a provider does. `output` stands for the file of results, its ids as they were sent."""

    def __init__(self, output: bytes | None = None, **batch: Json) -> None:
        super().__init__(lambda ids: {"output": "".join(map(good, ids))}, **batch)
        self._server.handle_error = lambda *_: None  # a client that leaves in the middle is no fault here
        self.output = output
        self.over = threading.Event()
        self.hidden = 0
        """How many lists do not show yet what was made."""
        self.id = "batch_1"

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, str | bytes]:
        status, text = super().reply(method, path, body)
        call = f"{method} {path.split('?')[0]}"
        if call == "GET /v1/batches":
            listed = [self._object() | one for one in self.made] if self.hidden <= 0 else []
            self.hidden -= 1
            return 200, json.dumps({"data": listed, "has_more": False})
        if call == OUTPUT and self.output is not None:
            return 200, as_sent(self.output, self._ids[0][:-1])
        return status, text

    def _object(self) -> dict[str, Json]:
        return super()._object() | {"id": self.id}

    def drip(self, wire: BufferedIOBase) -> None:
        """A byte now and then, until the test is over."""
        wire.write(head(200, {"Content-Length": "100000"}))
        while not self.over.wait(0.5):
            wire.write(b" ")
            wire.flush()


def as_sent(output: bytes, before: str) -> bytes:
    """The ids of a file as this batch sent them: each with what stands before it on the wire."""
    return re.sub(rb'("custom_id":\s*")', lambda found: found[1] + before.encode(), output)


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} X",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """A reply over the wire; a length of its own stands as it is."""
    return head(status, {"Content-Length": str(len(body))} | headers) + body


def bomb() -> bytes:
    """150 MB, put together from pieces so that making it costs little."""
    return whole(200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 10_000_000, 9) * 15)


def nested() -> bytes:
    return whole(200, {}, b"[" * 200_000 + b"]" * 200_000)


def flood() -> bytes:
    return whole(200, {f"X-Flood-{n}": "x" * 20 for n in range(10_000)}, b"{}")


__all__ = ["CREATE", "OFTEN", "OUTPUT", "POLL", "Odd", "Write", "bomb", "flood", "nested", "whole"]
