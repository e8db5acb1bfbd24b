"""What the commands say: data on stdout, words on stderr, outside text cleaned before it is shown."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from typing import TextIO

import msgspec

from batchtui.masking import mask
from batchtui.model import Json
from batchtui.plain import ERRORS, in_browser, only_ascii
from batchtui.text import cell, clean

_COLORS = {
    "completed": "32", "processing": "36", "pending": "2", "cancelling": "33", "invalid": "35", "failed": "31",
    "expired": "33", "cancelled": "33", "ok": "32", "missing": "31", "problem": "31",
}  # fmt: skip
_NEVER_NARROWER = 6
NO_SCREEN = ("dumb", "unknown")
"""Terminals that take lines of plain text and nothing else."""


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def settle_encoding(stream: TextIO | None) -> None:
    """A terminal that takes ASCII alone gets the nearest to each character; whatever else is said is UTF-8.

    An encoding that was asked for (PYTHONIOENCODING) stays, and gets `?` in place of what it lacks.
    """
    if not isinstance(stream, TextIOWrapper):
        return
    if is_terminal(stream) and only_ascii():
        stream.reconfigure(encoding="ascii", errors=ERRORS)
    elif is_terminal(stream) or os.environ.get("PYTHONIOENCODING"):
        stream.reconfigure(errors="replace")
    else:
        stream.reconfigure(encoding="utf-8", errors="replace")


class Masked(StringIO):
    """Standard output where it is a screen: data in any form, but no key, and nothing that acts on a terminal."""

    def write(self, text: str) -> int:
        return sys.stdout.write(clean(mask(text.replace("\r\n", "\n"))))


def no_app() -> str | None:
    """Why this is no place for the app; None where it can be."""
    if in_browser():
        return None
    if not all(is_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return "the app needs a terminal; `batchtui --help` lists the commands without one"
    if (term := os.environ.get("TERM")) in NO_SCREEN:
        return f"the app needs a terminal with a screen (TERM={term}); `batchtui --help` lists the commands without one"
    return None


def rewrites(stream: TextIO | None) -> bool:
    """Whether a line can be written over there."""
    return is_terminal(stream) and os.environ.get("TERM") not in NO_SCREEN


@dataclass
class Console:
    """One command's voice."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_input: bool = False
    color: str = "auto"

    # ---- data

    def out(self, text: str) -> None:
        print(clean(mask(text)))

    def document(self, value: object) -> None:
        """One JSON document, or one line of many."""
        from batchtui.results.export.file import json_text

        text = json_text(msgspec.to_builtins(value))
        print(mask(text) if is_terminal(sys.stdout) else text, flush=True)

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()
    ) -> None:
        """Plain columns. On a terminal empty ones are left out, and the widest give way until the line fits."""
        lines = [list(heads), *([cell("" if value is None else value) for value in row] for row in rows)]
        columns = list(zip(*lines, strict=True))
        if is_terminal(sys.stdout):
            columns, widths = _fitted(columns, shutil.get_terminal_size().columns)
        else:
            widths = [max(map(width, column)) for column in columns]
        for number, line in enumerate(zip(*columns, strict=True)):
            parts = [
                pad(fit(value, size), size, column[0] in right)
                for value, size, column in zip(line, widths, columns, strict=True)
            ]
            text = "  ".join(self.paint(part) if number else part for part in parts).rstrip()
            print(self._coded("1", text) if number == 0 else text)

    def paint(self, text: str) -> str:
        """A state in its colour; the word itself always stays."""
        code = _COLORS.get(text.strip())
        return self._coded(code, text) if code else text

    def _coded(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored else text

    @property
    def colored(self) -> bool:
        """Whether stdout takes colour."""
        return (
            self.color != "never"
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") not in NO_SCREEN
            and is_terminal(sys.stdout)
        )

    # ---- words

    def note(self, text: str) -> None:
        """A word beside the data; `-q` silences it."""
        if not self.quiet:
            self.error(text)

    def more(self, text: str) -> None:
        """Said only with `-v`."""
        if self.verbose:
            self.error(text)

    def error(self, text: str) -> None:
        to_stderr(clean(mask(text)))

    # ---- questions

    @property
    def can_ask(self) -> bool:
        return not self.no_input and is_terminal(sys.stdin) and is_terminal(sys.stderr)

    def ask(self, question: str) -> bool:
        """Yes or no, no by default."""
        print(f"{clean(mask(question))} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def line(self, question: str) -> str:
        """A line of text, without the spaces around it; empty where nothing was typed."""
        print(f"{clean(mask(question))} ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()


def to_stderr(text: str, end: str = "\n") -> None:
    """Words beside the data. A terminal that has gone takes none, nor does a log on a full disk, and neither is a fault
    of the work: what the terminal's end means the signal says, and the disk may have space again before the work ends.
    """
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError as fault:
        if fault.errno not in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise


def _fitted(columns: list[tuple[str, ...]], room: int) -> tuple[list[tuple[str, ...]], list[int]]:
    """The columns that are shown, and how wide: those on the right go where even narrow ones do not fit."""
    columns = [column for column in columns if len(column) == 1 or any(column[1:])]
    widths = [max(map(width, column)) for column in columns]
    while (
        sum(min(size, _NEVER_NARROWER) for size in widths) + 2 * (len(widths) - 1) > room and len(widths) > 1
    ):
        columns.pop()
        widths.pop()
    while sum(widths) + 2 * (len(widths) - 1) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return columns, widths


def width(text: str) -> int:
    """Columns on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def fit(text: str, size: int) -> str:
    """At most `size` columns of the text."""
    if width(text) <= size:
        return text
    while text and width(text) > size - 1:
        text = text[:-1]
    return text + ("~" if only_ascii() else "…")


def pad(text: str, size: int, right: bool = False) -> str:
    space = " " * (size - width(text))
    return space + text if right else text + space


def one_line(value: Json) -> str:
    """A value for a message or a table cell: text as it is, the rest as JSON."""
    import json

    return cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
