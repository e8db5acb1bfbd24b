"""Times as the files hold them: UTC, ISO 8601, milliseconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> str:
    return stamp(time.time())


def stamp(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def unix(text: str) -> float:
    """Unix seconds of a stamp. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()
