"""A quarter of a million jobs of 1 kB through kind `openai`: split to its limits, sent, collected and read in order.

Run: python -m tests.benchmarks.quarter_million [jobs [jobs a submission]]. The demo server runs in a process of its
own and answers in shuffled order. Each line: name, value, unit, ratio, goal, PASS or FAIL.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from batchtui.backends import http  # noqa: F401  loaded before memory is measured
from batchtui.backends.openai import backend as openai  # noqa: F401  loaded before memory is measured
from batchtui.config import load_config
from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import Backends
from batchtui.engine.worker import Worker
from batchtui.model import BatchSpec, Json, LimitsSpec, SourceSpec
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from tests.benchmarks.report import line

JOBS = 250_000
PROMPT = 850
"""Characters of a prompt, so that a line of the input file has about 1 kB."""
MOST_JOBS, MOST_BYTES, MEMORY = 50_000, 200_000_000, 100.0
DEADLINE = 1800.0


@contextmanager
def demo(config: Path) -> Iterator[str]:
    """A demo server in a process of its own; answers its address."""
    command = [
        sys.executable,
        "-m",
        "batchtui",
        "demo",
        "--serve",
        "--port",
        "0",
        "--config-out",
        str(config),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.wait()


class Memory:
    """Growth of the process's peak, from the moment of its making, in MB."""

    def __init__(self) -> None:
        self.reset()
        self._start = self._read("VmRSS")

    def reset(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> float:
        return (self._read("VmHWM") - self._start) / 1024

    def _read(self, name: str) -> int:
        text = Path("/proc/self/status").read_text()
        return next(int(one.split()[1]) for one in text.splitlines() if one.startswith(f"{name}:"))


def write_source(path: Path, jobs: int) -> None:
    filler = "lorem ipsum dolor sit amet " * 40
    with path.open("w") as file:
        for n in range(jobs):
            text = f"Question {n:06}: {filler}"[:PROMPT]
            file.write(json.dumps({"id": f"job-{n:06}", "text": text}) + "\n")


def drive(worker: Worker, batch_id: str) -> BatchFolder:
    worker.drive(batch_id)
    assert worker.wait({batch_id}, DEADLINE), worker.log()[-5:]
    folder = worker.folder(batch_id)
    assert folder
    return folder


def in_order(folder: BatchFolder, jobs: int) -> int:
    """Jobs whose result stands at its place in the source and answers its own question."""
    good = 0
    for n in range(jobs):
        result = folder.result(n)
        good += result.job_id == f"job-{n:06}" and f"Question {n:06}" in (result.raw_response or "")
    return good


def uploads(url: str) -> list[dict[str, Json]]:
    with urlopen(f"{url}/v1/files?purpose=batch") as reply:
        return list(json.load(reply)["data"])


def ledger(url: str) -> list[dict[str, Json]]:
    with urlopen(f"{url}/__ledger") as reply:
        return [entry for entry in map(json.loads, reply) if entry["op"] == "create"]


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    most = int(sys.argv[2]) if len(sys.argv) > 2 else MOST_JOBS
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        write_source(base / "rows.jsonl", jobs)
        with demo(base / "config.toml") as url:
            return 0 if measure(base, url, jobs, most) else 1


def measure(base: Path, url: str, jobs: int, most: int) -> bool:
    config = load_config(base / "config.toml", env={})
    library, backends = Library(base / "data"), Backends(config, env={})
    spec = BatchSpec(
        name="quarter million",
        backend="openai",
        source=SourceSpec(file="rows.jsonl"),
        job={"model": "demo-small", "prompt": "{{ text }}", "max_tokens": 60},
        limits=LimitsSpec(jobs_per_submission=most),
    )
    memory, begin = Memory(), time.perf_counter()
    draft = library.draft()
    planned = plan(spec, base, backends, draft=draft)
    folder = create(planned, draft)
    planned_in, planning = time.perf_counter() - begin, memory.peak()
    passed = line("plan", planned_in / jobs * 1e6, "us/job", planned_in / jobs * 1e6 / 150, 1)
    passed &= line("plan-memory", planning, "MB", planning / MEMORY, 1)

    memory.reset()
    worker = Worker(library, Backends(config, env={}), drive_all=False)
    worker.start()
    begin = time.perf_counter()
    folder = drive(worker, folder.id)
    took, driving = time.perf_counter() - begin, memory.peak()
    worker.stop()
    sent = ledger(url)
    sizes = [one["bytes"] for one in uploads(url)]
    passed &= line("submissions", len(sent), "", -(-jobs // most) / len(sent), 1)
    passed &= line("largest-submission", max(len(one["job_ids"]) for one in sent), "jobs",
                   max(len(one["job_ids"]) for one in sent) / most, 1)  # fmt: skip
    passed &= line("largest-file", max(sizes) / 1e6, "MB", max(sizes) / MOST_BYTES, 1)
    passed &= line("bytes-a-job", sum(sizes) / jobs, "B", 900 / (sum(sizes) / jobs), 1)
    passed &= line("drive", took / jobs * 1e6, "us/job", took / jobs * 1e6 / 1000, 1)
    passed &= line("drive-memory", driving, "MB", driving / MEMORY, 1)

    memory.reset()
    begin = time.perf_counter()
    good = in_order(folder, jobs)
    read = time.perf_counter() - begin
    passed &= line("joined-in-order", good, "jobs", 2 - good / jobs, 1)
    passed &= line("read", read / jobs * 1e6, "us/job", read / jobs * 1e6 / 100, 1)
    return passed & line("read-memory", memory.peak(), "MB", memory.peak() / MEMORY, 1)


if __name__ == "__main__":
    raise SystemExit(main())
