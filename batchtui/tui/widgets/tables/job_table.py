"""The jobs of a batch, one a line. Cost grows with what is seen, not with how many jobs there are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from batchtui import text
from batchtui.model import JOB_STATES
from batchtui.store.fold.columns import Columns
from batchtui.tui.look import figures
from batchtui.tui.look.job_facts import NOTHING, JobFacts
from batchtui.tui.widgets.tables.line_table import LineTable
from batchtui.tui.widgets.tables.marks import Marks

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

FIXED = 2 + 12 + 4 + 7 + 7
"""Width of all columns but the id and the text: mark, state, tries, time, tokens."""


class JobTable(LineTable):
    """Shows `numbers` of the jobs in `ids`, with the states in `columns`. The cursor stays on its job."""

    @dataclass
    class Opened(Message):
        """A row was clicked twice, or chosen."""

        number: int

    @dataclass
    class HeadClicked(Message):
        """The title of a column was clicked."""

        title: str

    class Moved(Message):
        """The cursor is on another job."""

    def __init__(self) -> None:
        super().__init__(id="jobs")
        self.ids: Sequence[str] = ()
        self.numbers: Sequence[int] = ()
        self.marks = Marks[int]()
        self.sorted_by = ""
        """The title of the column that the rows are sorted by, and its arrow: `TRY ▾`."""
        self.labels: Mapping[str, str] = {}
        """By job, what a person called its result."""
        self._columns: Columns | None = None
        self._facts: JobFacts | None = None
        self._tries = memoryview(b"").cast("H")
        self._offsets = memoryview(b"").cast("q")
        self._id_width = 14
        self._styles: dict[str, Style] = {}

    @property
    def _tui(self) -> BaseApp:
        return cast("BaseApp", self.app)

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
            place = _index(numbers, current)
            self.cursor = place if place is not None else self.cursor
            self.rows_changed()
        else:
            self.renew()

    @property
    def keys(self) -> Sequence[int]:
        return self.numbers

    @property
    def at(self) -> int:
        return self.cursor

    def go_to(self, at: int) -> None:
        """Put the cursor on that row."""
        self.move_to(at)

    @property
    def marked(self) -> set[int]:
        return self.marks.chosen

    def current(self) -> int | None:
        """Number of the job under the cursor."""
        return self.numbers[self.cursor] if 0 <= self.cursor < len(self.numbers) else None

    def select(self, number: int) -> None:
        """Put the cursor on a job, where it is shown."""
        place = _index(self.numbers, number)
        if place is not None:
            self.move_to(place)

    def acting_on(self) -> list[int]:
        """The marked jobs, else the one under the cursor."""
        current = self.current()
        return sorted(self.marked) or ([current] if current is not None else [])

    def row_count(self) -> int:
        return len(self.numbers)

    def choose_head(self, x: int) -> None:
        ends = (2 + self._id_width, 12, 4)
        for title, end in zip(("JOB", "STATE", "TRY"), itertools.accumulate(ends), strict=True):
            if x < end:
                self.post_message(self.HeadClicked(title))
                return

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def choose_row(self, index: int) -> None:
        self.post_message(self.Opened(self.numbers[index]))

    # ---- drawing

    def _style(self, style: str) -> Style:
        known = self._styles.get(style)
        if known is None:
            known = self._styles[style] = Style.parse(self._tui.paint(style))
        return known

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def draw_head(self, width: int) -> Strip:
        names = (
            f"  {'JOB':<{self._id_width}}{'STATE':<12}{'TRY':>3} {'TIME':>6} {'TOK':>6} ERROR / FIRST LINE"
        )
        title, _, arrow = self.sorted_by.partition(" ")
        if title:  # in the blanks beside the title
            names = names.replace(f"{title} ", f"{title}{arrow}", 1)
        style = self.rich_style + Style(dim=True)
        return Strip([Segment(set_cell_size(names, width), style)], width)

    def draw_row(self, index: int, selected: bool, width: int) -> Strip:
        n, columns, glyphs = self.numbers[index], self._columns, self._tui.glyphs
        base = self.row_style(selected)
        if columns is None:
            return Strip.blank(width, base)
        state = JOB_STATES[columns.states[n]]
        glyph, colour = glyphs.job(state)
        offset = self._offsets[n]
        facts = self._facts.at(offset) if self._facts and offset >= 0 else NOTHING
        error = columns.errors.get(n)
        words = text.cell(error) if error else facts.line
        if said := self.labels.get(self.ids[n]):
            words = f"[{said}] {words}"
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
