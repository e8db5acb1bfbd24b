"""What a person decided, and all else that the header says, as events of the journal: batch.json can be made again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.errors import StoreDamaged
from batchtui.model import Json
from batchtui.store.files import journal
from batchtui.store.files.header import BatchHeader, StoreNewer, read_header


def changes(header: BatchHeader, known: dict[str, Json]) -> dict[str, Json]:
    """What the header says otherwise than the journal, which knows this much of it."""
    plain: dict[str, Json] = msgspec.to_builtins(header)
    return {
        key: value
        for key, value in plain.items()
        if key != "seq" and (key not in known or known[key] != value)
    }


def merged(known: dict[str, Json], seq: int) -> BatchHeader:
    """The header that these changes add up to. Raises msgspec.ValidationError where they are not all of it."""
    return typed.convert({**known, "seq": seq}, BatchHeader)


def header_of(folder: Path) -> BatchHeader:
    """The header, or what is known of it where its file is not to be trusted. Raises StoreDamaged where nothing is."""
    try:
        return read_header(folder)
    except StoreDamaged as fault:
        if (known := instead(folder, fault)) is None:
            raise
        return known


def instead(folder: Path, fault: StoreDamaged) -> BatchHeader | None:
    """What to read the batch by where its header has this fault: as the journal has it, or as a newer version wrote it."""
    return journaled(folder) or (fault.header if isinstance(fault, StoreNewer) else None)


def journaled(folder: Path) -> BatchHeader | None:
    """The header as the journal of this batch tells it; None where that does not know all of it."""
    known: dict[str, Json] = {}
    seq = 0
    try:
        for _, events, _ in journal.read_events(folder / "events.jsonl"):
            for event in events:
                if event.get("event") == "header" and isinstance(event.get("set"), dict):
                    known, seq = known | event["set"], event["seq"]
                elif event.get("event") == journal.RESTORED:
                    known, seq = event["columns"]["header"], event["columns"]["header_seq"]
        return merged(known, seq)
    except (OSError, LookupError, TypeError, msgspec.ValidationError):
        return None
