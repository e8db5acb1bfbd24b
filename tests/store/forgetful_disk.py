"""A disk whose fsync fails now and then, and which forgets then what it failed to write, as Linux does.

The system's cache still shows it, and the next fsync says that all is well: what was not written anew is gone with
the power.
"""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

Id = tuple[int, int]


class ForgetfulDisk:
    """`share` of all fsyncs of files fail. `bytes_of` is what of a file would be there after a power cut."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, share: float, seed: int) -> None:
        self.share, self.failures = share, 0
        self._chance = random.Random(seed)
        self._disk: dict[Id, bytearray] = {}
        self._dirty: dict[Id, list[tuple[int, bytes]]] = {}
        self._really = (os.write, os.pwrite, os.fsync)
        monkeypatch.setattr(os, "write", self._write)
        monkeypatch.setattr(os, "pwrite", self._pwrite)
        monkeypatch.setattr(os, "fsync", self._fsync)

    def bytes_of(self, path: Path) -> bytes:
        stat = path.stat()
        return bytes(self._disk.get((stat.st_dev, stat.st_ino), b""))

    def _note(self, fd: int, at: int, data: bytes) -> None:
        stat = os.fstat(fd)
        self._dirty.setdefault((stat.st_dev, stat.st_ino), []).append((at, data))

    def _write(self, fd: int, data: bytes) -> int:
        count = self._really[0](fd, data)
        self._note(fd, os.lseek(fd, 0, os.SEEK_CUR) - count, bytes(data[:count]))
        return count

    def _pwrite(self, fd: int, data: bytes, at: int) -> int:
        count = self._really[1](fd, data, at)
        self._note(fd, at, bytes(data[:count]))
        return count

    def _fsync(self, fd: int) -> None:
        stat = os.fstat(fd)
        dirty = self._dirty.pop((stat.st_dev, stat.st_ino), [])
        if dirty and self._chance.random() < self.share:
            self.failures += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        disk = self._disk.setdefault((stat.st_dev, stat.st_ino), bytearray())
        for at, data in dirty:
            disk[len(disk) :] = bytes(max(0, at - len(disk)))
            disk[at : at + len(data)] = data
