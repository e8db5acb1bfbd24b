"""The live list of batches: fixed widths, the cursor stays on its batch, only changed cells are drawn again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Self, cast

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.coordinate import Coordinate
from textual.geometry import Region
from textual.widgets import DataTable

from batchtui import outcome
from batchtui.model import BatchStatus, Json
from batchtui.tui.look import figures, standing, states
from batchtui.tui.models.usual import done, untold
from batchtui.tui.widgets.outside import cell
from batchtui.tui.widgets.tables.columns import Column, fitting, wanted
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


class BatchTable(DataTable[Text], inherit_bindings=False):
    """Rows are batches by id. `show_batches` brings it up to date."""

    COLUMNS_OF: ClassVar[Sequence[Column]] = COLUMNS
    BINDINGS = [
        Binding("up", "cursor_up", show=False),
        Binding("down", "cursor_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    _by_cell = False
    """While a cell is put in its place, which Textual would have the whole table painted for."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, cell_padding=0, id="batches")
        self._wanted: Sequence[Column] = COLUMNS
        self._columns_shown: tuple[Column, ...] = ()
        self._name_width = 0
        self._expiring = False
        self._sorted = ""
        """The column that the rows are sorted by, with an arrow; empty for the newest first."""
        self._values: dict[str, list[Shown]] = {}
        self._statuses: list[BatchStatus] = []
        self._marks_shown: set[str] = set()
        self.marks = Marks[str]()

    @property
    def _tui(self) -> BaseApp:
        return cast("BaseApp", self.app)

    # ---- what is selected

    @property
    def ids(self) -> list[str]:
        """Ids of the rows, from the top."""
        return [status.id for status in self._statuses]

    @property
    def keys(self) -> list[str]:
        return self.ids

    @property
    def at(self) -> int:
        return self.cursor_row

    def go_to(self, at: int) -> None:
        """Put the cursor on that row."""
        self.move_cursor(row=at, animate=False)

    @property
    def marked(self) -> set[str]:
        return self.marks.chosen

    def current(self) -> str | None:
        """The batch under the cursor."""
        row = self.cursor_row
        return self._statuses[row].id if 0 <= row < len(self._statuses) else None

    def select(self, batch_id: str) -> bool:
        """Move the cursor to a batch; False where the list does not show it."""
        ids = self.ids
        if batch_id not in ids:
            return False
        self.move_cursor(row=ids.index(batch_id), animate=False)
        return True

    def acting_on(self) -> list[str]:
        """What an action applies to: the marked batches, else the one under the cursor."""
        marked = [batch_id for batch_id in self.ids if batch_id in self.marked]
        current = self.current()
        return marked or ([current] if current else [])

    # ---- bringing it up to date

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out(event.size.width)

    def show_sort(self, key: str, *, descending: bool) -> None:
        """An arrow at that column's title."""
        sorted_by = (
            ""
            if key == "newest" and descending
            else f"{'age' if key == 'newest' else key} {'▾' if descending else '▴'}"
        )
        if sorted_by != self._sorted:
            self._sorted, self._columns_shown = sorted_by, ()
            self.lay_out(self.size.width)

    def choose_columns(self, kept: Json) -> None:
        """Show the columns that were chosen, in that order."""
        self._wanted, self._columns_shown = wanted(COLUMNS, kept), ()
        self.lay_out(self.size.width)

    def lay_out(self, width: int) -> None:
        """Choose the columns that fit and give the rest of the width to the names."""
        there = [column for column in self._wanted if column.key != "expires" or self._expiring]
        columns = fitting(there, width - 1)
        name_width = max(NAME_AT_LEAST, min(48, NAME_AT_LEAST + width - 1 - sum(c.width for c in columns)))
        if (columns, name_width) == (self._columns_shown, self._name_width):
            return
        current = self.current()
        self._columns_shown, self._name_width = columns, name_width
        self.clear(columns=True)
        for column in columns:
            shown = name_width if column.key == "name" else column.width
            key, _, arrow = self._sorted.partition(" ")
            here = column.key == key
            title = column.title + arrow if here else column.title
            title = title.rjust(shown - 1) if column.right else title
            self.add_column(Text(title, style="bold" if here else "dim", end=""), width=shown, key=column.key)
        self._fill(self._statuses, current)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted and self._columns_shown:
            self._fill(self._statuses, self.current())

    def show_batches(self, statuses: Sequence[BatchStatus]) -> None:
        """Make the rows these, in this order, with as little drawing as possible."""
        current, before = self.current(), self._statuses
        self._statuses = list(statuses)
        expired, self._expiring = self._expiring, any(status.expires for status in statuses)
        if not self._columns_shown:
            return
        if expired != self._expiring:  # a column for it only where there is something in it
            self._columns_shown = ()
            self.lay_out(self.size.width)
            return
        if [status.id for status in before] != self.ids:
            self._fill(self._statuses, current, self.cursor_row)
            return
        turned, self._marks_shown = self._marks_shown ^ self.marked, set(self.marked)
        for row, (old, new) in enumerate(zip(before, self._statuses, strict=True)):
            if old is not new or new.id in turned:
                self._update(row, self._columns_shown)
        self.renew_clocks()

    def renew_clocks(self) -> None:
        """Bring the times in the rows that are seen up to date: those that are not seen wait until they are."""
        clocks = tuple(column for column in self._columns_shown if column.key in CLOCKS)
        top = int(self.scroll_y)
        for row in range(top, min(top + self.size.height, len(self._statuses), self.row_count)):
            self._update(row, clocks)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.renew_clocks()

    def _fill(self, statuses: list[BatchStatus], current: str | None, fallback: int = 0) -> None:
        scroll = self.scroll_y
        self.clear()
        self._values, self._marks_shown = {}, set(self.marked)
        for status in statuses:
            values = [self._value(column.key, status) for column in self._columns_shown]
            self._values[status.id] = values
            cells = (self._cell(*pair) for pair in zip(self._columns_shown, values, strict=True))
            self.add_row(*cells, key=status.id, height=1)
        ids = self.ids
        row = ids.index(current) if current in ids else max(0, min(fallback, len(ids) - 1))
        if ids:
            self.move_cursor(row=row, animate=False, scroll=False)
            self.scroll_to(y=scroll, animate=False)

    def _update(self, row: int, columns: tuple[Column, ...]) -> None:
        """Draw those cells of a row again that show something else now."""
        status = self._statuses[row]
        values = self._values[status.id]
        for column in columns:
            at, value = self._columns_shown.index(column), self._value(column.key, status)
            if value == values[at]:
                continue
            values[at] = value
            where = Coordinate(row, at)
            self._by_cell = True
            self.update_cell_at(where, self._cell(column, value))
            self._by_cell = False
            self.refresh_coordinate(where)

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        if self._by_cell:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _cell(self, column: Column, shown: Shown) -> Text:
        value, style = shown
        width = (self._name_width if column.key == "name" else column.width) - 1
        line = cell(value, self._tui.paint(style))
        line.truncate(width, overflow="ellipsis")
        if column.right:
            line.pad_left(max(0, width - line.cell_len))
        return line

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
