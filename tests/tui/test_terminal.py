"""The app in a real terminal: every way out restores it, and no way in without one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from batchtui.store.library import Library
from tests.tui.samples import Sample

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from batchtui.config import BUILT_IN, BackendConfig, Config
from batchtui.tui.run import run_app
local = BackendConfig(name="local", kind="local", table={"kind": "local"}, origin=BUILT_IN)
config = Config(path=Path(sys.argv[1]) / "config.toml", backends={"local": local})
sys.exit(run_app(config=config, data_dir=Path(sys.argv[1]), drive=sys.argv[2] == "drive"))
"""
CRASH = """
from batchtui.tui.screens.batches import BatchesScreen
def tick(self):
    key = "sk-test-secret"
    raise ValueError("broken on purpose" + " " * len(key[:0]))
BatchesScreen.tick = tick
"""
RESTORED = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    library = Library(tmp_path / "data")
    Sample(library, "k7fq2m", "first", ["a", "b"], backend="openai").close()
    return library.data_dir


class Session:
    """The app under a pseudo-terminal."""

    def __init__(self, data: Path, *, before: str = "", drive: bool = False, **env: str) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT), **env}
        self.child = pexpect.spawn(
            sys.executable, ["-c", before + RUN, str(data), "drive" if drive else "read"],
            env=environment, dimensions=(24, 80), timeout=60,
        )  # fmt: skip
        self.before = termios.tcgetattr(self.child.child_fd)
        self.seen = b""

    def expect(self, what: str) -> None:
        self.child.expect(what.encode())
        self.seen += self.child.before + self.child.after

    def end(self) -> tuple[int, str]:
        """Exit code and everything the terminal saw."""
        self.child.expect(pexpect.EOF)
        self.seen += self.child.before
        assert termios.tcgetattr(self.child.child_fd)[3] == self.before[3]
        self.child.close()
        code = self.child.exitstatus
        return (code if code is not None else -(self.child.signalstatus or 0)), self.seen.decode(
            errors="replace"
        )


@pytest.fixture
def session(data: Path) -> Iterator[Session]:
    found = Session(data)
    found.expect("first")
    yield found
    found.child.close(force=True)


def assert_restored(seen: str) -> None:
    for code in RESTORED:
        assert code in seen[-3000:], repr(code)


def test_q_quits_and_tells_what_goes_on(session: Session) -> None:
    session.child.send("q")
    code, seen = session.end()
    assert code == 0
    assert_restored(seen)
    assert "batch k7fq2m is not finished" in seen[seen.rindex("\x1b[?1049l") :]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_restore_the_terminal(session: Session, number: signal.Signals) -> None:
    os.kill(session.child.pid, number)
    code, seen = session.end()
    assert code == 128 + number
    assert_restored(seen)


def test_ctrl_c_does_not_quit(session: Session) -> None:
    session.child.send("\x03")
    session.expect("q quits")
    assert session.child.isalive()


def test_stray_bytes_do_not_end_it(session: Session) -> None:
    session.child.send(b"\xff\xfe\x1b[M \xff!")
    session.child.send("?")
    session.expect("Keys: batches")
    session.child.send("q")
    assert session.end()[0] == 0


def test_a_terminal_that_goes_away_ends_it(session: Session) -> None:
    os.dup2(os.open(os.devnull, os.O_RDWR), session.child.child_fd)
    deadline = time.monotonic() + 60
    while session.child.isalive():
        assert time.monotonic() < deadline, "it lives on without a terminal"
        time.sleep(0.05)
    assert session.child.exitstatus in (129, 1)


def test_with_the_worker_it_starts_and_stops(data: Path) -> None:
    found = Session(data, drive=True)
    found.expect("first")
    found.expect("worker")
    found.child.send("q")
    code, seen = found.end()
    assert code == 0
    assert_restored(seen)


def test_a_crash_shows_no_variables(data: Path) -> None:
    found = Session(data, before=CRASH)
    code, seen = found.end()
    assert code == 1
    assert "broken on purpose" in seen
    assert "sk-test-secret" not in seen
    assert "Traceback" not in seen
    assert_restored(seen)


def test_no_color_sends_no_colour(data: Path) -> None:
    found = Session(data, NO_COLOR="1")
    found.expect("first")
    found.child.send("q")
    _, seen = found.end()
    codes = [part for sgr in re.findall(r"\x1b\[([0-9;]*)m", seen) for part in sgr.split(";")]
    assert not {"31", "32", "33", "34", "36", "38", "48", "41", "44", "100"} & set(codes)
    assert "7" in codes  # the row under the cursor, by reverse video


def test_without_a_terminal_it_says_so(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(data), "read"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "needs a terminal" in done.stderr
