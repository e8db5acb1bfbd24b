"""The one line at the bottom: the keys that matter on this screen, as many as fit whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from textual import events
from textual.content import Content
from textual.widget import Widget

from batchtui.tui.actions import table as actions

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

KEPT = ("compose.submit", "app.help", "app.quit")
"""Shown however narrow it is."""


class Placed(Protocol):
    """A screen with a name in the table of actions."""

    place: str


class FooterLine(Widget):
    """Written from the table of actions, with the keys as they are set now; a click does what the key does."""

    DEFAULT_CSS = (
        "FooterLine { height: 1; dock: bottom; padding: 0 1; background: $panel; color: $foreground; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[int, int, actions.Action]] = []

    def render(self) -> Content:
        app, screen = cast("BaseApp", self.app), cast("Placed", self.screen)
        shown = [action for action in actions.of_screen(screen.place) if action.show]
        texts = {action.id: f"{actions.shown_key(app.keys_of(action)[0])} {action.title}" for action in shown}
        room = self.content_size.width - sum(len(texts[i]) + 2 for i in KEPT if i in texts) + 2
        self._places, at = [], 0
        parts: list[str | tuple[str, str]] = []
        for action in shown:
            needed = len(texts[action.id]) + 2
            if action.id not in KEPT:
                if needed > room:
                    continue
                room -= needed
            key, _, title = texts[action.id].partition(" ")
            parts += [(key, "bold $text-accent"), f" {title}  "]
            self._places.append((at, at + needed - 2, action))
            at += needed
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        at = event.x - 1
        for start, end, action in self._places:
            if start <= at < end:
                await self.run_action(f"app.{action.method}" if action.of_app else f"screen.{action.method}")
