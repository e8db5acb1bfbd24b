"""Signals end the app in order, and within three seconds also where its terminal takes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from types import FrameType
from typing import TYPE_CHECKING

from batchtui.exit_codes import SIGNALLED
from batchtui.tui import terminal

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
IN_ORDER_SECONDS = 1.8
SAVING_SECONDS = 0.8


class Ending:
    """Exit code 128 + n, whichever way is taken."""

    def __init__(self, app: BaseApp) -> None:
        self._app = app
        self._modes = terminal.Modes()
        self._code: int | None = None

    def listen(self) -> None:
        """From before the terminal is changed. For the thread in which the app runs, with its loop.

        The handlers are Python's own and none of the loop's: they run as well where the loop waits for a terminal
        that does not read.
        """
        self._modes.remember()
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            signal.signal(number, self._leave)

    def _leave(self, number: int, _: FrameType | None) -> None:
        if self._code is None:
            self._code = SIGNALLED + number
            if hasattr(signal, "setitimer"):
                signal.signal(signal.SIGALRM, self._leave_now)
                signal.setitimer(signal.ITIMER_REAL, IN_ORDER_SECONDS)
        with contextlib.suppress(RuntimeError):  # the loop has ended: it leaves already
            self._loop.call_soon_threadsafe(self._exit)

    def _exit(self) -> None:
        self._app.exit(return_code=self._code or 0)

    def _leave_now(self, _number: int, _frame: FrameType | None) -> None:
        """What is committed is committed, and the shell gets its terminal back as far as that can be."""
        self._app.drafts.flush()
        self._app.link.stop(SAVING_SECONDS)
        self._modes.restore()
        os._exit(self._code or 1)

    def over(self) -> None:
        """All is in order again."""
        if self._code is not None and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
