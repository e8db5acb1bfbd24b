"""The one line at the bottom: the keys that matter on this screen, as many as fit whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from textual import events
from textual.content import Content
from textual.widget import Widget

from batchtui.tui.actions import table as actions
from batchtui.tui.key_order import is_typing

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

KEPT = ("compose.submit", "app.help", "app.quit")
"""Shown however narrow it is."""
NEEDED = (
    *KEPT, "batch.open", "job.open", "errors.open", "compose.check", "compose.save", "batch.new", "list.filter", "batch.cancel",
    "batch.retry", "list.failed", "batch.resolve", "compose.column", "compose.models", "batch.errors", "batch.info",
    "list.mark", "batch.limit", "view.open",
)  # fmt: skip
"""What one came for comes first where not all of it fits; the rest as it stands in the table."""


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
        self._typing = False

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._other_focus, init=False)

    def _other_focus(self) -> None:
        if is_typing(self.screen) != self._typing:
            self.refresh()

    def render(self) -> Content:
        app, screen = cast("BaseApp", self.app), cast("Placed", self.screen)
        self._typing = is_typing(self.screen)
        texts = {
            action: f"{key} {action.title}"
            for action in actions.of_screen(screen.place)
            if action.show
            and (key := app.key_now(action.id, typing=self._typing))
            and not (app.read_only and action.id in actions.WRITES)
        }
        chosen, room = set(), self.content_size.width + 2
        for action in sorted(texts, key=_rank):
            if (needed := len(texts[action]) + 2) <= room:
                chosen.add(action)
                room -= needed
        self._places, at = [], 0
        parts: list[str | tuple[str, str]] = []
        for action, text in texts.items():
            if action in chosen:
                key, _, title = text.partition(" ")
                parts += [(key, "bold $text-accent"), f" {title}  "]
                self._places.append((at, at + len(text), action))
                at += len(text) + 2
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        at = event.x - 1
        for start, end, action in self._places:
            if start <= at < end:
                await self.run_action(f"app.{action.method}" if action.of_app else f"screen.{action.method}")


def _rank(action: actions.Action) -> int:
    return NEEDED.index(action.id) if action.id in NEEDED else len(NEEDED)
