"""Answers POSTs from a list, in order, the last one again and again; GET /__calls says how many came. Standard library only.

python reply_server.py replies.json [PORT]      replies: [{"status": 200, "headers": {}, "body": {...} or "text": "..."}]
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPLIES = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
CALLS = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, data, headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        what = (
            {"calls": len(CALLS), "bodies": CALLS}
            if self.path == "/__calls"
            else {"object": "list", "data": [{"id": "m"}]}
        )
        self.answer(200, json.dumps(what).encode(), {})

    def do_POST(self):
        CALLS.append(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null"))
        reply = REPLIES[min(len(CALLS), len(REPLIES)) - 1]
        data = reply["text"] if "text" in reply else json.dumps(reply.get("body"))
        self.answer(reply.get("status", 200), data.encode(), reply.get("headers", {}))


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8099), Handler)
print(json.dumps({"base_url": f"http://127.0.0.1:{server.server_port}/v1"}), flush=True)
server.serve_forever()
