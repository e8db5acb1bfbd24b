"""Values of a reply as they may be used: ids that may be asked for, and times."""

from __future__ import annotations

from datetime import UTC, datetime

from batchtui.model import Json
from batchtui.text import cell, clean


def usable_id(value: Json) -> str | None:
    """An id that may be asked for later, however long: text without control characters, no path step by itself."""
    if not isinstance(value, str) or not value or value in (".", ".."):
        return None
    return value if clean(value) == value and value.isprintable() else None


def id_fault(value: Json) -> str | None:
    """Why what stands where an id belongs cannot be used as one; None where it can, or where nothing stands."""
    if value is None or value == "" or usable_id(value):
        return None
    if not isinstance(value, str):
        return f"an id that is no text but {type(value).__name__}"
    return f'an id that no address can carry: "{cell(value, 60)}"'


def unix(value: Json) -> float | None:
    """A time as Unix seconds, from seconds or ISO text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            return None
    return None


def iso(value: Json) -> str | None:
    seconds = unix(value)
    try:
        return (
            None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    except (OverflowError, ValueError, OSError):
        return None
