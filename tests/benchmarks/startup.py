"""Start-up against its floors: `--version` against bare Python, the first frame against a bare Textual table.

Run: python -m tests.benchmarks.startup. Each line: name, value, unit, ratio, goal, PASS or FAIL.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.report import line

ROUNDS = 11
FLOOR_APP = """
from textual.app import App
from textual.widgets import DataTable, Footer, Header
class Floor(App):
    def compose(self):
        yield Header(); yield DataTable(); yield Footer()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("name", "state")
        for n in range(20):
            table.add_row(f"row-{n}", "ready-made")
Floor().run()
"""


def process_seconds(command: list[str], env: dict[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def first_frame_seconds(command: list[str], env: dict[str, str], shows: bytes) -> float:
    """From exec to the moment the terminal has received `shows`."""
    begin = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, env | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"})
    seen = b""
    while shows not in seen:
        assert select.select([fd], [], [], 20)[0], f"no first frame from {command}: {seen[-500:]!r}"
        seen += os.read(fd, 65536)
    took = time.perf_counter() - begin
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(fd)
    return took


def paired(ours: Callable[[], float], floor: Callable[[], float]) -> tuple[float, float]:
    """Medians of both, run by turns so that a busy machine burdens them alike."""
    pairs = [(ours(), floor()) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def main() -> int:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    script = str(Path(sys.executable).with_name("batchtui"))
    version = (
        [script, "--version"] if Path(script).exists() else [sys.executable, "-m", "batchtui", "--version"]
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.toml").write_text("")
        (folder / "floor.py").write_text(FLOOR_APP)
        env |= {"BATCHTUI_DATA_DIR": str(folder / "data"), "BATCHTUI_CONFIG": str(folder / "config.toml")}
        app = version[:-1]
        process_seconds(version, env)  # once for the bytecode
        ours, floor = paired(
            lambda: process_seconds(version, env),
            lambda: process_seconds([sys.executable, "-c", "pass"], env),
        )
        passed = line("version", ours * 1000, "ms", ours / floor, 1.5)
        frame, bare = paired(
            lambda: first_frame_seconds(app, env, b"Quit"),
            lambda: first_frame_seconds([sys.executable, str(folder / "floor.py")], env, b"ready-made"),
        )
        passed &= line("first-frame", frame * 1000, "ms", frame / bare, 1.4)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
