"""SIGTERM and SIGHUP as an exception, so that whatever is under way is put in order before the process ends."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

from batchtui.exit_codes import SIGNALLED

LATEST_SECONDS = 2.8
"""For putting things in order; a terminal that takes nothing would keep us for ever."""
ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """The system wants us to end. Not an Exception, so that nothing on the way takes it for a fault."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = SIGNALLED + number


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Raise Ended where a signal arrives; one that is ignored (nohup) stays so."""
    before = {number: signal.getsignal(number) for number in ALL}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if before[number] is signal.SIG_DFL:
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore() -> None:
    """From here on nothing may cut the saving short."""
    for number in ALL:
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, _: FrameType | None) -> None:
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _number, _frame: os._exit(SIGNALLED + number))
        signal.setitimer(signal.ITIMER_REAL, LATEST_SECONDS)
    raise Ended(number)
