"""The worst strings, as answers, errors, ids and names, through every screen of the real app on a pseudo-terminal."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from pathlib import Path

import pytest

from batchtui.text import cell, clean
from tests.terminal.terminals import DEADLINE, ESCAPE, Pty
from tests.tui.test_hostile import HOSTILE, STRINGS, WORST, hostile_library

LIST_KEYS = (
    b"u",
    ESCAPE,
    b"x",
    ESCAPE,
    b"e",
    ESCAPE,
    b"4",
    b"1",
    b"n",
    ESCAPE,
    b"1",
    b"\x10",
    ESCAPE,
    b"?",
    ESCAPE,
)
BATCH_KEYS = (b"f", b"f", b"/z", ESCAPE, b"g", b"\r")
RESULT_KEYS = (b"2", b"3", b"4", b"n", b"1", b"p")
OURS = re.compile(r"\x1b(?:\[[0-9;?<>=:]*[ $]?[A-Za-z]|[=>78]|\]22;[a-z-]+\x07|P\+q[0-9a-fA-F]*\x1b\\)")
"""What Textual itself writes to paint, to set modes and to ask the terminal what it can do, and the shape of the mouse."""
FORBIDDEN = {
    row["name"]: [bytes.fromhex(part) for part in row["must_not_reach_terminal"]]
    for row in map(json.loads, STRINGS.read_text().splitlines())
}


def acts(written: bytes) -> set[str]:
    """Characters written beside Textual's own sequences that a terminal could obey or hide."""
    text = OURS.sub("", written.decode("utf-8"))
    return {char for char in text if clean(char) != char and char not in "\r\n"}


@pytest.mark.parametrize(
    "names", [WORST[n : n + 6] for n in range(0, len(WORST), 6)], ids=lambda names: names[0]
)
def test_no_byte_of_it_acts_on_the_terminal(
    names: tuple[str, ...], env: dict[str, str], tmp_path: Path
) -> None:
    for number, name in enumerate(names):
        hostile_library(tmp_path / "data", HOSTILE[name], f"h0st1{number}")
    terminal = Pty(env, size=(120, 40))

    def press(*keys: bytes) -> None:
        for key in keys:
            terminal.press(key)
            terminal.settle()

    try:
        terminal.shown("h0st1")
        press(*LIST_KEYS)
        seen = set()
        for _ in names:
            terminal.shown("ID +NAME")
            press(b"\r")
            terminal.shown("ERROR .")
            name = names[int(terminal.shown(r"h0st1(\d)")[1])]
            press(*BATCH_KEYS)
            terminal.shown(" > 0-")
            press(*RESULT_KEYS)
            assert shows(terminal, HOSTILE[name]), f"{name}\n{terminal.text()}"
            press(ESCAPE, ESCAPE, b"j")
            seen.add(name)
        assert seen == set(names)
        assert acts(terminal.written) == set()
        assert not [part for name in names for part in FORBIDDEN[name] if part in terminal.written]
        press(b"q")
        press(b"\r")
        assert terminal.ended() == 0
        assert b"Traceback" not in terminal.written
    finally:
        terminal.close()


def shows(terminal: Pty, text: str, length: int = 40, seconds: float = DEADLINE) -> bool:
    """Whether the first plain letters of a text come to stand on the screen."""
    end, wanted = time.monotonic() + seconds, letters(unicodedata.normalize("NFC", text))[:length]
    while wanted not in letters(terminal.text()):
        terminal.read()
        if time.monotonic() > end:
            return False
    return True


def letters(text: str) -> str:
    """The plain letters of a text as it is shown, wherever a line was broken."""
    return re.sub(r"[^A-Za-z0-9\[\]=/().,:]", "", cell(text, 100_000))
