"""A service of batches in OpenAI's form that remembers every step: it can be put back to where it stood at any moment."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from batchtui.backends.file_batches.objects import TOKEN_KEY
from batchtui.model import Json

TOKEN = re.compile(rb"[a-z0-9]{6}-\d+-[0-9a-f]{8}")
_ROW = re.compile(rb'^\{"custom_id".*\}\r?$', re.MULTILINE)


@dataclass
class Batch:
    """One that was created, and is paid for."""

    id: str
    token: str
    file_id: str
    jobs: list[str]
    """Words of the prompts, which tell the jobs apart."""
    created: float = field(default_factory=lambda: time.time())
    looks: int = 0
    duration: float = 0.0
    answers: int | None = None
    """How many of its jobs it answers before it expires; None: all of them."""

    @property
    def answered(self) -> list[str]:
        return self.jobs[: self.answers]

    @property
    def ended(self) -> float:
        """When that was or will be, in Unix seconds."""
        return self.created + self.duration

    @property
    def output(self) -> str:
        return f"out-{self.id}"


class BatchService:
    """`looks`: how often a batch is asked for before it has ended."""

    def __init__(self, looks: int = 1) -> None:
        self.files: dict[str, bytes] = {}
        self.deleted: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.creates: list[Batch] = []
        """All of them, in order, also of before it was put back."""
        self.calls: Counter[tuple[str, str]] = Counter()
        """By account and method."""
        self.held: set[str] = set()
        """Accounts (`/ACCOUNT/v1` in the address) that are kept in the state of their name, see `_kept`."""
        self.duration = 0.0
        """Seconds that a batch takes which is created now."""
        self.expires_half = False
        """Whether such a batch expires with half of its jobs answered."""
        self._looks = looks
        self._numbers = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> BatchService:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def close(self) -> None:
        self._server.server_close()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def write_config(self, path: Path, **table: Json) -> None:
        fields = {
            "kind": "openai",
            "base_url": f"{self.url}/v1",
            "poll_interval": 0.1,
            "settle": 0.2,
            **table,
        }
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
        path.write_text(f'[backends.openai]\n{lines}[prices."demo"]\ninput = 1.0\noutput = 2.0\n')

    # ---- what it remembers

    def stand_at(self, tokens: set[str], files: dict[str, bytes], batches: dict[str, Batch]) -> None:
        """Where these tokens had been created, and no others, with those files and batches to take them from."""
        with self._lock:
            self.files = dict(files)
            self.batches = {id_: batch for id_, batch in batches.items() if batch.token in tokens}
            self.creates = list(self.batches.values())

    def forget(self) -> None:
        """As if it had never been asked for anything."""
        self.stand_at(set(), {}, {})

    def times_made(self) -> Counter[str]:
        """How often each job was created."""
        return Counter(job for batch in self.creates for job in batch.jobs)

    # ---- what it answers

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        account, _, place = path.split("?")[0].lstrip("/").rpartition("v1/")
        with self._lock:
            self.calls[account.rstrip("/"), method] += 1
            held = account.rstrip("/") if account.rstrip("/") in self.held else ""
            if reply := self._kept(held, method, place):
                return reply
            match method, place.split("/"):
                case "POST", ["files"]:
                    return self._upload(body)
                case "POST", ["batches"]:
                    made = self._create(json.loads(body))
                    return (503, b"{}") if held == "unsure" else made
                case "GET", ["batches"]:
                    newest = sorted(self.batches.values(), key=lambda batch: -batch.created)
                    return _json({"data": [self._shown(batch) for batch in newest], "has_more": False})
                case "GET", ["batches", id_] if id_ in self.batches:
                    self.batches[id_].looks += held in ("", "collecting")
                    return _json(self._shown(self.batches[id_]))
                case "GET", ["files", id_, "content"] if id_ in self.files:
                    return 200, self.files[id_]
                case "GET", ["files", id_] if id_ in self.files:
                    return _json({"id": id_, "bytes": len(self.files[id_])})
                case "DELETE", ["files", id_]:
                    self.deleted[id_] = self.files.pop(id_, b"")
                    return _json({"id": id_, "deleted": True})
        return 404, b'{"error": {"message": "not found"}}'

    def _kept(self, held: str, method: str, place: str) -> tuple[int, bytes] | None:
        """What keeps an account in its state: no upload, no list after a create that was lost, no results."""
        refused = {
            "waiting": (method, place) == ("POST", "files"),
            "unsure": (method, place) == ("GET", "batches"),
            "collecting": place.endswith("/content"),
        }
        return (503, b"{}") if refused.get(held) else None

    def _new(self, what: str) -> str:
        self._numbers += 1
        return f"{what}-{self._numbers:06}"

    def _upload(self, body: bytes) -> tuple[int, bytes]:
        id_ = self._new("file")
        self.files[id_] = b"".join(row.strip() + b"\n" for row in _ROW.findall(body))
        return _json({"id": id_, "bytes": len(self.files[id_])})

    def _create(self, asked: dict[str, Json]) -> tuple[int, bytes]:
        rows = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        words = [row["body"]["messages"][-1]["content"] for row in rows]
        batch = Batch(self._new("batch"), asked["metadata"][TOKEN_KEY], asked["input_file_id"], words)
        batch.duration, batch.answers = self.duration, len(words) // 2 if self.expires_half else None
        self.expires_half = False
        self.batches[batch.id] = batch
        self.creates.append(batch)
        answers = (_answer(row["custom_id"], word) for row, word in zip(rows, batch.answered, strict=False))
        self.files[batch.output] = b"".join(answers)
        return _json(self._shown(batch))

    def _shown(self, batch: Batch) -> dict[str, Json]:
        over = not batch.duration or time.time() >= batch.ended
        ended = over and batch.looks >= self._looks
        done = len(batch.jobs) * min(batch.looks, self._looks) // max(1, self._looks)
        if ended:
            done = len(batch.answered)
        state = "in_progress" if not ended else "completed" if batch.answers is None else "expired"
        return {
            "id": batch.id,
            "status": state,
            "input_file_id": batch.file_id,
            "output_file_id": batch.output if ended else None,
            "created_at": int(batch.created),
            "metadata": {TOKEN_KEY: batch.token},
            "request_counts": {"total": len(batch.jobs), "completed": done, "failed": 0},
        }


def _json(value: Json) -> tuple[int, bytes]:
    return 200, json.dumps(value).encode()


def _answer(custom_id: str, words: str) -> bytes:
    usage = {"prompt_tokens": 5, "completion_tokens": 7}
    choice = {"message": {"role": "assistant", "content": f"answer to {words}"}, "finish_reason": "stop"}
    reply = {"status_code": 200, "body": {"choices": [choice], "usage": usage}}
    return json.dumps({"custom_id": custom_id, "response": reply, "error": None}).encode() + b"\n"


def _handler(service: BatchService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, data = service.reply(self.command, self.path, body)
            head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(data)}\r\nContent-Type: application/json\r\n\r\n"
            self.wfile.write(head.encode() + data)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *args: object) -> None:
            pass

    return Handler
