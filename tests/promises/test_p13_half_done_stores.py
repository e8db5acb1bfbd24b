"""P13: batches that an earlier version left half done open, export and go on as that version left them.

Each was left by a driver that was killed: with two of four jobs done (`local`, `chat`), or with one submission at its
server (`openai`), whose replies `openai_said.json` holds word for word. The files are of 29 November 2026, when engine,
store and results were one folder each.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batchtui.backends.openai.backend import OpenAIBackend
from batchtui.demo.server import DemoServer
from batchtui.model import Json
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import prove
from tests.promises.inside import Inside
from tests.store.store_help import drive

OLD = Path(__file__).parents[1] / "data/old_stores"
LOCAL, CHAT, OPENAI = "sge4n6", "c4yaje", "884f9m"
WORDS = ["one\n", "two\n", "three\n", "four\n"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BATCHTUI_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "config.toml").touch()
    return tmp_path


def _stored(place: Path, batch_id: str) -> tuple[Path, Inside]:
    """The batch alone in a data folder that is at home here, and commands over it."""
    path = place / "data/batches" / batch_id
    shutil.copytree(OLD / batch_id, path)
    return path, Inside(place / "data", place / "config.toml")


def _bytes(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.glob("*.json*")}


def _resume(path: Path, batchtui: Inside) -> None:
    """Drives it to its end; every line that was there stays."""
    before = _bytes(path)
    writer = drive(BatchFolder(path))
    writer.take_home()
    writer.close()
    ran = batchtui("resume", path.name)
    assert ran.code == 0, ran
    for name in ("jobs.jsonl", "events.jsonl", "results.jsonl"):
        assert (path / name).read_bytes().startswith(before[name]), name
    assert prove(path).faults == []


def _exported(batchtui: Inside, place: Path, batch_id: str) -> list[dict[str, Json]]:
    out = place / "out.jsonl"
    ran = batchtui("export", batch_id, "--out", str(out))
    assert ran.code in (0, 1), ran
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("batch_id", "done"), [(LOCAL, 2), (CHAT, 2), (OPENAI, 0)])
def test_p13_a_half_done_store_is_shown_and_exported_and_not_touched(
    place: Path, batch_id: str, done: int
) -> None:
    path, batchtui = _stored(place, batch_id)
    before = _bytes(path)
    assert prove(path).faults == []
    (listed,) = batchtui("list", "--json").documents
    assert (listed["id"], listed["total"], listed["completed"]) == (batch_id, 4, done)
    rows = _exported(batchtui, place, batch_id)
    stored = [json.loads(line) for line in before["results.jsonl"].splitlines()[1:]]
    assert [row["raw_response"] for row in rows if row["raw_response"]] == [
        one["raw_response"] for one in stored
    ]
    assert _bytes(path) == before


def test_p13_a_half_done_batch_of_programs_goes_on(place: Path) -> None:
    path, batchtui = _stored(place, LOCAL)
    _resume(path, batchtui)
    assert [row["raw_response"] for row in _exported(batchtui, place, LOCAL)] == WORDS


def test_p13_a_half_done_batch_of_chat_goes_on(place: Path) -> None:
    path, batchtui = _stored(place, CHAT)
    first = [json.loads(line) for line in (path / "results.jsonl").read_text().splitlines()[1:]]
    with DemoServer() as server:
        server.write_config(place / "config.toml")
        _resume(path, batchtui)
        sent = [entry["job_ids"] for entry in server.ledger()]
    assert sorted(sent) == [["r2"], ["r3"]]
    rows = _exported(batchtui, place, CHAT)
    assert [row["raw_response"] for row in rows[:2]] == [one["raw_response"] for one in first]
    assert "three" in str(rows[2]["raw_response"])


@contextmanager
def _as_it_was() -> Iterator[tuple[str, list[str]]]:
    """A server that answers as the one did at which the submission is, and notes what else it is asked for."""
    said: dict[str, str] = json.loads((OLD / "openai_said.json").read_bytes())
    other: list[str] = []

    class Recorded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = said.get(self.path.removeprefix("/v1"))
            if found is None:
                other.append(f"GET {self.path}")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write((found or '{"error": {"message": "none", "code": null}}').encode())

        def do_POST(self) -> None:
            other.append(f"POST {self.path}")
            self.send_response(400)
            self.end_headers()

        def log_request(self, code: object = None, size: object = None) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Recorded) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1", other
        finally:
            server.shutdown()
            thread.join()


def test_p13_a_submission_that_an_earlier_version_sent_is_brought_home_and_not_sent_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, batchtui = _stored(place, OPENAI)
    account = json.loads((path / "batch.json").read_bytes())["accounts"]["openai"]
    monkeypatch.setattr(OpenAIBackend, "account", lambda _: account)  # the port was another one
    with _as_it_was() as (url, other):
        table = f'[backends.openai]\nkind = "openai"\nbase_url = "{url}"\npoll_interval = 0.2\n'
        (place / "config.toml").write_text(table)
        _resume(path, batchtui)
    assert [line for line in other if line.startswith("POST")] == []
    rows = _exported(batchtui, place, OPENAI)
    assert [(row["job_id"], row["status"]) for row in rows] == [(f"r{n}", "completed") for n in range(4)]
    assert all(
        f"“{word.strip()}”" in str(row["raw_response"]) for row, word in zip(rows, WORDS, strict=True)
    ), rows
