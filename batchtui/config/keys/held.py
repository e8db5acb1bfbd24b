"""Keys that a program gave in its code: held in this process, found as variables are, written nowhere."""

from __future__ import annotations

from batchtui.masking import know

_held: dict[str, str] = {}


def hold(variable: str, key: str) -> None:
    """From now on `variable` is where this key is, whatever the environment says."""
    know(key)
    _held[variable] = key


def held(variable: str) -> str | None:
    return _held.get(variable)
