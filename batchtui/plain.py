"""Terminals that take no more than ASCII: which they are, and what stands there for every other character."""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

ERRORS = "batchtui.plain"
"""The name under which streams know `_encoded`."""
_UTF8 = re.compile("utf-?8", re.IGNORECASE)
_WORDS = {"…": "...", "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "—": "--"}
"""Where a line may grow; on a screen, cells hold one character each."""
_NEAREST = {
    "-": "·‐‑‒–—―−─━┄┅┈┉╌╍═╴╶╸╺╼╾▔▬",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻▏▎▍▌▐▕␊¦",
    "_": "▁▂▃", "#": "▄▅▆▇█▓▪■▙▛▜▟▞▚", ":": "▒", ".": "░…", '"': "“”„«»▀", "'": "‘’‚",
    ">": "→▸▶►›≥⟩", "<": "←◂◀◄‹≤⟨", "^": "↑▴▲", "v": "↓▾▼", "+": "✓✔", "x": "×✗✘", "*": "●•⬤★", "o": "○◦□◯",
    "=": "‖≡", "~": "≠≈±∓",
}  # fmt: skip


def only_ascii(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale that was asked for has no UTF-8. Where none was asked for, Python's own choice stands.

    Python may speak UTF-8 all the same: it takes C and POSIX for a mistake, and the terminal behind them does not.
    """
    name = next((name for name in ("LC_ALL", "LC_CTYPE", "LANG") if env.get(name)), None)
    if name is None:
        return False
    if name == "LC_CTYPE" and env.get("LANG") and not _said(name):
        name = "LANG"  # Python itself set the other as it started, for want of a locale that it takes
    return not _UTF8.search(env[name])


def _said(name: str) -> bool:
    """Whether the variable was set when the process began, as far as the system tells."""
    try:
        return f"\0{name}=".encode() in b"\0" + Path("/proc/self/environ").read_bytes()
    except OSError:
        return False


class _Table(dict[int, str]):
    """For `str.translate`: worked out once for each character that is met."""

    def __missing__(self, code: int) -> str:
        self[code] = found = chr(code) if code < 0x80 else _nearest(chr(code))
        return found


def _nearest(char: str) -> str:
    """As many ASCII characters as it has cells."""
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return ""
    if "\u2500" <= char <= "\u257f":
        return "+"  # where lines meet
    if "\u2800" <= char <= "\u28ff":
        return " " if char == "\u2800" else "*"
    cells = 2 if unicodedata.east_asian_width(char) in "WF" else 1
    letters = "".join(
        part for part in unicodedata.normalize("NFKD", char) if part.isascii() and part.isprintable()
    )
    return letters.ljust(cells)[:cells] if letters else "?" * cells


_CELLS = _Table((ord(char), plain) for plain, chars in _NEAREST.items() for char in chars)


def in_cells(text: str) -> str:
    """The text in ASCII, cell for cell."""
    return text if text.isascii() else text.translate(_CELLS)


def in_words(text: str) -> str:
    """The text in ASCII, where a line may grow by a few characters."""
    return "".join(_WORDS.get(char) or in_cells(char) for char in text)


def _encoded(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return in_words(fault.object[fault.start : fault.end]), fault.end


codecs.register_error(ERRORS, _encoded)


def in_browser() -> bool:
    """Whether the app's screen is a page that `serve --web` shows, which names Textual's driver for it."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver")
