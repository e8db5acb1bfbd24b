"""What an open app costs while nothing happens, and how soon it is there, by the batches in the store.

Run: python -m tests.benchmarks.idle [seconds] [batches …]. Bytes are those that the terminal received; CPU is user and system
of the app, beside that of a bare Textual table. Each line: name, value, unit, ratio, goal, PASS or FAIL.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from unittest import mock

from batchtui.store.library import Library
from tests.benchmarks.report import line
from tests.benchmarks.startup import FLOOR_APP
from tests.terminal.terminals import Pty, clean_env
from tests.tui.samples import Sample

SIZE = (160, 48)
LEAVE_OUT = 10.0
"""Quiet seconds before anything counts: toasts go, which stand for six, and the worker has looked at every batch."""
MORE_OF_A_CORE = 0.02
FRAME = {20: 1.25, 200: 1.3, 2000: 1.6}
"""How many times the bare table's first frame ours may cost."""
ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Seen:
    first_frame: float
    """CPU seconds until it stood there."""
    idle_share: float
    """Of one core."""
    idle_bytes: int


def store(path: Path, batches: int) -> None:
    """Ended batches of two jobs each, of long ago."""
    library = Library(path)
    with mock.patch("os.fsync"):
        for n in range(batches):
            sample = Sample(library, f"b{n:05}", f"batch {n}", ["1", "2"], remote=False, age=9e6 + n)
            sample.finish(0, raw_response="ok")
            sample.finish(1, raw_response="ok")
            sample.end()
            sample.close()


def cpu(pid: int) -> float:
    """Seconds, to the microsecond: by the clock that the kernel keeps of each process (`clock_getcpuclockid`)."""
    return time.clock_gettime((~pid << 3) | 2)


def first_frame(app: Pty, shows: bytes) -> float:
    """CPU seconds at the moment in which the terminal has received `shows`; what comes after the paint is not among them."""
    while shows not in app.written:
        app.take()
    return cpu(app.pid)


def listen(app: Pty, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        app.read(min(0.2, left))


def seen(program: list[str], env: dict[str, str], shows: bytes, seconds: float) -> Seen:
    app = Pty(env, size=SIZE, program=program)
    try:
        first = first_frame(app, shows)
        listen(app, LEAVE_OUT)
        begin, written = cpu(app.pid), len(app.written)
        listen(app, seconds)
        return Seen(first, (cpu(app.pid) - begin) / seconds, len(app.written) - written)
    finally:
        app.close()


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:]]
    seconds, counts = (numbers or [60])[0], numbers[1:] or [20, 200, 2000]
    passed = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.toml").write_text("")
        (folder / "floor.py").write_text(FLOOR_APP)
        env = clean_env(BATCHTUI_CONFIG=str(folder / "config.toml"), HOME=name, TERM="xterm-256color")
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        first: dict[int, float] = {}
        for count in counts:
            data = folder / str(count)
            store(data, count)
            ours = env | {"BATCHTUI_DATA_DIR": str(data)}
            runs = [
                (
                    seen([sys.executable, "-m", "batchtui"], ours, b"b00000", seconds),
                    seen([sys.executable, str(folder / "floor.py")], env, b"ready-made", seconds),
                )
                for _ in range(ROUNDS)
            ]
            app, bare = (Seen(*map(min, *map(astuple, side))) for side in zip(*runs, strict=True))
            first[count] = app.first_frame
            frame = app.first_frame / bare.first_frame
            passed &= line(f"first-frame-{count}", app.first_frame, "s", frame, FRAME.get(count, 1.6))
            more = app.idle_share - bare.idle_share
            passed &= line(f"idle-cpu-{count}", 100 * app.idle_share, "%", more / MORE_OF_A_CORE, 1)
            passed &= line(f"idle-bytes-{count}", app.idle_bytes / seconds, "B/s", app.idle_bytes, 0)
        if len(counts) > 1:
            growth = first[counts[-1]] / first[counts[0]]
            passed &= line(f"first-frame-{counts[-1]}-over-{counts[0]}", first[counts[-1]], "s", growth, 1.3)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
