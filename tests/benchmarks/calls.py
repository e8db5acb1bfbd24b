"""What a trivial Python call costs the program itself: 1,000 of them on two warm workers.

Run: python -m tests.benchmarks.calls [jobs]
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

from batchtui.model import Json
from tests.benchmarks.report import line
from tests.engine.bench import Bench
from tests.work.pool_help import FOLDER, MODULE

GOAL_MS = 1.5


def _cpu(thread: threading.Thread) -> float:
    """Seconds of processor time of one thread."""
    assert thread.ident
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    job: dict[str, Json] = {
        "call": f"{MODULE}:double",
        "arguments": {"x": "{{ id[1:] }}"},
        "python_path": [str(FOLDER)],
    }
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        batch = bench.create(bench.spec("local", jobs, job, concurrency=2))
        thread = next(one for one in threading.enumerate() if one.name == "batchtui-worker")
        begin, before = time.perf_counter(), _cpu(thread)
        status = bench.drive(batch.id).status()
        wall, used = time.perf_counter() - begin, _cpu(thread) - before
        bench.close()
    assert status.completed == jobs
    print(f"{jobs} calls on 2 workers: {wall:.3f} s from the start of the first worker to the end")
    each = used / jobs * 1000
    return 0 if line("engine processor time a call", each, "ms", each / GOAL_MS, 1.0) else 1


if __name__ == "__main__":
    raise SystemExit(main())
