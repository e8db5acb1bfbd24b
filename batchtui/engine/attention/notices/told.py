"""notices.jsonl in a batch's folder: what was told already. Whoever writes an event down first tells it, and nobody else."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path

from batchtui.engine.attention.notices.events import Notice
from batchtui.store.disk.clock import now
from batchtui.store.disk.lines import AppendFile, read_slices

FILE = "notices.jsonl"
SCHEMA = 1


def claim(folder: Path, notice: Notice) -> bool:
    """Whether this event is ours to tell: nobody has told it, and from now on nobody else does. Durable.

    It counts as told before it is: what a crash comes between is told by nobody rather than twice. Raises StoreFull,
    StoreDamaged, OSError.
    """
    with contextlib.closing(AppendFile(folder / FILE)) as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)  # let go of with the file
        file.size = os.fstat(file.fileno()).st_size
        file.cut_torn_tail()
        if file.size == 0:
            file.append(json.dumps({"schema": SCHEMA, "file": "notices"}).encode() + b"\n")
        elif notice.key in _keys(folder):
            return False
        line = {
            "time": now(),
            "pid": os.getpid(),
            "event": notice.event,
            "key": notice.key,
            "title": notice.title,
        }
        file.append(json.dumps(line).encode() + b"\n")
        file.sync()
    return True


def _keys(folder: Path) -> set[str]:
    found: set[str] = set()
    for _, lines in read_slices(folder / FILE):
        for line in lines:
            with contextlib.suppress(ValueError, RecursionError, TypeError, AttributeError):
                found.add(json.loads(line).get("key"))
    return found
