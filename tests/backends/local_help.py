"""What the tests of kind `local` share: jobs, and ways to wait for processes and files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from batchtui.backends.base import Job, Setup
from batchtui.backends.local.backend import LocalBackend, LocalSettings
from batchtui.decode import convert
from batchtui.model import Json
from batchtui.work.job import ProgramWork

T = TypeVar("T")
PATIENCE = 20.0


def backend_in(folder: Path) -> LocalBackend:
    backend = LocalBackend(Setup("local", LocalSettings(kind="local")))
    backend.use_run_dir(folder)
    return backend


def job_of(command: Json, **fields: Json) -> Job[ProgramWork]:
    work = convert({"command": command, **fields}, ProgramWork, where="jobs.toml", prefix="job")
    return Job(0, "one", 1, "token", work)


def no_note(_: dict[str, Json]) -> None:
    return None


async def until(look: Callable[[], T | None], what: str) -> T:
    """The first value that is not None, False or empty."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := look():
            return value
        await asyncio.sleep(0.005)
    raise AssertionError(f"still waiting for {what}")


def pid_in(file: Path) -> Callable[[], int | None]:
    """Reads a pid that a program writes with a newline behind it."""

    def look() -> int | None:
        text = file.read_text() if file.exists() else ""
        return int(text) if text.endswith("\n") else None

    return look


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
