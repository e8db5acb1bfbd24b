"""What an open app sends to its terminal and costs while 50 batches are under way, beside htop at the same size and time.

Run: python -m tests.benchmarks.live [seconds]. The demo server runs them for eight minutes; they are polled each 15 s, and
each poll brings another count. Each line: name, value, unit, ratio, goal, PASS or FAIL; without htop its lines are SKIP.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchtui.config import load_config
from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, SourceSpec
from batchtui.store.library import Library
from tests.benchmarks.idle import SIZE, cpu
from tests.benchmarks.report import line
from tests.terminal.terminals import Pty, clean_env

BATCHES, JOBS = 50, 2_000
POLL = 15.0
WORKING = 480
"""Seconds that the server takes for each, the first tenth without a count."""
UNDER_WAY = 75.0
"""Seconds until all were sent and their counts move."""
OF_A_CORE = 0.03


@contextmanager
def demo(config: Path) -> Iterator[None]:
    """A demo server whose batches take their time; its configuration polls as a real provider's does."""
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
    command += ["--faults", f"duration={WORKING}s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_env()) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            while not config.exists():
                time.sleep(0.05)
            said = config.read_text()
            assert "poll_interval = 0.2" in said
            config.write_text(said.replace("poll_interval = 0.2", f"poll_interval = {POLL}"))
            yield
        finally:
            process.terminate()


def make(folder: Path) -> None:
    """Batches that nobody has sent yet: the app does."""
    rows = (json.dumps({"id": f"job-{n}", "text": f"Question {n}"}) for n in range(JOBS))
    (folder / "rows.jsonl").write_text("\n".join(rows))
    library, backends = (
        Library(folder / "data"),
        Backends(load_config(folder / "config.toml", env={}), env={}),
    )
    for n in range(BATCHES):
        spec = BatchSpec(
            name=f"live {n}",
            backend="openai",
            source=SourceSpec(file="rows.jsonl"),
            job={"model": "demo-small", "prompt": "{{ text }}", "max_tokens": 60},
        )
        draft = library.draft()
        create(plan(spec, folder, backends, draft=draft), draft)


class Heard:
    """Bytes and CPU of a program on a terminal of its own, over the same seconds as those of the others."""

    def __init__(self, program: list[str], env: dict[str, str]) -> None:
        self.pty = Pty(env, size=SIZE, program=program)
        self._bytes, self._cpu = 0, 0.0

    def begin(self) -> None:
        self._bytes, self._cpu = len(self.pty.written), cpu(self.pty.pid)

    def over(self, seconds: float) -> tuple[float, float]:
        """Bytes a second, and the share of a core."""
        return (len(self.pty.written) - self._bytes) / seconds, (cpu(self.pty.pid) - self._cpu) / seconds


def listen(heard: list[Heard], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for one in heard:
            one.pty.read(0.05)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    htop = shutil.which("htop")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with demo(folder / "config.toml"):
            make(folder)
            env = clean_env(
                BATCHTUI_CONFIG=str(folder / "config.toml"),
                BATCHTUI_DATA_DIR=str(folder / "data"),
                HOME=name,
                TERM="xterm-256color",
            )
            app = Heard([sys.executable, "-m", "batchtui"], env)
            heard = [app, *([Heard([htop], env)] if htop else [])]
            try:
                listen(heard, UNDER_WAY)
                for one in heard:
                    one.begin()
                listen(heard, seconds)
                figures = [one.over(seconds) for one in heard]
                shown = app.pty.text()
            finally:
                for one in heard:
                    one.pty.close()
    assert f"{BATCHES} processing" in shown, shown
    passed = line("live-50-cpu", 100 * figures[0][1], "%", figures[0][1] / OF_A_CORE, 1)
    if htop:
        sent, peer = figures[0][0], figures[1][0]
        passed &= line("live-50-bytes", sent, "B/s", sent / peer, 1)
        print(f"# htop: {peer:.0f} B/s, {100 * figures[1][1]:.1f} % of a core", file=sys.stderr)
    else:
        print(f"live-50-bytes SKIP htop is not installed; ours are {figures[0][0]:.0f} B/s")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
