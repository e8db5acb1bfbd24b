"""A disk that refuses one call: number so-and-so of the writes, fsyncs or renames below a folder.

As a program it is batchtui over such a disk: `python -m tests.crashes.faulty_disk FAULT CALL N ARGUMENT…`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock


class FaultyDisk:
    """`fault` is a name of errno, or `short` for a write of which the disk takes half before it refuses.

    `calls` are those that were made, `hit` is the path of the one that failed.
    """

    def __init__(self, below: Path | str, fault: str, call: str, number: int) -> None:
        self._below, self._fault, self._chosen = str(below), fault, (call, number)
        self._counts = {name: itertools.count(1) for name in ("write", "fsync", "rename")}
        self._really = (os.write, os.fsync, os.fdopen)
        self._refuses_next = -1
        self.calls: list[str] = []
        self.hit: str | None = None

    @contextlib.contextmanager
    def inserted(self) -> Iterator[None]:
        """For all that this process does meanwhile."""
        with contextlib.ExitStack() as patches:
            for name, call in (("write", self.write), ("fsync", self.fsync), ("fdopen", self.fdopen)):
                patches.enter_context(mock.patch.object(os, name, call))
            for name in ("replace", "rename"):
                patches.enter_context(mock.patch.object(os, name, self._moved(getattr(os, name))))
            yield

    def _is_the_one(self, call: str, path: str) -> bool:
        if not path.startswith(f"{self._below}/"):
            return False
        number = next(self._counts[call])
        self.calls.append(call)
        if (call, number) != self._chosen:
            return False
        self.hit = path
        return True

    def _error(self, *paths: str | None) -> OSError:
        """As the operating system's: a call that takes paths names them."""
        number = errno.ENOSPC if self._fault == "short" else getattr(errno, self._fault)
        return OSError(number, os.strerror(number), *paths)

    def write(self, fd: int, data: bytes, /) -> int:
        if self._refuses_next == fd:
            self._refuses_next = -1
            raise self._error()
        if self._is_the_one("write", os.readlink(f"/proc/self/fd/{fd}")):
            if self._fault != "short":
                raise self._error()
            self._refuses_next = fd
            return self._really[0](fd, bytes(data)[: len(data) // 2])
        return self._really[0](fd, data)

    def fsync(self, fd: int) -> None:
        if self._is_the_one("fsync", os.readlink(f"/proc/self/fd/{fd}")):
            raise self._error()
        self._really[1](fd)

    def _moved(self, really: Callable[..., None]) -> Callable[..., None]:
        def move(old: str | Path, new: str | Path, **options: int) -> None:
            if self._is_the_one("rename", str(new)):
                raise self._error(str(old), None, str(new))
            really(old, new, **options)

        return move

    def fdopen(self, fd: int, mode: str = "r", *rest: object, **options: object) -> object:
        """What is written by way of a file object passes here as well."""
        if mode != "wb":
            return self._really[2](fd, mode, *rest, **options)  # type: ignore[call-overload]
        return io.BufferedWriter(_Raw(fd, self.write))


class _Raw(io.RawIOBase):
    def __init__(self, fd: int, write: Callable[[int, bytes], int]) -> None:
        self._fd, self._write_to = fd, write

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        return self._write_to(self._fd, bytes(data))

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._fd)


def main() -> int:
    fault, call, number, *arguments = sys.argv[1:]
    from batchtui.cli.entry import main as batchtui

    with FaultyDisk(os.environ["BATCHTUI_DATA_DIR"], fault, call, int(number)).inserted():
        return batchtui(arguments)


if __name__ == "__main__":
    sys.exit(main())
