"""Slot files: the proof that a program still runs, which outlives even a kill -9 of this process.

Every running program holds a lock on a slot file of its batch's run folder through a descriptor that it inherits,
so the lock lives exactly as long as the program or anything that it started. Slot and output files are reused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

SLOT_VARIABLE = "BATCHTUI_SLOT"
"""Every program finds the path of its slot file in its environment, and so can be found by it."""

_taken: set[str] = set()
"""Slots of programs that this process watches, whichever object took them."""


class Slot:
    """One slot, locked by us. `path` is absolute, with links resolved; `fd` the descriptor to hand to the program.

    `environment` is what the program inherits.
    """

    def __init__(self, number: int, path: str, fd: int, environment: Mapping[bytes, bytes]) -> None:
        self.number, self.path, self.fd, self.environment = number, path, fd, environment

    def file(self, name: str) -> str:
        """The path of a file that belongs to whoever holds this slot: `stdin`, `stdout`, `stderr`."""
        return f"{self.path.removesuffix('.lock')}.{name}"

    def hand_over(self) -> None:
        """From here on only the program and its descendants hold the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def held(self) -> bool:
        """Whether the program or a descendant of it still holds the lock, after it was handed over."""
        fd = _lock(self.path)
        if fd >= 0:
            os.close(fd)
        return fd < 0

    def release(self) -> None:
        """This process is done with the slot; it is free once nothing that ran in it is left."""
        self.hand_over()
        _taken.discard(self.path)


class Slots:
    """The slots of one run folder, which is made with mode 0700.

    `environment` is what its programs inherit, names and values as bytes; None: all of ours.
    """

    def __init__(self, folder: Path, environment: Mapping[bytes, bytes] | None = None) -> None:
        self._environment = dict(os.environb) if environment is None else environment
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = os.path.realpath(folder)

    def take(self) -> Slot:
        """The first slot that nothing holds. Raises OSError where the run folder cannot be used."""
        number = 0
        while True:
            path = os.path.join(self.folder, f"slot-{number}.lock")
            fd = -1 if path in _taken else _lock(path)
            if fd >= 0:
                _taken.add(path)
                return Slot(number, path, fd, self._environment)
            number += 1

    def held(self) -> dict[int, str]:
        """Number and path of the slots that something holds which this process does not watch."""
        held = {}
        for name in os.listdir(self.folder):
            number = name.removeprefix("slot-").removesuffix(".lock")
            path = os.path.join(self.folder, name)
            if name != f"slot-{number}.lock" or not number.isdecimal() or path in _taken:
                continue
            fd = _lock(path)
            if fd < 0:
                held[int(number)] = path
            else:
                os.close(fd)
        return held


def watched(path: str) -> bool:
    """Whether the program in this slot is one that this process started and still waits for."""
    return path in _taken


def _lock(path: str) -> int:
    """A fresh descriptor that holds the lock, or -1 where another one does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return -1
    except BaseException:
        os.close(fd)
        raise
    return fd
