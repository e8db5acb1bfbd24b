"""The picture of a view, drawn in a thread at the size that the widget has; it scrolls where it is taller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, get_current_worker

from batchtui.results.views.shapes import Picture
from batchtui.tui.look import states
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.text_view import TextView

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


class PictureView(VerticalScroll, inherit_bindings=False):
    """`show` draws a picture; drawing imports plotext, so it is never done in the screen's own thread."""

    BINDINGS = list(TextView.BINDINGS)
    DEFAULT_CSS = "PictureView { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }"

    @dataclass
    class Drawn(Message):
        worker: Worker[None]
        lines: Text

    def __init__(self) -> None:
        super().__init__(id="view-picture")
        self._picture: Picture | None = None
        self._drawn: tuple[int, int, int] = (0, 0, 0)
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Static()

    def show(self, picture: Picture | None) -> None:
        """Draw it once there is room; None empties the widget."""
        self._picture, self._drawn = picture, (0, 0, 0)
        self.scroll_home(animate=False)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        size, picture = self.size, self._picture
        wanted = (id(picture), size.width, size.height)
        if not self.display or not size.width or wanted == self._drawn:
            return
        self._drawn = wanted
        if picture is None:
            self.query_one(Static).update(
                shown(
                    f"no picture for this; {cast('BaseApp', self.app).key('view.picture')} shows the table",
                    "dim",
                )
            )
            return
        ascii_only = cast("BaseApp", self.app).glyphs is states.ASCII
        width, height = size.width - 2, size.height

        def work() -> None:
            from batchtui.results.views.drawings.picture import draw, natural_height

            wanted = natural_height(picture, height)
            lines = draw(picture, width, max(height, wanted), ascii_only=ascii_only)
            self.post_message(self.Drawn(get_current_worker(), lines))

        self._worker = self.run_worker(work, thread=True, exclusive=True, group="draw", exit_on_error=False)

    def on_picture_view_drawn(self, event: Drawn) -> None:
        event.stop()
        if event.worker is self._worker:
            self.query_one(Static).update(event.lines)
