"""Which reader a grid's file or folder takes, and the grids that were read last."""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case
from batchtui.domains.power.grids.kept import Kept
from batchtui.domains.power.readers.json import case_of, is_case, parsed
from batchtui.domains.power.readers.matpower import read_matpower
from batchtui.errors import nearest

MOST_BYTES: Final = 64 << 20
"""Larger text is refused: the largest public cases have a third of this."""

FOREIGN: Final[dict[str, tuple[str, str]]] = {
    ".mat": ("batchtui.domains.power.readers.mat", "read_mat"),
    "folder": ("batchtui.domains.power.readers.arrow", "read_arrow"),
    "pandapower": ("batchtui.domains.power.readers.pandapower", "read_pandapower"),
    "pgm": ("batchtui.domains.power.readers.pgm", "read_pgm"),
}
"""Readers `(path) -> Case` that need a library, by ending, or by what JSON of another program is (`dialect_of`)."""

_ENDINGS: Final = (".m", ".json", ".mat")
_cases: Final = Kept[Case](8)
_plain_cases: Final = Kept["Case | None"](8)


def read_case(path: str | Path) -> Case:
    """The grid of a file or a folder, in MATPOWER's tables; do not change it, others are given the same one.

    Raises Fault: missing_file, bad_input with file and line, or missing_extra where a library is needed.
    """
    return _cases.get(path, lambda: _reader(path)[1]())


def read_plain_case(path: str | Path) -> Case | None:
    """As `read_case`, with the standard library only; None for a grid that needs more to be read."""

    def read() -> Case | None:
        foreign, reader = _reader(path)
        return None if foreign else reader()

    return _plain_cases.get(path, read)


def _reader(path: str | Path) -> tuple[bool, Callable[[], Case]]:
    """Whether a library is needed, and what reads the grid. Raises Fault for one that is missing or unknown."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        raise Fault("missing_file", "there is no such grid", path) from None
    ending = Path(path).suffix.lower()
    if is_folder or ending == ".mat":
        return True, lambda: _foreign("folder" if is_folder else ending, path)
    if ending == ".json":
        value = parsed(path, read_text(path))
        dialect = dialect_of(value)
        return bool(dialect), lambda: _foreign(dialect, path) if dialect else case_of(path, value)
    if ending == ".m":
        return False, lambda: read_matpower(path, read_text(path))
    hint = nearest(ending, _ENDINGS) or "; grids are .m, .json, .mat or a folder of Arrow files"
    raise Fault("bad_input", f"is no grid that can be read{hint}", path)


def dialect_of(value: object) -> str:
    """Which program's JSON this is: `pandapower`, `pgm`, or "" for a MATPOWER case or nothing known."""
    if is_case(value) or not isinstance(value, dict):
        return ""
    if "_module" in value and "_object" in value:
        return "pandapower"
    return "pgm" if isinstance(value.get("data"), dict) and "is_batch" in value else ""


def read_text(path: str | Path) -> str:
    """A text file whole. Raises Fault: missing_file, or bad_input where it is too large or no text."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Fault("bad_input", "is no regular file", path)
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else fault
        raise Fault("missing_file", f"cannot be opened ({why})", path) from None
    if len(data) > MOST_BYTES:
        raise Fault("bad_input", f"is larger than {MOST_BYTES >> 20} MiB", path)
    if b"\0" in data:
        raise Fault("bad_input", "is no text but binary", path, data[: data.index(b"\0")].count(b"\n") + 1)
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _foreign(name: str, path: str | Path) -> Case:
    module, function = FOREIGN[name]
    reader: Callable[[str | Path], Case] = getattr(importlib.import_module(module), function)
    return reader(path)
