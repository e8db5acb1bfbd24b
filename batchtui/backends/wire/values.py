"""Values of a reply as they may be used: ids that may be asked for, and times."""

from __future__ import annotations

from datetime import UTC, datetime

from batchtui.model import Json
from batchtui.text import clean

ID_LIMIT = 256


def usable_id(value: Json) -> str | None:
    """An id that may be asked for later: text of sane length without control characters, no path step by itself."""
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT or value in (".", ".."):
        return None
    return value if clean(value) == value and value.isprintable() else None


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
