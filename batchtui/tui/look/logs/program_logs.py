"""The logs that programs elsewhere write into a shared folder, their last lines as rows for the log."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from batchtui import text
from batchtui.tui.look.logs.log_lines import Row

FACT = "logs"
"""The fact of a submission that names such a folder."""
FILES, BYTES = 4, 16_384
"""How many of the newest logs are shown, and of each the end."""
_TIMED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (.*)")


def tails(folders: Iterable[str]) -> list[Row]:
    """The ends of the newest logs in these folders; what cannot be read is left out. Blocks."""
    found: list[tuple[float, Path]] = []
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                found += [
                    (entry.stat().st_mtime, Path(entry.path))
                    for entry in entries
                    if entry.name.endswith(".out")
                ]
        except OSError:
            continue
    return [row for _, path in sorted(found)[-FILES:] for row in _tail(path)]


def _tail(path: Path) -> list[Row]:
    """Lines without a time of their own are of the time before them."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - BYTES))
            lines = file.read(BYTES).decode("utf-8", "replace").splitlines()[size > BYTES :]
    except OSError:
        return []
    rows, time = [], ""
    for line in lines:
        timed = _TIMED.match(line)
        time, words = timed.groups() if timed else (time, line)
        rows.append((time, f"{path.stem:>5} │ {text.cell(words, 400)}", ""))
    first = next((time for time, _, _ in rows if time), "")
    return [(time or first, words, style) for time, words, style in rows]
