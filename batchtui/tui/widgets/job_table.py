"""The jobs of a batch, one a line. Cost grows with what is seen, not with how many jobs there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from batchtui import text
from batchtui.model import JOB_STATES
from batchtui.store.folder import Columns
from batchtui.tui import figures
from batchtui.tui.job_facts import NOTHING, JobFacts

if TYPE_CHECKING:
    from batchtui.tui.app import BatchtuiApp

FIXED = 2 + 12 + 4 + 7 + 7
"""Width of all columns but the id and the text: mark, state, tries, time, tokens."""


class JobTable(ScrollView, can_focus=True):
    """Shows `numbers` of the jobs in `ids`, with the states in `columns`. The cursor stays on its job."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"job-table--cursor"}
    DEFAULT_CSS = """
    JobTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .job-table--cursor { background: $block-cursor-blurred-background; }
        &:focus > .job-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
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

    @dataclass
    class Opened(Message):
        """A row was clicked twice, or chosen."""

        number: int

    def __init__(self) -> None:
        super().__init__(id="jobs")
        self.ids: Sequence[str] = ()
        self.numbers: Sequence[int] = ()
        self.marked: set[int] = set()
        self.cursor = 0
        self._columns: Columns | None = None
        self._facts: JobFacts | None = None
        self._tries = memoryview(b"").cast("H")
        self._offsets = memoryview(b"").cast("q")
        self._id_width = 14
        self._styles: dict[str, Style] = {}

    @property
    def _tui(self) -> BatchtuiApp:
        return cast("BatchtuiApp", self.app)

    # ---- what it shows

    def show_jobs(self, ids: Sequence[str], facts: JobFacts) -> None:
        """Whose jobs these are."""
        self.ids, self._facts = ids, facts
        longest = max((len(job_id) for job_id in ids[:2000]), default=10)
        self._id_width = max(8, min(32, longest + 1))

    def show_columns(self, columns: Columns, numbers: Sequence[int]) -> None:
        """New states, or another choice of jobs."""
        current = self.current()
        self._columns = columns
        self._tries = memoryview(columns.tries).cast("H")
        self._offsets = memoryview(columns.offsets).cast("q")
        if numbers is not self.numbers:
            self.numbers = numbers
            self.virtual_size = Size(self.size.width, len(numbers) + 1)
            place = _index(numbers, current)
            self.cursor = place if place is not None else max(0, min(self.cursor, len(numbers) - 1))
            self._follow_cursor()
        self.refresh()

    def current(self) -> int | None:
        """Number of the job under the cursor."""
        return self.numbers[self.cursor] if 0 <= self.cursor < len(self.numbers) else None

    def select(self, number: int) -> None:
        """Put the cursor on a job, where it is shown."""
        place = _index(self.numbers, number)
        if place is not None:
            self._to(place)

    def acting_on(self) -> list[int]:
        """The marked jobs, else the one under the cursor."""
        current = self.current()
        return sorted(self.marked) or ([current] if current is not None else [])

    def toggle_mark(self) -> None:
        current = self.current()
        if current is not None:
            self.marked ^= {current}
            self.action_cursor_down()
            self.refresh()

    # ---- moving

    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _to(self, index: int) -> None:
        index = max(0, min(index, len(self.numbers) - 1))
        if index != self.cursor:
            before, self.cursor = self.cursor, index
            self._refresh_row(before)
            self._refresh_row(index)
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
        self._to(self.cursor + 1)

    def action_cursor_up(self) -> None:
        self._to(self.cursor - 1)

    def action_page_down(self) -> None:
        self._to(self.cursor + self._page())

    def action_page_up(self) -> None:
        self._to(self.cursor - self._page())

    def action_scroll_top(self) -> None:
        self._to(0)

    def action_scroll_bottom(self) -> None:
        self._to(len(self.numbers) - 1)

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y - 1
        if event.y > 0 and index < len(self.numbers):
            self._to(index)
            if event.chain == 2:
                self.post_message(self.Opened(self.numbers[index]))

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.numbers) + 1)

    # ---- drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._head(width)
        index = self.scroll_offset.y + y - 1
        if index >= len(self.numbers) or self._columns is None:
            return Strip.blank(width, self.rich_style)
        return self._row(self.numbers[index], index == self.cursor, width)

    def _style(self, style: str) -> Style:
        known = self._styles.get(style)
        if known is None:
            known = self._styles[style] = Style.parse(self._tui.paint(style))
        return known

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def _head(self, width: int) -> Strip:
        names = (
            f"  {'JOB':<{self._id_width}}{'STATE':<12}{'TRY':>3} {'TIME':>6} {'TOK':>6} ERROR / FIRST LINE"
        )
        style = self.rich_style + Style(dim=True)
        return Strip([Segment(set_cell_size(names, width), style)], width)

    def _row(self, n: int, selected: bool, width: int) -> Strip:
        columns, glyphs = self._columns, self._tui.glyphs
        assert columns is not None
        state = JOB_STATES[columns.states[n]]
        glyph, colour = glyphs.job(state)
        offset = self._offsets[n]
        facts = self._facts.at(offset) if self._facts and offset >= 0 else NOTHING
        error = columns.errors.get(n)
        words = text.cell(error) if error else facts.line
        base = self.rich_style
        if selected:
            base += self.get_component_rich_style("job-table--cursor", partial=True)
        time = figures.took(facts.seconds) if facts.seconds is not None else ""
        tokens = figures.short_count(facts.tokens) if facts.tokens is not None else ""
        tone = base if selected else base + self._style(colour)
        parts = [
            Segment(f"{glyphs.mark} " if n in self.marked else "  ", base + self._style("bold")),
            Segment(_fit(text.cell(self.ids[n]), self._id_width), base),
            Segment(_fit(f"{glyph} {state.value}", 12), tone),
            Segment(f"{self._tries[n] or '':>3} {time:>6} {tokens:>6} ", base),
            Segment(_fit(words, max(0, width - FIXED - self._id_width)), tone if error else base),
        ]
        return Strip(parts).adjust_cell_length(width, base)


def _index(numbers: Sequence[int], n: int | None) -> int | None:
    if n is None:
        return None
    try:
        return numbers.index(n)
    except ValueError:
        return None


def _fit(value: str, width: int) -> str:
    """Exactly `width` cells, the last one blank."""
    if cell_len(value) < width:
        return set_cell_size(value, width)
    return set_cell_size(set_cell_size(value, max(0, width - 2)) + "…", width)
