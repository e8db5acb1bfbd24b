"""Waiting for the thing, not for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.css.query import NoMatches
from textual.pilot import Pilot


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 60) -> None:
    """Let the app work until the condition holds; on a screen that is half built it does not yet."""
    end = time.monotonic() + seconds

    def holds() -> object:
        try:
            return condition()
        except NoMatches:
            return False

    while not holds():
        assert time.monotonic() < end, "what was waited for did not come"
        await pilot.pause(0.01)


def screen_text(pilot: Pilot[None]) -> str:
    """What stands on the screen, line by line."""
    width, height = pilot.app.size
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip()[:width] for strip in lines[:height])
