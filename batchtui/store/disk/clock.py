"""Times as the files hold them: UTC, ISO 8601, milliseconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

_STEADY = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)


def steady() -> float:
    """Seconds that pass however the wall clock is set, those in which the machine sleeps included."""
    return time.clock_gettime(_STEADY) if _STEADY is not None else time.monotonic()


def now() -> str:
    return stamp(time.time())


def stamp(unix: float) -> str:
    second, micro = divmod(round(unix * 1_000_000), 1_000_000)
    return f"{_second(second)}.{micro // 1000:03d}Z"


@lru_cache(maxsize=4)  # many stamps fall into one second
def _second(unix: int) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def unix(text: str) -> float:
    """Unix seconds of a stamp. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()
