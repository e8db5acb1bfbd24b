"""A terminal that does not read, as a frozen SSH connection: a signal ends the process all the same."""

from __future__ import annotations

import fcntl
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.terminal.terminals import ESCAPE, Pty, clean_env

SIGNALS = [signal.SIGTERM, signal.SIGHUP]
Open = Callable[..., Pty]


@pytest.fixture
def opened(env: dict[str, str]) -> Iterator[Open]:
    with ExitStack() as open_ones:

        def make(*arguments: str) -> Pty:
            terminal = Pty(env, *arguments)
            open_ones.callback(terminal.close)
            return terminal

        yield make


@pytest.mark.parametrize("number", SIGNALS)
def test_the_app_leaves_and_gives_the_terminal_back(number: signal.Signals, opened: Open) -> None:
    terminal = opened()
    terminal.shows(b"batchtui")
    terminal.settle()
    terminal.fill(b"?", ESCAPE, b"3", b"1")
    terminal.signal(number)
    assert terminal.ended_unread() == 128 + number
    assert terminal.modes() == terminal.before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_leaves_though_nobody_takes_its_last_words(number: signal.Signals) -> None:
    code = (
        "import os\nfrom batchtui.cli.shared import signals\n"
        "with signals.raised():\n"
        "    try: os.write(1, bytes(1 << 20))\n"
        "    finally: os.write(1, bytes(1 << 20))\n"
    )
    going = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=clean_env())
    assert going.stdout
    before, waiting = -1, 0
    while not waiting or waiting != before:
        time.sleep(0.2)
        before, waiting = waiting, in_pipe(going.stdout.fileno())
    going.send_signal(number)
    assert going.wait(60) == 128 + number


def in_pipe(fd: int) -> int:
    count: int = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]
    return count


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGINT])
def test_leaving_while_a_screen_is_built_is_no_fault(number: signal.Signals, opened: Open) -> None:
    terminal = opened()
    terminal.shows(b"batchtui")
    terminal.settle()
    terminal.press(b"n")
    terminal.signal(number)
    assert terminal.ended() == 128 + number
    assert b"fault of its own" not in terminal.written
    assert terminal.modes() == terminal.before
