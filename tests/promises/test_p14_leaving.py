"""P14: however the app ends, whatever it shows, the terminal is as it was, and the process is gone in 3 seconds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promises.whole import figure
from tests.terminal.terminals import Pty, clean_env

ENDINGS = ("TERM", "HUP", "INT", "TERM twice", "quit", "crash", "hang up")
STATES = ("empty", "batches", "live batch", "compose", "palette")
RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?2004l")
PAIRS = [(ending, state) for ending in ENDINGS for state in STATES]
CHOSEN = random.Random(14).sample(PAIRS, figure(5, len(PAIRS)))
SECONDS = figure(60, 3)
"""A machine that runs all tests at once is given longer."""
CRASH = """
import gc, signal
def crash(number, frame):
    from textual.app import App
    app = next(one for one in gc.get_objects() if isinstance(one, App))
    app.call_later(lambda: 1 / 0)
signal.signal(signal.SIGUSR1, crash)
"""


def batch(folder: Path, env: dict[str, str], command: str) -> None:
    (folder / "rows.csv").write_text("id\na\nb\n")
    (folder / "b.toml").write_text(
        f'name = "birds"\nbackend = "local"\n[source]\nfile = "rows.csv"\n[job]\ncommand = {command}\n'
    )
    run = [sys.executable, "-m", "batchtui", "run", "--trust", str(folder / "b.toml"), "-q"]
    if "sleep" not in command:
        subprocess.run(run, env=env, check=True, timeout=60)
        return
    going = subprocess.Popen(run, env=env)
    end = time.monotonic() + 60
    while not list((folder / "data").glob("batches/*/events.jsonl")):
        assert time.monotonic() < end
        time.sleep(0.02)
    going.terminate()
    going.wait(60)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "sitecustomize.py").write_text(CRASH)
    env = clean_env(
        BATCHTUI_DATA_DIR=str(tmp_path / "data"),
        BATCHTUI_CONFIG=str(tmp_path / "config.toml"),
        HOME=str(tmp_path),
    )
    return env | {"PYTHONPATH": f"{tmp_path}:{env['PYTHONPATH']}"}


@pytest.fixture
def shown(request: pytest.FixtureRequest, tmp_path: Path, env: dict[str, str]) -> Iterator[Pty]:
    """The app in one of the states."""
    state = request.param
    if state in ("batches", "live batch"):
        batch(tmp_path, env, '["sleep", "600"]' if state == "live batch" else '["true"]')
    terminal = Pty(env)
    terminal.shows(b"batchtui")
    if state in ("batches", "live batch"):
        terminal.shown("birds")
    if state == "live batch":
        terminal.shown("processing")
    terminal.settle()
    terminal.press({"compose": b"n", "palette": b"\x10"}.get(state, b""))
    terminal.settle()
    yield terminal
    terminal.close()


@pytest.mark.parametrize(("ending", "shown"), CHOSEN, indirect=["shown"])
def test_p14_the_terminal_is_as_it_was(ending: str, shown: Pty, tmp_path: Path) -> None:
    if ending == "hang up":
        shown.hang_up()
        assert shown.ended_unread(SECONDS) == 128 + signal.SIGHUP
        return
    if ending == "quit":
        shown.press(b"\x11")
        shown.settle()
        if "Quit is not cancel" in shown.text():
            shown.press(b"\x1b[B\r")
        expected = 0
    elif ending == "crash":
        shown.signal(signal.SIGUSR1)
        expected = 1
    else:
        number = signal.Signals[f"SIG{ending.split()[0]}"]
        shown.signal(number)
        if ending.endswith("twice"):
            shown.signal(number)
        expected = 128 + number
    assert shown.ended(SECONDS) == expected
    assert shown.modes() == shown.before
    tail = shown.written[-6000:]
    assert [code for code in RESTORED if code not in tail] == []
    assert (b"fault of its own" in shown.written) == (ending == "crash")
