"""The terminal's bell and its own notices, to the terminal of this process, wherever its output goes."""

from __future__ import annotations

import os
from collections.abc import Mapping

from batchtui.engine.attention.notices.events import Notice

ST = "\x1b\\"


def sequence(notice: Notice, sort: str, osc: int | None, env: Mapping[str, str]) -> bytes:
    """What the terminal is sent. The words are clean: nothing in them ends the sequence or begins another."""
    if sort == "bell":
        return b"\a"
    title, text = notice.title, notice.text
    if osc == 777:  # the first `;` ends the title
        told = f"\x1b]777;notify;{title.replace(';', ',')};{text}{ST}"
    elif osc == 99:
        told = f"\x1b]99;i=batchtui:d=0;{title}{ST}\x1b]99;i=batchtui:d=1:p=body;{text}{ST}"
    else:  # one that begins with a digit is a command of some terminals
        told = f"\x1b]9;batchtui: {title} ({text}){ST}"
    if env.get("TMUX"):  # passed on where `allow-passthrough` is on
        told = "\x1bPtmux;" + told.replace("\x1b", "\x1b\x1b") + ST
    return told.encode()


def to_terminal(data: bytes) -> str | None:
    """To the terminal that controls this process; why not, where it has none. One that takes nothing is not waited for."""
    try:
        way = os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return "this process has no terminal"
    try:
        os.write(way, data)
    except OSError as fault:
        return f"the terminal takes nothing ({fault.strerror})"
    finally:
        os.close(way)
    return None
