"""inbox.jsonl: anyone appends one command a line; the driver reads on from where its journal says it had come."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchtui.model import Json
from batchtui.store.clock import now
from batchtui.store.lines import AppendFile, read_slices


class Command(msgspec.Struct, kw_only=True):
    """One wish of a person: `cancel`, `pause`, `resume`, `retry`, `limit`, `resolve`, `archive`, `tag`."""

    command: str
    args: dict[str, Json] = {}
    time: str = ""


def post(folder: Path, command: Command) -> int:
    """Append the command, durably; the inbox's size after it, which the driver's journal reaches once it is obeyed.

    Raises StoreFull, StoreDamaged.
    """
    import fcntl

    command.time = now()
    line = json.dumps(msgspec.to_builtins(command)).encode() + b"\n"
    with contextlib.closing(AppendFile(folder / "inbox.jsonl")) as file:
        fcntl.flock(
            file.fileno(), fcntl.LOCK_EX
        )  # one writer at a time, so that a torn line is never built upon
        file.size = os.fstat(file.fileno()).st_size
        file.cut_torn_tail()
        end = file.append(line) + len(line)
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
        file.sync()
        return end


def read(folder: Path, offset: int) -> Iterator[tuple[int, Command | None]]:
    """(offset after the line, command) for every whole line from `offset` on; None for a line that makes no sense."""
    for start, lines in read_slices(folder / "inbox.jsonl", offset):
        at = start
        for line in lines:
            at += len(line) + 1
            try:
                command = msgspec.convert(json.loads(line), Command)
            except (ValueError, RecursionError, msgspec.ValidationError):
                command = None
            yield at, command
