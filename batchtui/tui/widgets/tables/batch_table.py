"""The live list of batches: fixed widths, the cursor stays on its batch, only changed cells are drawn again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from batchtui import outcome, text
from batchtui.model import BatchStatus, Json
from batchtui.tui.look import figures, standing, states
from batchtui.tui.models.usual import done, untold
from batchtui.tui.widgets.tables.columns import Column, fitting, wanted
from batchtui.tui.widgets.tables.line_table import LineTable, fit
from batchtui.tui.widgets.tables.marks import Marks

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

SortKey = Callable[[BatchStatus], object]
Shown = tuple[str, str]
"""What a cell says, and its style."""


COLUMNS = (
    Column("mark", "", 2),
    Column("id", "ID", 7, about="by which commands know the batch"),
    Column("name", "NAME", 12, about="its name"),
    Column("backend", "BACKEND", 11, 4, about="where its jobs run"),
    Column("state", "STATE", 16, about="what needs you, else the state"),
    Column("done", "DONE", 12, 0, True, about="jobs that have ended, of all"),
    Column("percent", "%", 5, 2, True, about="the share of them that has ended"),
    Column("failed", "FAIL", 6, 7, True, about="jobs that did not succeed"),
    Column("rate", "RATE", 8, 8, True, about="how many end in a time"),
    Column("eta", "ETA", 7, 5, True, about="how long it may still take"),
    Column("cost", "COST", 7, 6, True, about="US dollars spent so far"),
    Column("expires", "EXPIRES", 8, 9, True, about="until a backend drops it, where one does"),
    Column("age", "AGE", 7, 10, True, about="since it was made"),
)
NAME_AT_LEAST = 12
SOON = 3 * 86400
"""Seconds before a backend drops a batch from which on that stands out."""
CLOCKS = frozenset({"done", "rate", "eta", "expires", "age"})
"""What grows old while nothing happens."""
SORTS: tuple[tuple[str, SortKey], ...] = (
    ("newest", lambda s: s.created or ""),
    ("name", lambda s: s.name.casefold()),
    ("backend", lambda s: (s.backend, s.created or "")),
    ("state", lambda s: (bool(s.attention), states.live(s), s.status.value)),
    ("percent", lambda s: s.finished / s.total if s.total else 0.0),
    ("failed", outcome.unsuccessful),
    ("cost", lambda s: s.cost_usd or 0.0),
    ("expires", lambda s: s.expires or "~"),
)
"""What `s` steps through; each starts with the largest first, names and backends with the smallest."""


class BatchTable(LineTable):
    """Rows are batches by id. `show_batches` brings it up to date."""

    CLICKS = 1
    COLUMNS_OF: ClassVar[Sequence[Column]] = COLUMNS
    DEFAULT_CSS = """
    BatchTable {
        & > .line-table--cursor { color: $block-cursor-blurred-foreground; text-style: $block-cursor-blurred-text-style; }
        &:focus > .line-table--cursor { text-style: $block-cursor-text-style; }
    }
    """

    @dataclass
    class Opened(Message):
        """A row was clicked."""

        batch_id: str

    @dataclass
    class HeadClicked(Message):
        """The title of a column was clicked."""

        key: str

    class Moved(Message):
        """The cursor is on another batch."""

    def __init__(self) -> None:
        super().__init__(id="batches")
        self._wanted: Sequence[Column] = COLUMNS
        self._columns_shown: tuple[Column, ...] = ()
        self._expiring = False
        self._sorted = ""
        """The column that the rows are sorted by, with an arrow; empty for the newest first."""
        self._statuses: list[BatchStatus] = []
        self.ids: list[str] = []
        """Of the rows, from the top."""
        self._painted: dict[int, tuple[str, list[Shown]]] = {}
        """By row, which batch it showed when it was last painted, and what of it."""
        self._styles: dict[str, Style] = {}
        self.marks = Marks[str]()

    @property
    def _tui(self) -> BaseApp:
        return cast("BaseApp", self.app)

    # ---- what is selected

    @property
    def keys(self) -> list[str]:
        return self.ids

    @property
    def at(self) -> int:
        return self.cursor

    def go_to(self, at: int) -> None:
        """Put the cursor on that row."""
        self.move_to(at)

    @property
    def marked(self) -> set[str]:
        return self.marks.chosen

    def current(self) -> str | None:
        """The batch under the cursor."""
        return self.ids[self.cursor] if 0 <= self.cursor < len(self.ids) else None

    def select(self, batch_id: str) -> bool:
        """Move the cursor to a batch; False where the list does not show it."""
        if batch_id not in self.ids:
            return False
        self.move_to(self.ids.index(batch_id))
        return True

    def acting_on(self) -> list[str]:
        """What an action applies to: the marked batches, else the one under the cursor."""
        marked = [batch_id for batch_id in self.ids if batch_id in self.marked]
        current = self.current()
        return marked or ([current] if current else [])

    # ---- bringing it up to date

    def on_resize(self) -> None:
        super().on_resize()
        self.lay_out()

    def show_sort(self, key: str, *, descending: bool) -> None:
        """An arrow at that column's title."""
        sorted_by = (
            ""
            if key == "newest" and descending
            else f"{'age' if key == 'newest' else key} {'▾' if descending else '▴'}"
        )
        if sorted_by != self._sorted:
            self._sorted = sorted_by
            self.refresh()

    def choose_columns(self, kept: Json) -> None:
        """Show the columns that were chosen, in that order."""
        self._wanted = wanted(COLUMNS, kept)
        self.lay_out()

    def lay_out(self) -> None:
        """Choose the columns that fit and give the rest of the width to the names."""
        width = self.size.width
        there = [column for column in self._wanted if column.key != "expires" or self._expiring]
        columns = fitting(there, width - 1)
        name_width = max(NAME_AT_LEAST, min(48, NAME_AT_LEAST + width - 1 - sum(c.width for c in columns)))
        sized = tuple(replace(c, width=name_width) if c.key == "name" else c for c in columns)
        if sized != self._columns_shown:
            self._columns_shown = sized
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def show_batches(self, statuses: Sequence[BatchStatus]) -> None:
        """Make the rows these, in this order, with as little painting as possible."""
        current, before = self.current(), self.ids
        self._statuses, self.ids = list(statuses), [status.id for status in statuses]
        expired, self._expiring = self._expiring, any(status.expires for status in statuses)
        if expired != self._expiring:  # a column for it only where there is something in it
            self.lay_out()
        if before == self.ids:
            self._renew(self._columns_shown)
            return
        self.cursor = self.ids.index(current) if current in self.ids else self.cursor
        self._painted.clear()
        self.rows_changed()

    def renew_clocks(self) -> None:
        """Bring the times in the rows that are seen up to date: those that are not seen wait until they are."""
        self._renew(tuple(column for column in self._columns_shown if column.key in CLOCKS))

    def _renew(self, columns: Sequence[Column]) -> None:
        """Paint those cells of the rows on the screen again that show something else now."""
        top = self.scroll_offset.y
        places = dict(zip(self._columns_shown, self._places(), strict=True))
        for row in range(top, min(top + self.size.height - 1, len(self._statuses))):
            status, (batch_id, shown) = self._statuses[row], self._painted.get(row, ("", []))
            if batch_id != status.id or len(shown) != len(places):
                continue  # it is to be painted anyway
            for column in columns:
                at, x = places[column]
                if self._value(column.key, status) != shown[at]:
                    self.refresh(Region(x, row - top + 1, column.width, 1))

    def _places(self) -> list[tuple[int, int]]:
        """Of each column that is shown its number, and where it begins."""
        starts = itertools.accumulate((column.width for column in self._columns_shown), initial=0)
        return list(zip(range(len(self._columns_shown)), starts, strict=False))

    # ---- rows and what a click means

    def row_count(self) -> int:
        return len(self._statuses)

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def choose_row(self, index: int) -> None:
        self.post_message(self.Opened(self.ids[index]))

    def choose_head(self, x: int) -> None:
        for column, (_, start) in zip(self._columns_shown, self._places(), strict=True):
            if start <= x < start + column.width:
                self.post_message(self.HeadClicked(column.key))

    # ---- drawing

    def draw_head(self, width: int) -> Strip:
        base = self.rich_style
        by, _, arrow = self._sorted.partition(" ")
        parts = []
        for column in self._columns_shown:
            here = column.key == by
            title = column.title + arrow if here else column.title
            title = title.rjust(column.width - 1) if column.right else title
            style = base + Style(bold=here, dim=not here)
            parts.append(Segment(set_cell_size(title, column.width), style))
        return Strip(parts).adjust_cell_length(width, base)

    def draw_row(self, index: int, selected: bool, width: int) -> Strip:
        status, base = self._statuses[index], self.row_style(selected)
        values = [self._value(column.key, status) for column in self._columns_shown]
        self._painted[index] = (status.id, values)
        parts = []
        for column, (value, said) in zip(self._columns_shown, values, strict=True):
            style = self._style(said)
            line = fit(text.cell(value), column.width, right=column.right)
            parts.append(Segment(line, base + (style.without_color if selected else style)))
        return Strip(parts).adjust_cell_length(width, base)

    def _style(self, style: str) -> Style:
        known = self._styles.get(style)
        if known is None:
            known = self._styles[style] = Style.parse(self._tui.paint(style))
        return known

    def _value(self, key: str, status: BatchStatus) -> Shown:
        app = self._tui
        glyphs, now = app.glyphs, app.now()
        style = "dim" if status.archived else ""
        match key:
            case "mark":
                return (glyphs.mark, "bold") if status.id in self.marked else ("", "")
            case "id":
                return status.id, style or "bold"
            case "name":
                return status.name, style
            case "backend":
                return status.backend, style
            case "state":
                glyph, word, colour = glyphs.batch(status)
                return f"{glyph} {word}", colour
            case "done":
                if taken := app.usual.short(status):
                    return taken, style
                total = "?" if status.total is None else figures.short_count(status.total)
                finished = done(status)
                count = figures.count if finished < 100_000 else figures.short_count
                return f"{count(finished)}/{total}", style
            case "percent":
                return "" if untold(status) else figures.percent(done(status), status.total), style
            case "failed":
                bad = outcome.unsuccessful(status)
                return (figures.short_count(bad), states.STYLES["failed"]) if bad else ("-", "dim")
            case "rate":
                moves = states.live(status) and (status.processing or not standing.why(status))
                speed = app.rates.per_second(status, now) if moves and not status.paused else 0
                return figures.rate(speed) or "-", style or ("dim" if not speed else "")
            case "eta":
                if standing.why(status):
                    return "-", "dim"
                eta = app.rates.eta(status, now) if states.live(status) else None
                if eta is None and (usual := app.usual.left(status)) is not None:
                    return f"~{figures.span(usual)}", style
                return (figures.span(eta), style) if eta is not None else ("-", "dim")
            case "cost":
                if status.finished and outcome.cost_words(status) == outcome.UNKNOWN:
                    return "?", style
                known = status.cost_usd or None  # nothing to pay is no sum
                return figures.short_money(known) if known else "-", style if known else "dim"
            case "expires":
                when = figures.unix(status.expires)
                if when is None:
                    return "-", "dim"
                if when <= now:
                    return "over", states.STYLES["failed"]
                return figures.span(when - now), states.STYLES["expired"] if when - now <= SOON else style
            case "age":
                created = figures.unix(status.created)
                return (figures.span(now - created) if created is not None else "-"), "dim"
            case _:
                raise KeyError(key)  # a column of COLUMNS without an arm here
