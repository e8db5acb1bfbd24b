"""Replies without end: they stop at a limit, and the process stays below 300 MB whatever comes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

MEMORY = 300_000_000
SENT = 400 << 20
"""As much as the server sends at most, so that a missing limit ends the test as well."""
PIECE = 1 << 20

ASKED = """
import asyncio, json, resource, sys
from batchtui.backends.http import Http
def peak():  # of this program alone: what the system counts for a child begins with its parent's
    try:
        with open("/proc/self/status") as status:
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
async def main():
    http, words, kept = Http(sys.argv[1]), [], []
    for _ in range(3):
        try:
            if sys.argv[2] == "lines":
                async for line in http.stream_lines("GET", sys.argv[3]):
                    pass
                words.append("ended")
            else:
                await http.request_json("GET" if sys.argv[2] == "poll" else "POST", sys.argv[3], create=sys.argv[2] == "create")
        except Exception as fault:
            words.append(str(fault))
            kept.append(fault)
    print(json.dumps([words, peak()]))
asyncio.run(main())
"""


class Endless(BaseHTTPRequestHandler):
    """`/spaces`, `/digits`, `/objects`: JSON that never ends; `/packed`: the same as gzip; `/line`: one line."""

    def do_GET(self) -> None:
        kind = self.path.rsplit("/", 1)[1]
        piece = {"digits": b"7" * PIECE, "objects": b'{"a":"\xc3\xa9"},' * (PIECE // 11)}.get(
            kind, b" " * PIECE
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if kind == "packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        try:
            packer = zlib.compressobj(wbits=31)
            head = packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
            packed = packer.compress(piece * 16) + packer.flush(zlib.Z_FULL_FLUSH)
            self.wfile.write(head if kind == "packed" else b"[")
            for _ in range(SENT // PIECE // 16):
                for _ in range(1 if kind == "packed" else 16):
                    self.wfile.write(packed if kind == "packed" else piece)
        except OSError:
            return

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("poll", "spaces"),
        ("poll", "objects"),
        ("poll", "packed"),
        ("create", "digits"),
        ("lines", "line"),
        ("lines", "packed"),
    ],
)
def test_it_stops_and_memory_stays_flat(server: str, call: str, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED, server, call, f"/x/{kind}"], capture_output=True, text=True, check=True
    )
    words, peak = json.loads(done.stdout)
    assert len(words) == 3
    if call != "lines":
        assert all("over the limit" in said for said in words), words
    assert peak < MEMORY
