"""Who drives a batch: one process at a time, by a lock that the kernel drops when the process dies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchtui import typed
from batchtui.errors import StoreDamaged
from batchtui.model import Attention, Json
from batchtui.store.disk.clock import now
from batchtui.store.disk.lines import StoreFull, replace_file
from batchtui.store.disk.watch import stir

if TYPE_CHECKING:
    from filelock import FileLock


_HOLDER = "holder.json"
_ROOM = 2048
"""Bytes of that file, most of them blank: what it says later is not longer."""


class DriveLock:
    """The lock of one batch folder. The file is never deleted: unlinking it would let a second holder in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: FileLock | None = None
        self._since = ""

    def take(self) -> bool:
        """Try at once; False where another process has it. Raises StoreDamaged where the file cannot be locked."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._folder / "lock", mode=0o600, thread_local=False)
        try:
            # Long enough to outlast a probe of `is_held` in another process.
            lock.acquire(timeout=0.05, poll_interval=0.01)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as fault:
            raise StoreDamaged(f"{self._folder / 'lock'}: cannot be locked ({fault})") from fault
        self._lock = lock
        self._since = now()
        self.heartbeat()
        stir(self._folder)
        return True

    def heartbeat(self, standing: Iterable[Attention] = ()) -> None:
        """Say who holds it, for the others' message, and what stands in the way that no journal can tell.

        On a full disk the file is written over where it stands, which takes no more space.
        """
        holder: dict[str, Json] = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "boot": boot_id(),
            "since": self._since,
            "heartbeat": now(),
        }
        if told := [msgspec.to_builtins(item) for item in standing]:
            holder["standing"] = told
        line = json.dumps(holder).encode().ljust(_ROOM)
        try:
            replace_file(self._folder / _HOLDER, line, durable=False)
        except StoreFull:
            with contextlib.suppress(OSError), (self._folder / _HOLDER).open("r+b", buffering=0) as file:
                file.write(line)

    def release(self) -> None:
        if self._lock:
            with contextlib.suppress(OSError):
                os.unlink(self._folder / _HOLDER)
            self._lock.release()
            self._lock = None
            stir(self._folder)


def holder(folder: Path) -> str | None:
    """`pid 4121 on host` of the process that drives the batch, None where none does."""
    if not (folder / _HOLDER).exists() or not is_held(folder):
        return None
    try:
        who = json.loads((folder / _HOLDER).read_bytes())
        return f"pid {int(who['pid'])} on {who['host']}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return "another process"


def standing(folder: Path) -> list[Attention]:
    """What the process that holds the lock says of what it cannot write down; nothing where that is this process."""
    try:
        who = json.loads((folder / _HOLDER).read_bytes())
        mine = who["pid"] == os.getpid() and who["host"] == socket.gethostname()
        return [] if mine else typed.convert(who.get("standing", []), list[Attention])
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        msgspec.ValidationError,
    ):
        return []


def is_held(folder: Path) -> bool:
    """Whether any process, this one included, holds the lock."""
    import fcntl

    try:
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def boot_id() -> str:
    """Tells a process of before the last restart from one of after it; empty where the system has none."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
