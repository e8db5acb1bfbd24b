"""events.jsonl: one JSON object a line, `{"seq", "time", "event", …, "crc"}`.

`crc` is its checksum (see `seals`). The first line names the schema version. Unknown events are kept and passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from batchtui.durable import sync_folder
from batchtui.model import Json
from batchtui.store.disk import seals
from batchtui.store.disk.clock import now
from batchtui.store.disk.lines import AppendFile, read_slices

SCHEMA = 1
RESTORED = "restored"
"""An event that holds all columns as they stood: what is damaged or lost before it no longer matters."""
Event = dict[str, Json]
_encode = json.JSONEncoder(separators=(",", ":")).encode


def seal(event: Event) -> bytes:
    """The event as a line with its checksum and newline."""
    return seals.seal(_encode(event).encode())


def read_events(path: Path, offset: int = 0) -> Iterator[tuple[int, list[Event], list[str]]]:
    """(offset after the slice, its events, what was damaged in it), in slices of about a megabyte."""
    for start, lines in read_slices(path, offset):
        whole = [line for line in lines if seals.is_whole(line)]
        damage: list[str] = []
        if len(whole) != len(lines):
            at = start
            for line in lines:
                if not seals.is_whole(line):
                    damage.append(f"{path}: the line at byte {at} is damaged")
                at += len(line) + 1
        events, unread = _parse(path, whole)
        damage += unread
        yield start + sum(map(len, lines)) + len(lines), events, damage


def _parse(path: Path, lines: list[bytes]) -> tuple[list[Event], list[str]]:
    try:
        return json.loads(b"[" + b",".join(lines) + b"]"), []
    except (ValueError, RecursionError):  # a checksum that fits proves no JSON
        pass
    events: list[Event] = []
    damage: list[str] = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except (ValueError, RecursionError) as fault:
            damage.append(f"{path}: a line with a fitting checksum cannot be read ({fault})")
    return events, damage


class Journal:
    """The writing side; the holder of the batch's lock has it."""

    def __init__(self, path: Path, seq: int, last_time: str | None = None) -> None:
        self.file = AppendFile(path)
        self.torn = self.file.cut_torn_tail()
        self.seq = seq
        self._last_time = last_time or ""
        if self.file.size == 0:
            self.append({"event": "journal", "schema": SCHEMA})
            try:
                self.file.sync()  # a batch that was driven is known by this line for ever
                sync_folder(path.parent)
            except OSError:
                self.file.clear()
                raise

    def append(self, event: Event) -> Event:
        """Give the event its sequence number and time, write it, and answer it as written. Raises StoreFull.

        Where the clock was set back it is told at the time of the event before: nothing ends before it began.
        """
        time = max(now(), self._last_time)
        sealed: Event = {"seq": self.seq + 1, "time": time, **event}
        self.file.append(seal(sealed))
        self._last_time = time
        self.seq += 1
        return sealed
