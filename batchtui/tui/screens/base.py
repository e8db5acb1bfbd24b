"""What every screen shares: a header line, the app with its type, and the two heartbeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from batchtui.tui.actions import exporting
from batchtui.tui.widgets.footer import FooterLine
from batchtui.tui.widgets.header import HeaderLine

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


class AppScreen(Screen[None]):
    """One header line, `body()`, one line of keys. Subclasses set `place` to their name in the action table."""

    place: ClassVar[str] = ""
    AUTO_FOCUS: ClassVar[str | None] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (70, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-short"), (30, "-roomy"), (36, "-tall")]

    @property
    def tui(self) -> BaseApp:
        return cast("BaseApp", self.app)

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        yield from self.body()
        yield FooterLine()

    def body(self) -> ComposeResult:
        """The widgets between header and footer."""
        yield from ()

    def changed(self, batch_ids: set[str]) -> None:
        """These batches changed (at most four times a second; "" stands for the worker's own news)."""

    def tick(self) -> None:
        """Once a second: relative times grow old."""

    def selected_batch(self) -> str | None:
        """The batch that keys such as `3` and `t` mean here."""
        return None

    def subject(self) -> Widget | None:
        """The widget that moving keys move."""
        return None

    # ---- moving keys, for the widget that `subject` names

    def action_nav_down(self) -> None:
        self._move("cursor_down", "scroll_down")

    def action_nav_up(self) -> None:
        self._move("cursor_up", "scroll_up")

    def action_nav_top(self) -> None:
        self._move("scroll_top", "scroll_home")

    def action_nav_bottom(self) -> None:
        self._move("scroll_bottom", "scroll_end")

    def action_nav_page_down(self) -> None:
        self._move("page_down")

    def action_nav_page_up(self) -> None:
        self._move("page_up")

    def _move(self, *names: str) -> None:
        """Run the first of these actions that the widget has."""
        widget = self.subject()
        for name in names:
            if widget is not None and (action := getattr(widget, f"action_{name}", None)):
                action()
                return

    def action_batch_export(self) -> None:
        if batch_id := self.selected_batch():
            exporting.export_batches(self.tui, [batch_id])

    def back(self) -> None:
        """What escape does: close what is open on this screen, else leave it."""
        self.tui.leave_screen(self)
