"""The terminal around the app: is there one, does it still live, and how it was before us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import time
from typing import Any, Protocol

from textual.drivers.linux_driver import LinuxDriver

from batchtui.plain import in_browser

_AS_BEFORE = (
    b"\x18\x1b\\"  # whatever was cut in its middle ends here
    b"\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l"
    b"\x1b[?25h\x1b[?1004l\x1b[0m"
)
_TRIES = 20
_INVALID = 0 if sys.platform == "darwin" else getattr(select, "POLLNVAL", 0)
"""There poll() takes no devices, and says of a terminal that lives that it is none."""


def missing() -> str | None:
    """Why the app cannot run here, None where it can."""
    if in_browser():
        return None
    streams = {
        "standard input": sys.__stdin__,
        "standard output": sys.__stdout__,
        "standard error": sys.__stderr__,
    }
    for name, stream in streams.items():
        if stream is None or stream.closed or not stream.isatty():
            return f"the app needs a terminal and {name} is none; `batchtui --help` shows the commands without a screen"
    if (term := os.environ.get("TERM")) in ("dumb", "unknown"):
        return f"the app needs a terminal with a screen (TERM={term}); `batchtui --help` shows the commands without one"
    return None


def gone() -> bool:
    """Whether the terminal behind standard input has hung up."""
    if sys.__stdin__ is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), 0)
    return any(event & (select.POLLHUP | select.POLLERR | _INVALID) for _, event in poll.poll(0))


def suspend() -> bool:
    """Stop as ctrl+z stops other programs, wrappers around us included; False where no shell could continue us.

    A shell that controls jobs puts each into a process group of its own. What was started without one is in its
    session's first group, and would be stopped for good.
    """
    if sys.platform == "win32" or os.getpgrp() == os.getsid(0):
        return False
    os.killpg(os.getpgrp(), signal.SIGTSTP)
    return True


class Modes:
    """What the terminal was set to before the app changed it."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None

    def remember(self) -> None:
        """Once; what it is set to later is the app's."""
        import termios

        if self._attributes is None and sys.__stdin__ is not None:
            with contextlib.suppress(termios.error, OSError, ValueError):
                self._attributes = termios.tcgetattr(sys.__stdin__.fileno())

    def restore(self) -> None:
        """Without waiting for a terminal that takes nothing; what it has not taken so far is dropped."""
        import termios

        if self._attributes is None or sys.__stdin__ is None:
            return
        with contextlib.suppress(termios.error, OSError, ValueError):
            # A way of our own, since waiting or not is a property that the shell shares with ours.
            way = os.open(os.ttyname(sys.__stdin__.fileno()), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for own in (1, 2):  # a thread that waits to write has its last piece taken, and no other
                os.dup2(nowhere, own)
            termios.tcsetattr(way, termios.TCSANOW, self._attributes)
            left = _AS_BEFORE
            for _ in range(_TRIES):
                termios.tcflush(way, termios.TCOFLUSH)
                with contextlib.suppress(BlockingIOError):
                    left = left[os.write(way, left) :]
                if not left:
                    return
                time.sleep(0.005)


class Listener(Protocol):
    """What is to know of signals from before the terminal is changed."""

    def listen(self) -> None: ...


class TolerantDriver(LinuxDriver):
    """Bytes that are no text (an old mouse report, a stray 0xFF) are dropped instead of ending the app.

    However it was stopped, it takes the terminal anew when it goes on, and has everything painted again.
    """

    def start_application_mode(self) -> None:
        ending: Listener = self._app.ending  # type: ignore[attr-defined]
        ending.listen()
        self._app.to_terminal = self.write  # type: ignore[attr-defined]
        self._loop = asyncio.get_running_loop()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def _sigcont_application(self, *_: object) -> None:
        """From the loop, since the signal may interrupt a write and what follows writes too."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: the app leaves already
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if not self._auto_restart:  # another program has the terminal
            return
        if not self._must_signal_resume:  # SIGSTOP left no time to put the terminal back
            self.suspend_application_mode()
            self._must_signal_resume = True
        self.resume_application_mode()

    def run_input_thread(self) -> None:
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
            except OSError:  # the terminal is gone
                os.kill(os.getpid(), signal.SIGHUP)
                return
