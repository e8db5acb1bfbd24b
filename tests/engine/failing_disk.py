"""A disk that refuses what is written: all of it for a while, or now and then."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from batchtui.store.disk import lines
from batchtui.store.disk.lines import AppendFile


class FailingDisk:
    """Every append and every replaced file of the store passes here. `full_after` so many of them, until `space`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full_after: int | None = None
        self.share, self.number = 0.0, errno.ENOSPC
        self.writes = self.refusals = 0
        self._random = random.Random(7)
        append, replace = AppendFile.append, lines._replace

        def refusing_append(file: AppendFile, data: bytes) -> int:
            if self._refuses():
                raise lines._full(file.path, self._fault()) from self._fault()
            return append(file, data)

        def refusing_replace(path: Path, data: bytes, durable: bool) -> None:
            if self._refuses():
                raise self._fault()
            replace(path, data, durable)

        monkeypatch.setattr(AppendFile, "append", refusing_append)
        monkeypatch.setattr(lines, "_replace", refusing_replace)

    def space(self) -> None:
        self.full_after, self.share = None, 0.0

    def _fault(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))

    def _refuses(self) -> bool:
        self.writes += 1
        full = self.full_after is not None and self.writes > self.full_after
        refused = full or self._random.random() < self.share
        self.refusals += refused
        return refused
