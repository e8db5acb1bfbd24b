"""The jobs of a batch, one a line. Cost grows with what is seen, not with how many jobs there are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from batchtui import text
from batchtui.model import JOB_STATES, Json
from batchtui.store.fold.columns import Columns
from batchtui.tui.look import figures
from batchtui.tui.look.job_facts import NOTHING, Facts, JobFacts
from batchtui.tui.widgets.tables.columns import Column, fitting, wanted
from batchtui.tui.widgets.tables.line_table import LineTable, fit
from batchtui.tui.widgets.tables.marks import Marks

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

ID_WIDTH = 14
WORDS_AT_LEAST = 14
COLUMNS = (
    Column("mark", "", 2),
    Column("job", "JOB", ID_WIDTH, about="its id"),
    Column("state", "STATE", 12, about="its state"),
    Column("tries", "TRY", 4, 2, True, about="how often it was tried"),
    Column("time", "TIME", 7, 3, True, about="how long it took"),
    Column("tokens", "TOK", 7, 4, True, about="tokens in and out"),
    Column("words", "ERROR / FIRST LINE", WORDS_AT_LEAST, about="what went wrong, else what it answered"),
)


class JobTable(LineTable):
    """Shows `numbers` of the jobs in `ids`, with the states in `columns`. The cursor stays on its job."""

    COLUMNS_OF: ClassVar[Sequence[Column]] = COLUMNS

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
        self._id_width = ID_WIDTH
        self._wanted: Sequence[Column] = COLUMNS
        self._shown: tuple[Column, ...] = ()
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
        self._lay_out()

    def choose_columns(self, kept: Json) -> None:
        """Show the columns that were chosen, in that order."""
        self._wanted = wanted(COLUMNS, kept)
        self._lay_out()
        self.refresh()

    def on_resize(self) -> None:
        super().on_resize()
        self._lay_out()

    def _lay_out(self) -> None:
        """The columns that fit, as wide as they are here; the words have what is left."""
        sized = [
            replace(column, width=self._id_width) if column.key == "job" else column
            for column in self._wanted
        ]
        self._shown = fitting(sized, self.size.width)
        left = self.size.width - sum(column.width for column in self._shown)
        self._shown = tuple(
            replace(column, width=max(0, column.width + left)) if column.key == "words" else column
            for column in self._shown
        )

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
        ends = itertools.accumulate(column.width for column in self._shown)
        for column, end in zip(self._shown, ends, strict=True):
            if x < end:
                self.post_message(self.HeadClicked(column.title))
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
        sorted_by, _, arrow = self.sorted_by.partition(" ")
        names = []
        for column in self._shown:
            title = column.title.rjust(column.width - 1) if column.right else column.title
            here = arrow if column.title == sorted_by else ""
            names.append(set_cell_size(title + here, column.width))
        style = self.rich_style + Style(dim=True)
        return Strip([Segment(set_cell_size("".join(names), width), style)], width)

    def draw_row(self, index: int, selected: bool, width: int) -> Strip:
        n, columns = self.numbers[index], self._columns
        base = self.row_style(selected)
        if columns is None:
            return Strip.blank(width, base)
        offset = self._offsets[n]
        facts = self._facts.at(offset) if self._facts and offset >= 0 else NOTHING
        parts = []
        for column in self._shown:
            words, style = self._cell(column.key, n, columns, facts)
            if column.right:
                words = words.rjust(column.width - 1)
            tone = base if selected and column.key != "mark" else base + self._style(style)
            parts.append(Segment(fit(words, column.width), tone))
        return Strip(parts).adjust_cell_length(width, base)

    def _cell(self, key: str, n: int, columns: Columns, facts: Facts) -> tuple[str, str]:
        """What a cell says, and its style."""
        glyphs = self._tui.glyphs
        state = JOB_STATES[columns.states[n]]
        glyph, colour = glyphs.job(state)
        match key:
            case "mark":
                return (glyphs.mark if n in self.marked else ""), "bold"
            case "job":
                return text.cell(self.ids[n]), ""
            case "state":
                return f"{glyph} {state.value}", colour
            case "tries":
                return str(self._tries[n] or ""), ""
            case "time":
                return (figures.took(facts.seconds) if facts.seconds is not None else ""), ""
            case "tokens":
                return (figures.short_count(facts.tokens) if facts.tokens is not None else ""), ""
            case "words":
                error, said = columns.errors.get(n), self.labels.get(self.ids[n])
                words = text.cell(error) if error else facts.line
                return (f"[{said}] {words}" if said else words), colour if error else ""
            case _:
                raise KeyError(key)  # a column of COLUMNS without an arm here


def _index(numbers: Sequence[int], n: int | None) -> int | None:
    if n is None:
        return None
    try:
        return numbers.index(n)
    except ValueError:
        return None
