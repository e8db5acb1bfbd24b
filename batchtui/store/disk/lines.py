"""Append-only line files: whole lines or nothing, and what is left of a line after a crash is set aside."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from batchtui.durable import sync_file, sync_folder
from batchtui.errors import BatchtuiError, StoreDamaged

SLICE = 1 << 20
_SPACE = 1 << 16
"""Bytes that there must be room for before a disk that was full is written to again."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where there is no space left for us."""
_REFUSED = FULL | {errno.EIO, errno.EROFS}


class StoreFull(BatchtuiError):
    """The disk refused a write; the file ends where it ended before."""


def is_disk(fault: BaseException) -> bool:
    """Whether it comes from a disk that is full or fails, which may pass, and not from what was done."""
    return isinstance(fault, StoreFull) or (isinstance(fault, OSError) and fault.errno in _REFUSED)


def disk_words(fault: BaseException) -> str:
    """`the disk is full: …` with the path, or that it fails, as far as the fault tells."""
    text = str(fault)
    if isinstance(fault, OSError):
        place = f"{fault.filename}: " if fault.filename else ""
        text = f"{place}{_refused(fault)}"
    return f"{disk_cause(fault)}: {text}"


def disk_cause(fault: BaseException) -> str:
    """That the disk is full, or else that it fails."""
    cause = fault if isinstance(fault, OSError) else fault.__cause__
    full = isinstance(cause, OSError) and cause.errno in FULL
    return "the disk is full" if full else "the disk refuses what is written"


class AppendFile:
    """A file that only grows, by whole lines; one writer at a time."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file, mode 0600. Raises StoreFull, StoreDamaged (a link, or not ours to write)."""
        self.path = path
        self._ragged = False
        self._unsynced: deque[tuple[int, int, int]] = deque()
        """Start, end and checksum of what was written and is not known to be on the disk."""
        self._doubted = False
        self._syncing = threading.Lock()
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
        self._unsynced.append((start, start + len(data), zlib.crc32(data)))
        self.size = start + len(data)
        return start

    def clear(self) -> None:
        """Back to nothing, and closed: what did not reach the disk is written by whoever opens it next."""
        with contextlib.suppress(OSError):
            self._cut(0)
        self._doubted = False
        self.close()

    def _cut(self, end: int) -> None:
        os.ftruncate(self._fd, end)
        self._ragged = False

    def sync(self) -> None:
        """Blocks until what was appended is on the disk. A closed file was synced by whoever closed it. Raises OSError.

        A system that failed once takes what it failed to write for written, so the next try writes it once more.
        """
        with self._syncing:
            if self._fd < 0:
                return
            written = list(self._unsynced)
            try:
                if self._doubted:
                    self._write_again(written)
                sync_file(self._fd, self.path)
            except OSError:
                self._doubted = True
                raise
            self._doubted = False
            for _ in written:
                self._unsynced.popleft()

    def _write_again(self, written: Sequence[tuple[int, int, int]]) -> None:
        """Open it anew, read what may not be on the disk, compare, write it to where it stands. Raises OSError."""
        fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)  # appending, it would go to the end
        try:
            for start, end, checksum in written:
                data = os.pread(fd, end - start, start)
                same = os.path.samestat(os.fstat(fd), os.fstat(self._fd)) and zlib.crc32(data) == checksum
                if not same or os.pwrite(fd, data, start) < len(data):
                    words = f"what was written at byte {start} is not there any more"
                    raise OSError(errno.EIO, words, str(self.path))
        finally:
            os.close(fd)

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
        sync_file(self._fd, self.path)
        self.size = tail
        return torn

    def close(self) -> None:
        if self._doubted:
            with contextlib.suppress(OSError):
                self.sync()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _full(path: Path, fault: OSError) -> StoreFull:
    return StoreFull(f"{path}: {_refused(fault)}")


def _refused(fault: OSError) -> str:
    until = "there is space" if fault.errno in FULL else "the disk takes what is written"
    return f"cannot write ({fault.strerror}); nothing new is sent until {until}"


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


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` in the place of `path` at once, mode 0600, by a temporary file of unguessable name.

    Raises StoreFull, and then leaves what was there.
    """
    try:
        _replace(path, data, durable)
    except OSError as fault:
        raise _full(path, fault) from fault


def try_space(folder: Path) -> None:
    """Write a small file there, and delete it. Raises OSError where the disk does not take it."""
    import tempfile

    fd, name = tempfile.mkstemp(dir=folder, prefix=".space.json.")
    try:
        view = memoryview(bytes(_SPACE))
        while view:
            view = view[os.write(fd, view) :]
        sync_file(fd, Path(name))
    finally:
        os.close(fd)
        os.unlink(name)


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
                sync_file(file.fileno(), path)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    if durable:
        sync_folder(path.parent)
