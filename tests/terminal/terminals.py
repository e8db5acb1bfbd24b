"""Real terminals: tmux sessions that are typed into and read, and bare pseudo-terminals whose every byte is kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

from tests.extras import require_program

DEADLINE = 60.0
QUIET = 0.06
"""Seconds without a byte after which the app has painted what a key asked for."""
ESCAPE = b"\x1b[27u"
"""The Escape key as the Kitty keyboard protocol writes it. The bare byte is a key only if nothing follows it for a
while, and with the next key another one: a test that presses several would rest on the clock."""


def clean_env(**more: str) -> dict[str, str]:
    """This process's environment without our own variables and keys."""
    ours = ("BATCHTUI_", "OPENAI_", "TMUX", "COLUMNS", "LINES")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    if kept.get("TERM") in (None, "dumb", "unknown"):  # as where nobody looks
        kept["TERM"] = "xterm"
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2]), "LANG": "C.UTF-8"} | more


class Tmux:
    """One program in a tmux window of its own server."""

    def __init__(self, env: Mapping[str, str], *arguments: str, size: tuple[int, int] = (80, 24)) -> None:
        require_program("tmux")
        self._socket = f"batchtui-{os.getpid()}-{time.monotonic_ns()}"
        command = shlex.join([sys.executable, "-m", "batchtui", *arguments])
        settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in env.items() if key.isidentifier())
        self._tmux(
            "new-session", "-d", "-s", "s", "-x", str(size[0]), "-y", str(size[1]),
            f"env -i {settings} TERM=tmux-256color {command}; echo [left with $?]; exec sleep 600",
        )  # fmt: skip

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *arguments], capture_output=True, text=True)
        return done.stdout

    @property
    def attach(self) -> tuple[str, ...]:
        """The command of a client."""
        return ("tmux", "-L", self._socket, "attach", "-t", "s")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: Enter, Escape, Tab, C-c, x."""
        for key in keys:
            literal = ("-l", ESCAPE.decode()) if key == "Escape" else (key,)
            self._tmux("send-keys", "-t", "s", *literal)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-t", "s", "-l", text)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "s")

    def shows(self, *texts: str, deadline: float = DEADLINE) -> str:
        """Wait until every text is on the screen; the screen."""
        end = time.monotonic() + deadline
        while not all(text in (screen := self.screen()) for text in texts):
            assert time.monotonic() < end, f"never showed {texts}:\n{screen}"
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        self._tmux("kill-server")


class Pty:
    """A program on a pseudo-terminal; everything it writes is kept, byte for byte."""

    def __init__(
        self,
        env: Mapping[str, str],
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        program: Sequence[str] = (sys.executable, "-m", "batchtui"),
    ) -> None:
        self.written = b""
        self._screen = pyte.Screen(*size)
        self._stream, self._fed = pyte.ByteStream(self._screen), 0
        window = struct.pack("HHHH", size[1], size[0], 0, 0)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, window)
            os.execvpe(program[0], [*program, *arguments], dict(env))
        self.before = termios.tcgetattr(self._fd)
        self.status: int | None = None

    def read(self, seconds: float = 0.05) -> None:
        """Take in what it wrote, waiting at most so long for more."""
        while select.select([self._fd], [], [], seconds)[0]:
            try:
                chunk = os.read(self._fd, 65536)
            except OSError:
                return
            if not chunk:
                return
            self.written += chunk

    def take(self, deadline: float = DEADLINE) -> None:
        """Take in what it writes next, and no more than that."""
        assert select.select([self._fd], [], [], deadline)[0], f"it writes nothing: {self.written[-2000:]!r}"
        self.written += os.read(self._fd, 65536)

    def shows(self, text: bytes, deadline: float = DEADLINE, after: int = 0) -> None:
        """Wait until it has written this, after so many bytes."""
        end = time.monotonic() + deadline
        while text not in self.written[after:]:
            self.read()
            assert time.monotonic() < end, (
                f"never wrote {text!r}: {self.written[max(after, len(self.written) - 2000) :]!r}"
            )

    def press(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def settle(self, quiet: float = QUIET, deadline: float = DEADLINE) -> None:
        """Read until it has written nothing for so many seconds."""
        end = time.monotonic() + deadline
        before = -1
        while len(self.written) != before:
            before = len(self.written)
            self.read(quiet)
            assert time.monotonic() < end, "it never stopped writing"

    def text(self) -> str:
        """What stands on the screen, as a terminal shows it."""
        self._stream.feed(self.written[self._fed :])
        self._fed = len(self.written)
        lines = (
            self._screen.buffer[y] for y in range(self._screen.lines)
        )  # `display` breaks on half a wide letter
        return "\n".join("".join(line[x].data for x in range(self._screen.columns)) for line in lines)

    def shown(self, pattern: str, deadline: float = DEADLINE) -> re.Match[str]:
        """Wait until the pattern stands on the screen."""
        end = time.monotonic() + deadline
        while not (found := re.search(pattern, self.text())):
            self.read()
            assert time.monotonic() < end, f"never showed {pattern}:\n{self.text()}"
        return found

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self, deadline: float = DEADLINE) -> int:
        """Wait until it has ended; its exit status, or minus the signal that killed it."""
        end = time.monotonic() + deadline
        while self.status is None:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "it never ended"
        self.read()
        return self.status

    def fill(self, *keys: bytes) -> None:
        """Press these keys over and over, reading nothing, until it can write nothing more."""
        before, same = -1, 0
        while same < 12:
            for key in keys:
                with contextlib.suppress(BlockingIOError):
                    os.write(self._fd, key)
                time.sleep(0.05)
            (waiting,) = struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, bytes(4)))
            same = same + 1 if waiting == before and waiting else 0
            before = waiting

    def ended_unread(self, deadline: float = DEADLINE) -> int:
        """As `ended`, of a program from which nobody reads."""
        end = time.monotonic() + deadline
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "it never ended"
            time.sleep(0.02)
        return self.status

    def modes(self) -> list[object]:
        """The terminal's settings now, to compare with `before`."""
        return termios.tcgetattr(self._fd)

    def hang_up(self) -> None:
        """The terminal goes away, as when an SSH connection is lost."""
        os.close(self._fd)

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
