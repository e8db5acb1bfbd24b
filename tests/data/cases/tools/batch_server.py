"""OpenAI's Files and Batches with canned answers: row n of an upload gets line n of a file. Standard library only.

    python batch_server.py lines.jsonl [PORT] [--ready-after SECONDS] [--output-id-length N]
        [--upload-status WORD] [--forgotten LOOKS]

A line: {"status_code": 200, "body": {...}, "error": null}. GET /__calls tells what was asked.
"""

import argparse
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ask = argparse.ArgumentParser()
ask.add_argument("lines")
ask.add_argument("port", nargs="?", type=int, default=8098)
ask.add_argument("--ready-after", type=float, default=0)
ask.add_argument("--output-id-length", type=int, default=0)
ask.add_argument("--upload-status", default="processed")
ask.add_argument("--forgotten", type=int, default=0)
SAID = ask.parse_args()
LINES = [json.loads(line) for line in Path(SAID.lines).read_text(encoding="utf-8").splitlines()]
FILES, BATCHES, CALLS = {}, {}, []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def file(self, name):
        pending = time.time() - FILES[name][1] < SAID.ready_after
        return {
            "id": name,
            "object": "file",
            "purpose": "batch",
            "bytes": len(FILES[name][0]),
            "status": "pending" if pending else SAID.upload_status,
        }

    def batch(self, one):
        one["polls"] += 1
        done = one["polls"] > 2
        count = {"total": one["rows"], "completed": one["rows"] if done else 0, "failed": 0}
        return {
            **one["shown"],
            "status": "completed" if done else "in_progress",
            "output_file_id": one["out"] if done else None,
            "error_file_id": None,
            "request_counts": count,
        }

    def do_GET(self):
        path = self.path.split("?")[0].removeprefix("/v1/")
        if path == "/__calls":
            return self.answer(200, CALLS)
        if found := re.fullmatch(r"files/(.+)/content", path):
            return self.answer(200, FILES[found[1]][0])
        if path in ("batches", "files"):
            shown = [self.batch(one) for one in BATCHES.values()] if path == "batches" else []
            return self.answer(200, {"object": "list", "data": shown, "has_more": False})
        kind, _, name = path.partition("/")
        if kind == "files" and name in FILES:
            return self.answer(200, self.file(name))
        if name in BATCHES and SAID.forgotten > 0:
            SAID.forgotten -= 1
            return self.answer(404, {"error": {"message": "unknown"}})
        return (
            self.answer(200, self.batch(BATCHES[name]))
            if name in BATCHES
            else self.answer(404, {"error": {"message": "unknown"}})
        )

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.removeprefix("/v1/")
        CALLS.append({"time": time.time(), "path": path})
        if path == "files":
            name = f"file-{len(CALLS)}"
            FILES[name] = (re.search(rb'name="file".*?\r\n\r\n(.*)\r\n--', data, re.S)[1], time.time())
            return self.answer(200, self.file(name))
        asked = json.loads(data)
        name = asked["input_file_id"]
        if self.file(name)["status"] == "pending":
            return self.answer(
                400,
                {
                    "error": {
                        "code": "invalidPayload",
                        "message": f"Input file {name} is not in a valid state: pending",
                    }
                },
            )
        rows = [json.loads(line) for line in FILES[name][0].decode().splitlines() if line.strip()]
        out = "file-out" + "x" * max(0, SAID.output_id_length - 8)
        text = ""
        for row, line in zip(rows, LINES * len(rows), strict=False):
            response = {
                "status_code": line.get("status_code", 200),
                "request_id": "q",
                "body": line.get("body"),
            }
            text += (
                json.dumps(
                    {
                        "id": "b",
                        "custom_id": row["custom_id"],
                        "response": response,
                        "error": line.get("error"),
                    }
                )
                + "\n"
            )
        FILES[out] = (text.encode(), 0.0)
        made = f"batch_{len(CALLS)}"
        shown = {
            "id": made,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": name,
            "completion_window": "24h",
            "created_at": int(time.time()),
            "expires_at": int(time.time()) + 86400,
            "metadata": asked.get("metadata"),
            "errors": None,
        }
        BATCHES[made] = {"shown": shown, "polls": 0, "rows": len(rows), "out": out}
        return self.answer(200, self.batch(BATCHES[made]))


server = ThreadingHTTPServer(("127.0.0.1", SAID.port), Handler)
print(json.dumps({"base_url": f"http://127.0.0.1:{server.server_port}/v1"}), flush=True)
server.serve_forever()
