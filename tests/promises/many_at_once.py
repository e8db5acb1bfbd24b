"""Many commands on ended batches at once: each ends with its exit code, none by a signal.

Run: nice python -m tests.promises.many_at_once [CALLS [AT_ONCE [COMMAND …]]], 1,000 calls of each command, 32 at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ("cancel", "status", "retry", "resume", "tag", "limit", "pause", "archive")
ARGUMENTS = {"tag": ("seen",), "limit": ("cost_usd=9",)}
BATCHES = 4


class Ended:
    """Some ended batches in a folder of their own, and calls of commands on them."""

    def __init__(self, folder: Path) -> None:
        (folder / "config.toml").write_text("")
        (folder / "rows.csv").write_text("id\na\nb\nc\n")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.env = kept | {
            "BATCHTUI_DATA_DIR": str(folder / "data"), "BATCHTUI_CONFIG": str(folder / "config.toml"),
            "HOME": str(folder), "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        for n in range(BATCHES):
            path = folder / f"b{n}.toml"
            path.write_text(
                f'name = "b{n}"\nbackend = "local"\n[source]\nfile = "rows.csv"\n[job]\ncommand = ["true"]\n'
            )
            assert self.call("run", str(path), "--trust", "-q") == 0

    def call(self, *arguments: str) -> int:
        """The exit code; minus the number of the signal that ended it."""
        command = [sys.executable, "-m", "batchtui", *arguments]
        return subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True).returncode

    def often(self, command: str, calls: int, at_once: int) -> Counter[int]:
        """How often that command ended with which code."""
        with ThreadPoolExecutor(at_once) as pool:
            more = ARGUMENTS.get(command, ())
            return Counter(pool.map(lambda n: self.call(command, f"b{n % BATCHES}", *more), range(calls)))


def by_signal(codes: Counter[int]) -> int:
    return sum(count for code, count in codes.items() if code < 0)


def main(arguments: Sequence[str]) -> int:
    calls, at_once = (*map(int, arguments[:2]), *(1000, 32)[len(arguments[:2]) :])
    killed = 0
    with tempfile.TemporaryDirectory() as folder:
        ended = Ended(Path(folder))
        for command in arguments[2:] or COMMANDS:
            begin = time.monotonic()
            codes = ended.often(command, calls, at_once)
            killed += by_signal(codes)
            seconds = time.monotonic() - begin
            print(
                f"{command}: {calls} calls, {at_once} at a time, exit codes {dict(codes)}, "
                f"{by_signal(codes)} by a signal ({seconds:.0f} s)",
                flush=True,
            )
    return 1 if killed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
