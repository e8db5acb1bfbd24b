"""The terminal around the app: is there one, does it still live, and which signals end us."""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def missing() -> str | None:
    """Why the app cannot run here, None where it can."""
    streams = {
        "standard input": sys.__stdin__,
        "standard output": sys.__stdout__,
        "standard error": sys.__stderr__,
    }
    for name, stream in streams.items():
        if stream is None or stream.closed or not stream.isatty():
            return f"the app needs a terminal and {name} is none; `batchtui --help` shows the commands without a screen"
    return None


def gone() -> bool:
    """Whether the terminal behind standard input has hung up."""
    if sys.__stdin__ is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), 0)
    return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


def end_on_signals(app: App[None]) -> None:
    """Let TERM, HUP and INT end the app in order, so that the terminal is restored; exit code 128 + n."""
    import asyncio

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, _leave, app, 128 + number)


def _leave(app: App[None], code: int) -> None:
    app.exit(return_code=code)


class TolerantDriver(LinuxDriver):
    """Bytes that are no text (an old mouse report, a stray 0xFF) are dropped instead of ending the app."""

    def run_input_thread(self) -> None:
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
            except OSError:  # the terminal is gone
                os.kill(os.getpid(), signal.SIGHUP)
                return
