"""What a backend has no form for."""

from __future__ import annotations


class Unfit(ValueError):
    """A piece of a request that cannot be said there. `place` is its key, such as `messages[0].content[1]`."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place, self.message = place, message
