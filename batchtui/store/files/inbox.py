"""inbox.jsonl: anyone appends one command a line; the driver reads on from where its journal says it had come."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.durable import sync_folder
from batchtui.model import Json
from batchtui.store.disk.clock import now
from batchtui.store.disk.lines import AppendFile, read_slices
from batchtui.store.disk.watch import stir
from batchtui.store.health.versions import refuse_newer


class Command(msgspec.Struct, kw_only=True):
    """One wish of a person: `add` (jobs), `cancel`, `pause`, `resume`, `retry`, `limit`, `resolve`, `archive`, `tag`."""

    command: str
    args: dict[str, Json] = {}
    time: str = ""


def post(folder: Path, command: Command, obeyed: int = 0) -> int:
    """Append the command, durably; the inbox's size after it, which the driver's journal reaches once it is obeyed.

    `obeyed` is how far the journal has come: a file that has become shorter goes on from there, since what stood before
    that point would be taken for obeyed. Raises StoreFull, StoreDamaged; StoreNewer for a batch that only a newer
    version may drive, which would obey later what was refused now.
    """
    import fcntl

    refuse_newer(folder)
    command.time = now()
    line = json.dumps(msgspec.to_builtins(command)).encode() + b"\n"
    with contextlib.closing(AppendFile(folder / "inbox.jsonl")) as file:
        fcntl.flock(
            file.fileno(), fcntl.LOCK_EX
        )  # one writer at a time, so that a torn line is never built upon
        file.size = os.fstat(file.fileno()).st_size
        file.cut_torn_tail()
        made = file.size == 0
        make_up(file, obeyed)
        end = file.append(line) + len(line)
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
        file.sync()
        if made:
            sync_folder(folder)
    stir(folder)
    return end


def make_up(file: AppendFile, obeyed: int) -> None:
    """Stand in for lines that were obeyed and are lost: offsets only ever grow."""
    if file.size < obeyed:
        file.append(b"\n" * (obeyed - file.size))


def read(folder: Path, offset: int) -> Iterator[tuple[int, Command | None]]:
    """(offset after the line, command) for every whole line from `offset` on; None for a line that makes no sense."""
    for start, lines in read_slices(folder / "inbox.jsonl", offset):
        at = start
        for line in lines:
            at += len(line) + 1
            if not line:
                continue
            try:
                command = typed.convert(json.loads(line), Command)
            except (ValueError, RecursionError, msgspec.ValidationError):
                command = None
            yield at, command
