"""A task API on loopback that no kind was written for: tasks one by one, or many in a crate, over real sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LONG_KEY, USER_KEY = "lab-key-of-nobody-0123456789", "user-key-of-nobody-987654321"
PAGE = 3


@dataclass
class TaskApi:
    """What it holds, what it was asked, and what goes wrong next."""

    url: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    lose: int = 0
    """Replies to creates that are lost after the work was done."""
    elsewhere: int = 0
    """Status of a redirect by which the next creates are answered once the work is done; 0: they are not."""
    fail: int = 0
    """Creates that are answered by a 500 and make nothing."""
    busy: int = 0
    """Creates that are refused by a 429."""
    forget_token: bool = False
    """The token runs out at the next call but a sign-in."""
    seconds: float = 0.0
    """How long a task takes."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str, path: str) -> int:
        return sum(1 for called, at in self.calls if called == method and at.startswith(path))

    def answer(self, method: str, target: str, headers: dict[str, str], body: Any) -> tuple[int, Any] | None:
        parts = urlsplit(target)
        path, query = parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.calls.append((method, target))
        if path == "/api/session":
            if body != {"lab": LONG_KEY, "who": {"user": USER_KEY}}:
                return 401, {"message": f"no such user: {body}"}
            self.tokens.append(f"session-token-number-{len(self.tokens)}")
            return 200, {"session": {"token": self.tokens[-1]}, "ttl": 3600}
        if self.forget_token and self.tokens:
            self.forget_token = False
            self.tokens[-1] = "used up"
        if headers.get("x-session") != (self.tokens[-1] if self.tokens else None):
            return 401, {"message": f"not signed in: {headers.get('x-session')}"}
        if method == "POST" and path in ("/api/tasks", "/api/crates"):
            return self.create(path, query, headers, body)
        if method == "GET" and path == "/api/tasks":
            return 200, self.listed(query)
        task = self.tasks.get(path.split("/")[3])
        if task is None:
            return 404, {"message": "no such task"}
        self.advance(task)
        rest = path.split("/")[4:]
        if rest == ["stop"]:
            if task["state"] in ("DONE", "BROKEN", "STOPPED"):
                return 409, {"message": "it has ended"}
            task["state"] = "STOPPED"
            return 200, {}
        if rest == ["output"]:
            number = task["output_number"]
            if "crate" in task:
                made = [_made(item) for item in task["crate"]]
                start = int(query.get("from", 0))
                return 200, {"made": made[start : start + PAGE], "more": start + PAGE < len(made)}
            return 200, {"output": {"text": task["text"].upper(), "number": number}, "cost": {"usd": 0.25}}
        return 200, _shown(task)

    def create(self, path: str, query: dict[str, str], headers: dict[str, str], body: Any) -> Any:
        if self.busy:
            self.busy -= 1
            return 429, {"message": "later"}
        if self.fail:
            self.fail -= 1
            return 500, {"message": "broken"}
        if path == "/api/tasks" and body["text"] == "refuse me":
            return 422, {"message": "text: not a text for us"}
        task_id = f"t/{len(self.tasks) + 1}"  # a slash: it must be quoted in every address
        mark = headers.get("x-mark") or body.get("mark")
        task = {"id": task_id, "mark": mark, "made": time.time(), "state": "QUEUED", **body}
        task["output_number"] = 100 + len(self.tasks)
        self.tasks[task_id.replace("/", "%2F")] = task
        if self.lose:
            self.lose -= 1
            return None
        if self.elsewhere:
            return self.elsewhere, {}
        return 202, {"data": {"task": {"uid": task_id, "number": task["output_number"]}}}

    def listed(self, query: dict[str, str]) -> Any:
        tasks = list(self.tasks.values())[::-1]
        for task in tasks:
            self.advance(task)
        start = int(query.get("mark") or 0)
        following = str(start + PAGE) if start + PAGE < len(tasks) else None
        return {"tasks": [_shown(task) for task in tasks[start : start + PAGE]], "next": following}

    def advance(self, task: dict[str, Any]) -> None:
        if task["state"] in ("QUEUED", "WORKING_ON_IT"):
            done = time.time() - task["made"] >= self.seconds
            task["state"] = (
                "WORKING_ON_IT" if not done else "BROKEN" if task.get("text") == "break" else "DONE"
            )


def _shown(task: dict[str, Any]) -> dict[str, Any]:
    trouble = {"code": 7, "message": "it broke"} if task["state"] == "BROKEN" else None
    share = {"DONE": 1.0, "QUEUED": 0.0}.get(task["state"], 0.5)
    keys = ("id", "state", "mark")
    return {key: task[key] for key in keys} | {"share": share, "step": "mixing", "trouble": trouble}


def _made(item: dict[str, Any]) -> dict[str, Any]:
    if item["text"] == "break":
        return {"name": item["name"], "trouble": "it broke"}
    return {"name": item["name"], "text": item["text"].upper()}


@contextmanager
def task_api() -> Iterator[TaskApi]:
    api = TaskApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            with api.lock:
                answer = api.answer(self.command, self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            data = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = serve

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
