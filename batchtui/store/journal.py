"""events.jsonl: one JSON object a line, `{"seq", "time", "event", …, "crc"}`.

`crc` is the CRC-32 (8 hex digits) of the line without it, so that damage is told from truth without parsing
twice. The first line names the schema version. Unknown events are kept and passed over.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from batchtui.model import Json
from batchtui.store.clock import now
from batchtui.store.lines import AppendFile, read_slices, sync_folder

SCHEMA = 1
_SEAL = len(',"crc":"00000000"}')
Event = dict[str, Json]
_encode = json.JSONEncoder(separators=(",", ":")).encode


def seal(event: Event) -> bytes:
    """The event as a line with its checksum and newline."""
    body = _encode(event).encode()
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def is_whole(line: bytes) -> bool:
    """Whether the checksum fits the line (without its newline)."""
    body = line[:-_SEAL] + b"}"
    return line[-_SEAL:] == b',"crc":"%08x"}' % zlib.crc32(body)


def read_events(path: Path, offset: int = 0) -> Iterator[tuple[int, list[Event], list[str]]]:
    """(offset after the slice, its events, what was damaged in it), in slices of about a megabyte."""
    for start, lines in read_slices(path, offset):
        whole = [line for line in lines if is_whole(line)]
        damage: list[str] = []
        if len(whole) != len(lines):
            at = start
            for line in lines:
                if not is_whole(line):
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

    def __init__(self, path: Path, seq: int) -> None:
        self.file = AppendFile(path)
        self.torn = self.file.cut_torn_tail()
        self.seq = seq
        if self.file.size == 0:
            self.append({"event": "journal", "schema": SCHEMA})
            self.file.sync()  # a batch that was driven is known by this line for ever
            sync_folder(path.parent)

    def append(self, event: Event) -> Event:
        """Give the event its sequence number and time, write it, and answer it as written. Raises StoreFull."""
        sealed: Event = {"seq": self.seq + 1, "time": now(), **event}
        self.file.append(seal(sealed))
        self.seq += 1
        return sealed
