"""The service of kind `wordqueue`, in memory: python wordqueue_server.py [port].

POST   /batches             {"token": "…", "texts": [{"id": "…", "text": "…"}]}  →  {"id": "…"}
GET    /batches             {"batches": [{"id", "token", "state", "done", "total"}]}
GET    /batches/ID          the same of one; 404 where there is none
GET    /batches/ID/results  one {"id": "…", "words": n} a line, once it is done
DELETE /batches/ID          cancels it
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLLS = 2
"""Looks after which a batch is done."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    batches: dict[str, dict[str, object]]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = f"batch-{len(self.batches) + 1}"
        texts = asked["texts"]
        self.batches[name] = {
            "id": name,
            "token": asked["token"],
            "state": "waiting",
            "done": 0,
            "total": len(texts),
        }
        self.batches[name]["texts"] = texts
        self.answer({"id": name})

    def do_GET(self) -> None:
        _, _, name, *rest = [*self.path.split("/"), ""]
        if not name:
            self.answer({"batches": [self.shown(batch) for batch in self.batches.values()]})
        elif name not in self.batches:
            self.answer({"error": "no such batch"}, 404)
        elif rest[:1] == ["results"]:
            texts = self.batches[name]["texts"] if self.batches[name]["state"] == "done" else []
            assert isinstance(texts, list)
            self.send(200, b"".join(self.counted(one) for one in texts), "application/jsonl")
        else:
            batch = self.batches[name]
            looks = batch["looks"] = int(str(batch.get("looks", 0))) + 1
            if batch["state"] != "cancelled":
                batch["state"] = "done" if looks >= POLLS else "counting"
                batch["done"] = batch["total"] if looks >= POLLS else 0
            self.answer(self.shown(batch))

    def do_DELETE(self) -> None:
        batch = self.batches.get(self.path.split("/")[2])
        if batch and batch["state"] != "done":
            batch["state"] = "cancelled"
        self.answer({} if batch else {"error": "no such batch"}, 200 if batch else 404)

    def shown(self, batch: dict[str, object]) -> dict[str, object]:
        return {key: batch[key] for key in ("id", "token", "state", "done", "total")}

    def counted(self, one: dict[str, str]) -> bytes:
        return json.dumps({"id": one["id"], "words": len(one["text"].split())}).encode() + b"\n"

    def answer(self, told: object, status: int = 200) -> None:
        self.send(status, json.dumps(told).encode(), "application/json")

    def send(self, status: int, body: bytes, form: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def server(port: int = 0) -> ThreadingHTTPServer:
    """Of an empty queue."""
    handler = type("Handler", (Handler,), {"batches": {}})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


@contextmanager
def running() -> Iterator[str]:
    """Its address, while it runs in a thread."""
    one = server()
    one.daemon_threads = True
    threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{one.server_address[1]}"
    finally:
        one.shutdown()
        one.server_close()


if __name__ == "__main__":
    server(int(sys.argv[1]) if sys.argv[1:] else 8765).serve_forever()
