"""Which store this is, told by what differs in a copy of its folder and not between the hosts of one shared home.

A copy has files of its own: another inode, another time of birth. The name of the host and the number of the device
say nothing, since several machines may use one folder. A folder that is moved within its disk keeps its files.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

_FILE = "jobs.jsonl"
"""Of a batch's files one that is there from the first moment and that nothing replaces (but a repair, which tells)."""
_STATX_BTIME = 0x800
_AT_FDCWD = -100


class Home(msgspec.Struct, frozen=True):
    """`mark` is drawn anew whenever a store begins to drive; `born` is in nanoseconds, None where nothing tells it."""

    mark: str
    inode: int
    born: int | None = None


def settle(folder: Path) -> Home:
    """The home of a store that drives from now on. Raises OSError."""
    inode, born = _file(folder)
    return Home(secrets.token_hex(8), inode, born)


def moved_in(home: Home, folder: Path) -> Home:
    """The same home, of files that were written anew. Raises OSError."""
    inode, born = _file(folder)
    return Home(home.mark, inode, born)


def is_at(home: Home, folder: Path, name: str = _FILE) -> bool:
    """Whether the folder holds the very files that the home was told of; where they cannot be asked, it does.

    `name` is that of the file where a repair set it aside.
    """
    try:
        inode, born = _file(folder, name)
    except OSError:
        return True
    return inode == home.inode and (born == home.born or None in (born, home.born))


def was_set_aside(home: Home, folder: Path) -> bool:
    """Whether they lie in the folder still, but aside: a repair wrote them anew and was cut short before it told."""
    return any(is_at(home, folder, aside.name) for aside in folder.glob(f"{_FILE}.damaged*"))


def _file(folder: Path, name: str = _FILE) -> tuple[int, int | None]:
    path = folder / name
    stat = os.stat(path)
    born = getattr(stat, "st_birthtime_ns", None)
    if born is None and (seconds := getattr(stat, "st_birthtime", None)) is not None:
        born = int(seconds * 1_000_000_000)
    return stat.st_ino, born if born is not None else _born_on_linux(path)


@cache
def _statx() -> Callable[..., int] | None:
    """Looked for once: an app over thousands of batches asks for each."""
    import ctypes

    if sys.platform != "linux":
        return None
    try:
        found: Callable[..., int] = ctypes.CDLL(None).statx
    except (AttributeError, OSError):
        return None
    return found


def _born_on_linux(path: Path) -> int | None:
    """By the system's own call, for which Python has no name before 3.15; None where the disk keeps none."""
    import ctypes

    if (statx := _statx()) is None:
        return None
    told = ctypes.create_string_buffer(256)
    if statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, told) != 0:
        return None
    mask, seconds = int.from_bytes(told.raw[:4], sys.byteorder), told.raw[80:88]
    nanoseconds = told.raw[88:92]
    born = int.from_bytes(seconds, sys.byteorder) * 1_000_000_000 + int.from_bytes(nanoseconds, sys.byteorder)
    return born if mask & _STATX_BTIME and born else None
