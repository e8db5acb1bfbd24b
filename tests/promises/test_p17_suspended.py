"""P17: an app that was stopped by ctrl+z, or whose tmux was left, paints itself anew and takes keys."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cli_help import until
from tests.extras import require_program
from tests.promises.whole import figure
from tests.terminal.terminals import Pty, Tmux, clean_env

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
"""What leads to the app's screen and back to the shell's."""
SECONDS = figure(60, 1)
"""Until it has painted itself anew; a machine that runs all tests at once is given longer."""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config.toml").write_text("")
    return clean_env(
        BATCHTUI_DATA_DIR=str(tmp_path / "data"),
        BATCHTUI_CONFIG=str(tmp_path / "config.toml"),
        HOME=str(tmp_path),
    )


class Shell(Pty):
    """A shell that controls jobs, with the app started from it."""

    def __init__(self, env: dict[str, str]) -> None:
        require_program("bash")
        super().__init__(env | {"PS1": "ready> "}, program=("bash", "--noprofile", "--norc", "-i"))
        self.shows(b"ready> ")
        started = shlex.join([sys.executable, "-m", "batchtui"]).encode()
        self.typed(started + b"\r", ENTERED, b"Nothing leaves this machine")
        self.settle()

    def typed(self, keys: bytes, *expected: bytes) -> None:
        """All of these are written, in any order, after the keys."""
        begin = len(self.written)
        self.press(keys)
        for text in expected:
            self.shows(text, after=begin)


def test_p17_ctrl_z_gives_the_shell_back_and_fg_the_app(env: dict[str, str]) -> None:
    shell = Shell(env)
    typed = shell.typed
    try:
        took = []
        for _ in range(3):
            typed(b"\x1a", LEFT, b"Stopped", b"ready> ")
            typed(b"echo shell=$((6*7))\r", b"shell=42", b"ready> ")
            begin = time.monotonic()
            typed(b"fg\r", ENTERED, b"Nothing leaves this machine")
            took.append(time.monotonic() - begin)
        assert min(took) < SECONDS  # what else this machine does now and then is not ours
        typed(b"?", b"Help")
        shell.settle()
        typed(b"\x11", LEFT, b"ready> ")
        typed(b"echo left=$?\r", b"left=0")
    finally:
        shell.close()


def test_p17_a_screen_where_nothing_changes_is_painted_again(env: dict[str, str]) -> None:
    shell = Shell(env)
    try:
        shell.typed(b"?", b"Help")
        shell.settle()
        shell.typed(b"\x1a", LEFT, b"Stopped", b"ready> ")
        shell.typed(b"fg\r", ENTERED, b"Help")
    finally:
        shell.close()


def test_p17_in_the_background_it_leaves_the_terminal_alone(env: dict[str, str]) -> None:
    shell = Shell(env)
    try:
        shell.typed(b"\x1a", LEFT, b"Stopped", b"ready> ")
        begin = len(shell.written)
        shell.typed(b"bg\r", b"ready> ")
        shell.typed(b"echo shell=$((6*7))\r", b"shell=42", b"ready> ")
        assert ENTERED not in shell.written[begin:]
        shell.typed(b"fg\r", ENTERED, b"Nothing leaves this machine")
        shell.typed(b"\x11", LEFT, b"ready> ")
        shell.typed(b"echo left=$?\r", b"left=0")
    finally:
        shell.close()


def test_p17_stopped_without_warning_it_still_leaves_the_terminal_as_it_was(env: dict[str, str]) -> None:
    shell = Shell(env)
    try:
        (app,) = Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split()
        begin = len(shell.written)
        os.kill(int(app), signal.SIGSTOP)
        shell.shows(b"Stopped", after=begin)
        shell.typed(b"fg\r", ENTERED, b"Nothing leaves this machine")
        shell.typed(b"?", b"Help")
        shell.settle()
        shell.typed(b"\x11", LEFT, b"ready> ")
        shell.typed(b"echo left=$?\r", b"left=0")
        begin = len(shell.written)
        shell.typed(b"stty -a\r", b"noflsh", b"ready> ")
        assert b" icanon" in shell.written[begin:]
        assert b" echo " in shell.written[begin:]
    finally:
        shell.close()


def test_p17_ctrl_z_without_a_shell_does_not_stop_it_for_good(env: dict[str, str]) -> None:
    alone = Pty(env)
    try:
        alone.shown("Nothing leaves this machine")
        alone.settle()
        alone.press(b"\x1a")
        alone.shown("no shell is there")
        alone.press(b"\x11")
        assert alone.ended() == 0
    finally:
        alone.close()


@contextlib.contextmanager
def attached(tmux: Tmux, env: dict[str, str]) -> Iterator[Pty]:
    client = Pty(env | {"TERM": "xterm-256color"}, program=tmux.attach, size=(100, 30))
    try:
        yield client
    finally:
        client.close()


def test_p17_a_tmux_client_leaves_and_another_comes_at_another_size(env: dict[str, str]) -> None:
    tmux = Tmux(env)
    try:
        tmux.shows("batchtui")
        with attached(tmux, env) as first:
            first.shown("Nothing leaves this machine")
            first.press(b"\x02d")
            assert first.ended() == 0
            assert "detached" in first.text()
        with attached(tmux, env) as second:
            second.shown("Nothing leaves this machine")
            until(lambda: len(tmux.screen().splitlines()[0].rstrip()) > 80)
            second.press(b"?")
            second.shown("Help")
    finally:
        tmux.close()
