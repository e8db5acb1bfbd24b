"""Whether a later version of batchtui wrote any file of a batch: it may be read here, and is neither changed nor mended."""

from __future__ import annotations

import json
from pathlib import Path

from batchtui.errors import StoreDamaged
from batchtui.store.files import jobs, journal, results
from batchtui.store.files.header import StoreNewer, read_header

_LINES = {"jobs.jsonl": jobs.SCHEMA, "events.jsonl": journal.SCHEMA, "results.jsonl": results.SCHEMA}
"""Files whose first line names the version that it was written in, with the one that is known here."""
_LONGEST = 65_536
"""Bytes of a first line that are looked at."""


def refuse_newer(folder: Path) -> None:
    """Raises StoreNewer for a batch of a newer version; what is damaged is none as far as anybody can tell."""
    try:
        read_header(folder)
    except StoreNewer:
        raise
    except StoreDamaged:
        pass
    for name, known in _LINES.items():
        if (schema := _schema(folder / name)) > known:
            raise StoreNewer(
                f"{folder / name}: written by a newer batchtui (schema {schema}); update to drive it"
            )


def is_newer(folder: Path) -> bool:
    """Whether a newer version wrote any of it."""
    try:
        refuse_newer(folder)
    except StoreNewer:
        return True
    return False


def _schema(path: Path) -> int:
    """What the first line says; 0 where it says nothing."""
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_LONGEST))
    except (OSError, ValueError, RecursionError):
        return 0
    found = first.get("schema") if isinstance(first, dict) else None
    return found if isinstance(found, int) else 0
