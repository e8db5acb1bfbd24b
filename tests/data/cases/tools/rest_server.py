"""A task API with canned answers: `submit`, `poll` (in order, the last again) and `result` of a JSON file. Standard library only.

python rest_server.py replies.json [PORT]       a reply: {"status": 200, "headers": {}, "body": ...}
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with open(sys.argv[1], encoding="utf-8") as file:
    SAID = json.load(file)
POLLS = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, reply):
        data = json.dumps(reply["body"]).encode() if "body" in reply else b""
        self.send_response(reply.get("status", 200))
        for name, value in {"Content-Type": "application/json", **reply.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(SAID["submit"])

    def do_GET(self):
        if self.path == "/__calls":
            return self.answer({"body": POLLS})
        if self.path.endswith("/result"):
            return self.answer(SAID["result"])
        POLLS.append(self.path)
        return self.answer(SAID["poll"][min(len(POLLS), len(SAID["poll"])) - 1])


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8097), Handler)
print(json.dumps({"base_url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
server.serve_forever()
