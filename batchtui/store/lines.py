"""Append-only line files: whole lines or nothing, and what is left of a line after a crash is set aside."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from batchtui.errors import BatchtuiError, StoreDamaged

SLICE = 1 << 20


class StoreFull(BatchtuiError):
    """The disk refused a write; the file ends where it ended before."""


class AppendFile:
    """A file that only grows, by whole lines; one writer at a time."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file, mode 0600. Raises StoreFull, StoreDamaged (a link, or not ours to write)."""
        self.path = path
        self._ragged = False
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError as fault:
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _full(path, fault) from fault
            why = (
                "is a symbolic link" if fault.errno == errno.ELOOP else f"cannot be opened ({fault.strerror})"
            )
            raise StoreDamaged(f"{path}: {why}; it is left as it is") from fault
        with contextlib.suppress(OSError):
            os.fchmod(self._fd, 0o600)
        self.size = os.fstat(self._fd).st_size

    def fileno(self) -> int:
        return self._fd

    def append(self, data: bytes) -> int:
        """Write `data`, which ends with a newline; the offset at which it starts. Raises StoreFull.

        The first sign of a full disk is a short write, so the file is cut back to its last whole line.
        """
        start = self.size
        view = memoryview(data)
        try:
            if self._ragged:
                self._cut(start)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as fault:
            self._ragged = True
            with contextlib.suppress(OSError):
                self._cut(start)
            raise _full(self.path, fault) from fault
        self.size = start + len(data)
        return start

    def _cut(self, end: int) -> None:
        os.ftruncate(self._fd, end)
        self._ragged = False

    def sync(self) -> None:
        """Blocks until what was appended is on the disk. A closed file was synced by whoever closed it."""
        fd = self._fd
        if fd >= 0:
            os.fsync(fd)

    def cut_torn_tail(self) -> bytes:
        """Cut an unfinished last line and answer its bytes (empty: none), kept beside the file."""
        tail = self.size
        while tail > 0:
            begin = max(0, tail - SLICE)
            newline = os.pread(self._fd, tail - begin, begin).rfind(b"\n")
            if newline >= 0:
                tail = begin + newline + 1
                break
            tail = begin
        if tail == self.size:
            return b""
        torn = os.pread(self._fd, self.size - tail, tail)
        _set_aside(self.path, tail, torn)
        os.ftruncate(self._fd, tail)
        os.fsync(self._fd)
        self.size = tail
        return torn

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _full(path: Path, fault: OSError) -> StoreFull:
    return StoreFull(f"{path}: cannot write ({fault.strerror}); nothing new is sent until there is space")


def _set_aside(path: Path, at: int, torn: bytes) -> None:
    """Keep the bytes as `<name>.torn-<offset>`, never over what is there already. Raises StoreFull."""
    number, name = 1, f"{path.name}.torn-{at}"
    while os.path.lexists(path.with_name(name)):
        number += 1
        name = f"{path.name}.torn-{at}-{number}"
    replace_file(path.with_name(name), torn)


def read_slices(path: Path, offset: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """(offset of the first, whole lines without their newline), about a megabyte at a time.

    Splits on LF alone. An unfinished last line is left out.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        rest = b""
        while chunk := file.read(SLICE):
            data = rest + chunk
            end = data.rfind(b"\n")
            if end < 0:
                rest = data
                continue
            yield offset, data[:end].split(b"\n")
            offset += end + 1
            rest = data[end + 1 :]


def sync_folder(path: Path) -> None:
    """Make a new or renamed entry of the folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` in the place of `path` at once, mode 0600, by a temporary file of unguessable name.

    Raises StoreFull, and then leaves what was there.
    """
    try:
        _replace(path, data, durable)
    except OSError as fault:
        raise _full(path, fault) from fault


def sweep_temporary(folder: Path) -> None:
    """Delete what `replace_file` left when its process was killed. For the holder of the folder's lock alone."""
    for entry in folder.glob(".*.json.*"):
        with contextlib.suppress(OSError):
            entry.unlink()


def _replace(path: Path, data: bytes, durable: bool) -> None:
    import tempfile

    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    if durable:
        sync_folder(path.parent)
