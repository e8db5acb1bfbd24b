"""The cells of a sheet, read in a process of its own: a damaged workbook can end the library that reads it.

Run with PATH [SHEET] this file writes one JSON object: what `Cells` holds, or a `fault`. There it imports nothing of
ours.
"""

from __future__ import annotations

import datetime
import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchtui.model import Json

MEMORY_LIMIT = 8 * 1024 * 1024 * 1024
SECONDS = 300
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")
"""No keys: who reads a stranger's file needs none."""
_EXACT = 2**53


class Unreadable(Exception):
    """Why there are no cells, as a sentence."""


@dataclass(frozen=True)
class Cells:
    """`names` of all sheets, and of one of them its rows, the first of which has the number `start`."""

    names: list[str]
    chosen: str | None
    """None where the wanted sheet is not there."""
    start: int
    rows: list[list[Json]]


def cells_of(path: Path, wanted: str | None) -> Cells:
    """Raises Unreadable."""
    command = [sys.executable, "-P", os.path.abspath(__file__), str(path.absolute())]
    env = {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}
    try:
        ended = subprocess.run(
            [*command, *([wanted] if wanted is not None else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=env,
            timeout=SECONDS, check=False,
        )  # fmt: skip
        told = json.loads(ended.stdout, parse_constant=lambda _: None) if ended.returncode == 0 else {}
    except subprocess.TimeoutExpired:
        raise Unreadable(f"it was not read within {SECONDS} s") from None
    except ValueError:
        told = {}
    if "rows" not in told:
        raise Unreadable(told.get("fault", "it is damaged"))
    return Cells(**told)


def _read(path: str, wanted: str | None) -> dict[str, Json]:
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(path) as book:
        names: list[str] = book.sheet_names
        chosen = wanted if wanted is not None else names[0] if names else None
        if chosen not in names:
            return {"names": names, "chosen": None, "start": 1, "rows": []}
        sheet = book.get_sheet_by_name(chosen)
        rows = [[_plain(value) for value in row] for row in sheet.to_python(skip_empty_area=True)]
        start = 1 + (sheet.start[0] if sheet.start else 0)
        return {"names": names, "chosen": chosen, "start": start, "rows": rows}


def _plain(value: object) -> Json:
    """Numbers that are whole as such, dates and times as ISO text, an empty cell as null."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, str):
        return value or None
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    try:
        told = _read(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    except Exception as fault:
        told = {"fault": str(fault)}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
