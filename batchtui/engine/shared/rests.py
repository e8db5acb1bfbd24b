"""Rests in the work on submissions, which a person can end."""

from __future__ import annotations

import asyncio
import contextlib


class Rests:
    """One for each submission that rests between two steps."""

    def __init__(self) -> None:
        self._ended: dict[int, asyncio.Event] = {}

    async def rest(self, id_: int, seconds: float) -> None:
        """For so long, or until `hurry`."""
        event = self._ended.setdefault(id_, asyncio.Event())
        event.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    def hurry(self, id_: int) -> None:
        """Go on with a submission now."""
        if id_ in self._ended:
            self._ended[id_].set()
