"""One life of a batchtui process: begun, looked at, killed or waited for."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE = 200.0
"""Seconds after which a process that neither ends nor dies counts as hung."""


class Life:
    """A process that the nursery forked; `code` is None while it lives, and the negative signal that ended it."""

    def __init__(self, nursery: Nursery, pid: int, out: Path, err: Path) -> None:
        self.pid, self.out, self.err = pid, out, err
        self.code: int | None = None
        self._nursery = nursery

    def ended(self, within: float = 0.0) -> bool:
        """Whether it has ended, after at most so many seconds."""
        if self.code is None and (status := self._nursery.status(within)) is not None:
            self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def kill(self, number: int = signal.SIGKILL) -> None:
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):  # it ended this very moment
                os.kill(self.pid, number)

    def wait(self, seconds: float = DEADLINE) -> int:
        if not self.ended(seconds):
            self.kill()
            self.ended(10.0)
            raise AssertionError(f"it did not end within {seconds:g} s; it said: {self.said()}")
        assert self.code is not None
        return self.code

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def said(self) -> str:
        """The end of what it wrote to stderr."""
        return self.err.read_text("utf-8", "replace")[-2_000:] if self.err.exists() else ""


class Nursery:
    """The process that forks them, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.nursery"],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._unread = b""
        self._last: Life | None = None

    def close(self) -> None:
        if self._last:
            self._last.kill()
        self._process.kill()  # it has nothing to put in order
        self._process.communicate()

    def begin(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        point: str = "",
        nth: int = 1,
        *,
        number: int = signal.SIGKILL,
        err: str | None = None,
    ) -> Life:
        """A process that runs this command, and gets that signal when it passes `point` for the `nth` time.

        `err`: where its stderr goes, such as a terminal; else to a file.
        """
        assert self._last is None or self._last.code is not None, "one at a time"
        out, said = self._folder / "out", self._folder / "err"
        order = {"argv": list(argv), "env": dict(env), "out": str(out), "err": err or str(said)}
        order |= {"point": point, "nth": nth, "signal": int(number)}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._last = Life(self, self._line(DEADLINE), out, said)
        return self._last

    def _line(self, within: float) -> int:
        number = self.status(within)
        assert number is not None, "the nursery does not answer"
        return number

    def status(self, within: float) -> int | None:
        """The next number that it prints; None where none came in time."""
        assert self._process.stdout
        end = time.monotonic() + within
        while b"\n" not in self._unread:
            left = max(0.0, end - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                return None
            piece = os.read(self._process.stdout.fileno(), 4096)
            assert piece, "the nursery died"
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return int(line)
