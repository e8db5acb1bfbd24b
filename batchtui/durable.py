"""The one place that makes what was written last: past the system's cache, and on a Mac past the drive's as well."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def sync_file(fd: int, path: Path) -> None:
    """Blocks until the file's bytes are on the disk. Raises OSError, which names the path."""
    try:
        flush(fd)
    except OSError as fault:
        fault.filename = fault.filename or str(path)
        raise


def sync_folder(path: Path) -> None:
    """Make a new or renamed entry of the folder durable. Raises OSError, which names the path."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_file(fd, path)
    finally:
        os.close(fd)


def make_folder(path: Path) -> None:
    """Make it, and what it lies in, mode 0700; durably, so that what is written there later is found. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True, mode=0o700)
        sync_folder(folder.parent)
    path.mkdir(exist_ok=True)  # raises where a file is in its place


def flush(fd: int) -> None:
    """Every flush of the program."""
    whole: int | None = getattr(fcntl, "F_FULLFSYNC", None)
    if whole is not None:
        try:
            fcntl.fcntl(fd, whole)
            return
        except OSError:  # a file system that does not know it, such as one of another machine
            pass
    os.fsync(fd)
