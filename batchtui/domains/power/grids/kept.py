"""What was read from files last, until they change."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from batchtui.domains.power.fault import Fault

T = TypeVar("T")


def _looks(path: str | Path) -> list[tuple[int, int, int]]:
    """What changes when the file does, or one of a folder's. Raises OSError, ValueError."""
    found = [os.stat(path)]
    if stat.S_ISDIR(found[0].st_mode):
        with os.scandir(path) as inside:
            found += [entry.stat() for entry in sorted(inside, key=lambda entry: entry.name)]
    return [(one.st_size, one.st_mtime_ns, one.st_ino) for one in found]


class Kept(Generic[T]):
    """Holds the values (or the faults) of the last `most` files, by path, size and time of change."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[tuple[object, ...], T | Fault] = OrderedDict()

    def get(self, path: str | Path, read: Callable[[], T]) -> T:
        """The value of this file, read anew where it changed. Raises the Fault that `read` raised."""
        try:
            key = (os.fspath(path), *_looks(path))
        except (OSError, ValueError):
            return read()
        if key in self._held:
            self._held.move_to_end(key)
            found = self._held[key]
        else:
            try:
                found = read()
            except Fault as fault:
                found = fault
            self._held[key] = found
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        if isinstance(found, Fault):
            raise found.with_traceback(None)
        return found
