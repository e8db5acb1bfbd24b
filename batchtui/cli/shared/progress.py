"""The progress line: rewritten in place on a terminal, else a line now and then."""

from __future__ import annotations

import shutil
import sys
import time

from batchtui.cli.shared.console import Console, fit, rewrites, to_stderr
from batchtui.text import cell

EVERY_SECONDS = 10.0
"""Between two lines where there is no terminal."""
_CELLS = 500


class ProgressLine:
    """On stderr; nothing with `-q`. Use as a context manager, so that the line is always ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rewrites = rewrites(sys.stderr)
        self._shown = ""
        self._at = time.monotonic()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._rewrites and self._shown:
            to_stderr("")

    def show(self, text: str) -> None:
        if self._console.quiet or text == self._shown:
            return
        if self._rewrites:
            room = shutil.get_terminal_size().columns - 1
            to_stderr(f"\r\x1b[K{fit(cell(text, _CELLS), room)}", end="")
        elif time.monotonic() - self._at < EVERY_SECONDS:
            return
        else:
            self._at = time.monotonic()
            self._console.error(cell(text, _CELLS))
        self._shown = text
