"""The table of a view: the first column stays, left and right move among the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from batchtui.results.views.drawings.columns import GAP, Layout, Place, chosen, narrowed
from batchtui.results.views.shapes import Table
from batchtui.tui.widgets.tables.line_table import LineTable


class ViewTable(LineTable):
    """Shows rows of a table by their numbers. `column` is the one that sorting and picking mean."""

    BINDINGS = [
        Binding("left", "column_left", show=False, id="table.left"),
        Binding("right", "column_right", show=False, id="table.right"),
    ]

    @dataclass
    class Opened(Message):
        """A row was clicked twice."""

        number: int

    def __init__(self) -> None:
        super().__init__(id="view-table")
        self.numbers: Sequence[int] = ()
        self.column = 0
        self._table = Table((), [])
        self._places: tuple[Place, ...] = ()
        self._narrowed: tuple[int, Sequence[Place]] = (-1, ())
        """The columns in the room they have, and which room that was."""
        self._first = 1
        """The first column that is shown beside the one that stays."""

    # ---- what it shows

    def show_table(self, table: Table, places: tuple[Place, ...], numbers: Sequence[int]) -> None:
        """Another table, its columns measured before: from the top."""
        self._table, self._places, self._narrowed = table, places, (-1, ())
        self.numbers, self.cursor, self._first = numbers, 0, 1
        self.column = min(self.column, max(0, len(table.columns) - 1))
        self._follow_column()
        self.scroll_to(y=0, animate=False, immediate=True)
        self.rows_changed()

    @property
    def natural_width(self) -> int:
        """Cells that all columns take."""
        return sum(place.width + GAP for place in self._places) + 3

    def show_numbers(self, numbers: Sequence[int], *, stay: bool = True) -> None:
        """Another choice or order of the same rows; the cursor stays on its row, or goes to the top."""
        current = self.current()
        self.numbers = numbers
        self.cursor = numbers.index(current) if stay and current is not None and current in numbers else 0
        self.rows_changed()

    def current(self) -> int | None:
        """Number of the row under the cursor."""
        return self.numbers[self.cursor] if 0 <= self.cursor < len(self.numbers) else None

    def row_count(self) -> int:
        return len(self.numbers)

    def choose_row(self, index: int) -> None:
        self.post_message(self.Opened(self.numbers[index]))

    class HeadClicked(Message):
        """The title of a column was clicked, which is the chosen one now."""

    def choose_head(self, x: int) -> None:
        end = 0
        for place in self._layout(self.size.width).places:
            end += place.width + GAP
            if x < end:
                self._to_column(place.at)
                self.post_message(self.HeadClicked())
                return

    # ---- columns

    def action_column_left(self) -> None:
        self._to_column(self.column - 1)

    def action_column_right(self) -> None:
        self._to_column(self.column + 1)

    def _to_column(self, column: int) -> None:
        self.column = max(0, min(column, len(self._places) - 1))
        self._follow_column()
        self.refresh()

    def _follow_column(self) -> None:
        """Shift the columns until the chosen one is seen."""
        if self.column and self.column < self._first:
            self._first = self.column
        while self.column > self._first and self.column not in self._shown(self.size.width):
            self._first += 1

    def _shown(self, width: int) -> list[int]:
        return [place.at for place in self._layout(width).places]

    def _layout(self, width: int) -> Layout:
        room = max(1, width - 1)
        if self._narrowed[0] != room:
            self._narrowed = (room, narrowed(self._places, room, self._table.beside))
        return chosen(self._narrowed[1], room, self._first)

    # ---- drawing

    def draw_head(self, width: int) -> Strip:
        dim = self.rich_style + Style(dim=True)
        parts = []
        for place in self._layout(width).places:
            here = place.at == self.column
            parts += [Segment(place.head, dim + Style(bold=True, underline=True, dim=False) if here else dim)]
            parts += [Segment(" " * GAP, dim)]
        return Strip(parts).adjust_cell_length(width, dim)

    def draw_row(self, index: int, selected: bool, width: int) -> Strip:
        base = self.row_style(selected)
        row = self._table.rows[self.numbers[index]]
        layout = self._layout(width)
        line = (" " * GAP).join(place.text(row) for place in layout.places)
        return Strip([Segment(line, base)]).adjust_cell_length(width, base)
