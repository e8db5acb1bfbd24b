"""What the app says in passing."""

from __future__ import annotations

from textual.notifications import Notification

_LEAST = 0.01
"""Seconds."""


class Notice(Notification):
    """A notification whose toast always has a moment left.

    Textual counts down what is left when it makes the toast. Where a notification runs out between the look for what is
    to be shown and that moment, the countdown is negative, and its timer (8.2.8) then turns for ever without letting
    anything else run: the app stands still.
    """

    @property
    def time_left(self) -> float:
        return max(super().time_left, _LEAST)

    @property
    def has_expired(self) -> bool:
        return super().time_left <= 0
