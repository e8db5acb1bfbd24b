"""A batch half sent, and what was paid for: for tests of copies, bundles, and stores that were set back."""

from __future__ import annotations

import collections
import subprocess
import time
from pathlib import Path
from typing import Any

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli

JOBS = 40
ROWS = "id,text\n" + "".join(f"q{n},Question {n}\n" for n in range(JOBS))
BATCH = """name = "k"
backend = "{backend}"
[source]
file = "rows.csv"
[job]
model = "demo-small"
prompt = "{{{{ text }}}}"
[limits]
jobs_per_submission = 10
submissions_at_once = 1
"""
WAIT = 60.0


def prepare(cli: Cli, backend: str = "openai") -> None:
    """The batch file and its rows."""
    (cli.folder / "rows.csv").write_text(ROWS)
    (cli.folder / "k.toml").write_text(BATCH.format(backend=backend))


def paid(server: DemoServer) -> tuple[int, int]:
    """How many jobs were paid for, and how often in all."""
    made = [entry for entry in server.ledger() if entry["op"] == "create" and entry["status"] == 200]
    jobs = collections.Counter(job for entry in made for job in entry["job_ids"])
    return len(jobs), sum(jobs.values())


def begin(cli: Cli, results: int) -> subprocess.Popen[str]:
    """A run under way, once that many results are stored."""
    process = cli.start("run", "k.toml", "--yes", "--trust", "--no-input")
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = list(data_of(cli).glob("batches/*/results.jsonl"))
        if found and found[0].read_bytes().count(b"\n") > results:
            return process
        time.sleep(0.01)
    raise AssertionError("it does not get on")


def data_of(cli: Cli) -> Path:
    return cli.folder / "data"


def over(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=WAIT)
    return int(process.returncode)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def status_of(cli: Cli, **env: str) -> dict[str, Any]:
    return dict(cli("status", "k", "--json", **env).documents[0])
