"""A table whose cost is what is seen, however many rows it has: one head line, a cursor, and rows drawn one by one."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LineTable(ScrollView, can_focus=True):
    """Subclasses say how many rows there are, draw the head and a row, and take what a double click chose."""

    CLICKS: ClassVar[int] = 2
    """How many in a row choose one."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-table--cursor"}
    DEFAULT_CSS = """
    LineTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .line-table--cursor { background: $block-cursor-blurred-background; }
        &:focus > .line-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    BINDINGS = [
        Binding("down", "cursor_down", show=False),
        Binding("up", "cursor_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.cursor = 0
        self._drawn: dict[int, Strip] = {}

    # ---- what a subclass says

    def row_count(self) -> int:
        raise NotImplementedError

    def draw_head(self, width: int) -> Strip:
        raise NotImplementedError

    def draw_row(self, index: int, selected: bool, width: int) -> Strip:
        raise NotImplementedError

    def choose_row(self, index: int) -> None:
        """A row was clicked so often."""

    def cursor_moved(self) -> None:
        """It is on another row."""

    # ---- moving

    def rows_changed(self) -> None:
        """There are other rows than before: bring scrolling and cursor into line."""
        self.virtual_size = Size(self.size.width, self.row_count() + 1)
        self.cursor = max(0, min(self.cursor, self.row_count() - 1))
        self._follow_cursor()
        self.refresh()

    def renew(self) -> None:
        """The same rows, some of which may read otherwise: those are painted, by line."""
        for y in range(self.size.height):
            if self._draw(y) != self._drawn.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def move_to(self, index: int) -> None:
        """Put the cursor on that row, or the nearest."""
        index = max(0, min(index, self.row_count() - 1))
        if index != self.cursor:
            before, self.cursor = self.cursor, index
            self._refresh_row(before)
            self._refresh_row(index)
            self.cursor_moved()
        self._follow_cursor()

    def _refresh_row(self, index: int) -> None:
        self.refresh(Region(0, index + 1 - self.scroll_offset.y, self.size.width, 1))

    def _follow_cursor(self) -> None:
        top, height = self.scroll_offset.y, self._page()
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)

    def action_cursor_down(self) -> None:
        self.move_to(self.cursor + 1)

    def action_cursor_up(self) -> None:
        self.move_to(self.cursor - 1)

    def action_page_down(self) -> None:
        self.move_to(self.cursor + self._page())

    def action_page_up(self) -> None:
        self.move_to(self.cursor - self._page())

    def action_scroll_top(self) -> None:
        self.move_to(0)

    def action_scroll_bottom(self) -> None:
        self.move_to(self.row_count() - 1)

    def choose_head(self, x: int) -> None:
        """The head was clicked, so many cells from its left end."""

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self.choose_head(event.x)
        index = self.scroll_offset.y + event.y - 1
        if event.y > 0 and index < self.row_count():
            self.move_to(index)
            if event.chain == self.CLICKS:
                self.choose_row(index)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.row_count() + 1)

    # ---- drawing

    def row_style(self, selected: bool) -> Style:
        """The style of a row, under the cursor or not."""
        style: Style = self.rich_style
        return (
            style + self.get_component_rich_style("line-table--cursor", partial=True) if selected else style
        )

    def render_line(self, y: int) -> Strip:
        strip = self._drawn[y] = self._draw(y)
        return strip

    def _draw(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self.draw_head(width)
        index = self.scroll_offset.y + y - 1
        if index >= self.row_count():
            return Strip.blank(width, self.rich_style)
        return self.draw_row(index, index == self.cursor, width)


def fit(value: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells, the last one blank."""
    room = max(0, width - 1)
    long = cell_len(value)
    if long > room:
        return set_cell_size(set_cell_size(value, max(0, width - 2)) + "…", width)
    return set_cell_size(" " * (room - long) + value if right else value, width)
