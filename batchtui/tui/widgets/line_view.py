"""Lines of text, seen through a window: only what is visible is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


class Line(NamedTuple):
    """A dim head (time, batch) and its words, both clean; `style` colours the words."""

    head: str
    words: str
    style: str = ""


class LineView(ScrollView, can_focus=True):
    """Follows the last line until told otherwise; cuts long lines, or wraps them."""

    DEFAULT_CSS = "LineView { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; padding: 0 1; }"

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._lines: Sequence[Line] = ()
        self._rows: list[tuple[str, str, str]] = []
        self.follow = True
        self.wrap = False

    @property
    def _tui(self) -> BaseApp:
        return cast("BaseApp", self.app)

    def show(self, lines: Sequence[Line]) -> None:
        if list(lines) != list(self._lines):
            self._lines = lines
            self.lay_out()

    def lay_out(self) -> None:
        """Cut the lines into rows for the width there is."""
        width = max(20, self.content_size.width)
        self._rows = []
        for line in self._lines:
            room = max(10, width - cell_len(line.head))
            pieces = chop_cells(line.words, room) if self.wrap and line.words else [line.words]
            for number, piece in enumerate(pieces):
                head = line.head if number == 0 else " " * cell_len(line.head)
                self._rows.append((head, piece, line.style))
        self.virtual_size = Size(width, len(self._rows))
        if self.follow:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        self.refresh()

    def on_resize(self) -> None:
        self.lay_out()

    def render_line(self, y: int) -> Strip:
        width, base = self.content_size.width, self.rich_style
        index = self.scroll_offset.y + y
        if index >= len(self._rows):
            return Strip.blank(width, base)
        head, words, style = self._rows[index]
        parts = [
            Segment(head, base + Style(dim=True)),
            Segment(
                set_cell_size(words, max(0, width - cell_len(head))),
                base + Style.parse(self._tui.paint(style)) if style else base,
            ),
        ]
        return Strip(parts).adjust_cell_length(width, base)
