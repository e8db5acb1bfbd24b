"""Many jobs to a backend's limits: split by count and bytes, streamed, joined in source order. The full size is
tests/benchmarks/quarter_million.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.model import BatchSpec, SourceSpec
from tests.engine.bench import Bench

ROOT = Path(__file__).parents[2]
JOBS, MOST_BYTES = 3000, 300_000


def test_no_file_passes_the_limit_of_bytes_and_results_stand_in_source_order(
    tmp_path: Path, demo_server: type[DemoServer]
) -> None:
    server = demo_server("duration=200ms")
    server.write_config(tmp_path / "config.toml")
    text = (tmp_path / "config.toml").read_text()
    table = f"[backends.openai]\nbytes_per_submission = {MOST_BYTES}\njobs_per_submission = 1000\n"
    (tmp_path / "config.toml").write_text(text.replace("[backends.openai]\n", table))
    bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env={}))
    try:
        with (tmp_path / "rows.jsonl").open("w") as file:
            for n in range(JOBS):
                file.write(
                    json.dumps({"id": f"job-{n:06}", "text": f"Question {n} of many: " + "é" * (n % 150)})
                    + "\n"
                )
        spec = BatchSpec(
            backend="openai",
            source=SourceSpec(file="rows.jsonl"),
            job={"model": "demo-small", "prompt": "{{ text }}"},
        )
        folder = bench.run(spec)
        assert [folder.result(n).job_id for n in range(JOBS)] == [f"job-{n:06}" for n in range(JOBS)]
        assert all(f"Question {n} of many" in (folder.result(n).raw_response or "") for n in range(JOBS))
        with urlopen(f"{server.url}/v1/files?purpose=batch") as reply:
            sizes = [one["bytes"] for one in json.load(reply)["data"]]
        assert max(sizes) <= MOST_BYTES
        assert min(sorted(sizes)[1:]) > MOST_BYTES - 3000, "every file but the last is full"
        assert sum(one.jobs for one in bench.status(folder).submissions or []) == JOBS
        with (folder.path / "raw/1-output.jsonl").open() as answers:
            arrived = [json.loads(line)["custom_id"] for line in answers]
        assert arrived != sorted(arrived), "they did arrive shuffled"
    finally:
        bench.close()


@pytest.mark.timeout(120)
def test_memory_does_not_grow_with_the_files() -> None:
    """10,000 jobs of 1 kB are 10 MB up and 10 MB down."""
    pytest.importorskip("uvicorn", reason="needs the extra `demo`")
    command = [sys.executable, "-m", "tests.benchmarks.quarter_million", "10000", "1250"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    figures = {words[0]: words for words in map(str.split, ran.stdout.splitlines())}
    for name in ("plan-memory", "submissions", "largest-submission", "drive-memory", "joined-in-order"):
        assert figures[name][-1] == "PASS", ran.stdout + ran.stderr
    assert float(figures["submissions"][1]) == 8
    assert float(figures["drive-memory"][1]) < 40
