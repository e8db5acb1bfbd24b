"""inbox.jsonl: anyone appends one command a line; the driver reads on from where its journal says it had come."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchtui.model import Json
from batchtui.store.clock import now
from batchtui.store.lines import read_slices


class Command(msgspec.Struct, kw_only=True):
    """One wish of a person: `cancel`, `pause`, `resume`, `retry`, `limit`, `resolve`, `archive`, `tag`."""

    command: str
    args: dict[str, Json] = {}
    time: str = ""


def post(folder: Path, command: Command) -> int:
    """Append the command, durably; the inbox's size after it, which the driver's journal reaches once it is obeyed."""
    command.time = now()
    line = json.dumps(msgspec.to_builtins(command)).encode() + b"\n"
    fd = os.open(folder / "inbox.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, line)
        os.fsync(fd)
        return os.lseek(fd, 0, os.SEEK_CUR)
    finally:
        os.close(fd)


def read(folder: Path, offset: int) -> Iterator[tuple[int, Command | None]]:
    """(offset after the line, command) for every whole line from `offset` on; None for a line that makes no sense."""
    for start, lines in read_slices(folder / "inbox.jsonl", offset):
        at = start
        for line in lines:
            at += len(line) + 1
            try:
                yield at, msgspec.json.decode(line, type=Command)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield at, None
