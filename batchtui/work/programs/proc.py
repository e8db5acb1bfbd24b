"""What the system tells about processes: /proc on Linux, `ps` elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stat:
    """`ended`: a zombie, which only waits for its parent. `start`: clock ticks since boot."""

    group: int
    start: int
    ended: bool


def identity(pid: int) -> str | None:
    """When the process started, which tells it from a later one of the same pid; None where it has ended."""
    if sys.platform == "linux":
        stat = stat_of(pid)
        return None if stat is None or stat.ended else f"{_boot()}:{stat.start}"
    done = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    state, _, start = done.stdout.strip().partition(" ")
    return start.strip() if state and not state.startswith("Z") else None


def stat_of(pid: int) -> Stat | None:
    """Linux only. None where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # the name stands in brackets and may hold any character, brackets and spaces included
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return (
        Stat(group=int(fields[2]), start=int(fields[19]), ended=fields[0] in (b"Z", b"X")) if fields else None
    )


def only_zombies(group: int) -> bool:
    """Whether all members of a group have ended and wait for a parent that never reaps, as in some containers."""
    if sys.platform != "linux":
        return False
    members = (stat for pid in _pids() if (stat := stat_of(pid)) and stat.group == group)
    return all(stat.ended for stat in members)


def carriers(variable: str, prefix: str) -> Iterator[tuple[int, str]]:
    """Processes in whose environment `variable` begins like this, with its value; none but on Linux."""
    if sys.platform != "linux":
        return
    wanted = os.fsencode(f"{variable}={prefix}")
    for pid in _pids():
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:  # another user's, or it ended meanwhile
            continue
        if wanted in environment:
            entry = next((entry for entry in environment.split(b"\0") if entry.startswith(wanted)), None)
            if entry is not None:
                yield pid, os.fsdecode(entry).partition("=")[2]


def has_open(pid: int, path: str) -> bool:
    """Linux only: whether the process has this file open."""
    folder = f"/proc/{pid}/fd"
    try:
        return any(os.readlink(f"{folder}/{fd}") == path for fd in os.listdir(folder))
    except OSError:
        return False


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
