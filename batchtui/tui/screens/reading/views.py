"""Tables and pictures over a batch's results: everything that its families of views offer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker, get_current_worker

from batchtui.errors import BatchtuiError
from batchtui.model import LIVE_JOB_STATES
from batchtui.results.views.figures import facts_line
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars, View
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import table as actions
from batchtui.tui.latest import Latest
from batchtui.tui.models.table_rows import TableRows
from batchtui.tui.screens.reading.view_choices import ViewChoices
from batchtui.tui.screens.reading.view_rows import ViewRows
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import TAB, TAB_HERE, Pane
from batchtui.tui.widgets.reading.picture_view import PictureView
from batchtui.tui.widgets.tables.view_table import ViewTable

BOTH, TABLE, PICTURE = "both", "table", "picture"
WIDE = 120
"""Columns from which table and picture stand side by side."""


class ViewsScreen(ViewChoices, ViewRows):
    """`jobs` are those it was opened for: one, or two to compare them; none for the whole batch, or `among` these of it."""

    place: ClassVar[str] = "views"
    BINDINGS = actions.bindings("views")
    AUTO_FOCUS = "#view-table"

    @dataclass
    class Named(Message):
        """What views there are."""

        worker: Worker[None]
        names: list[tuple[str, str]]

    @dataclass
    class Built(Message):
        """A view was read, with its rows made ready for sorting; or what went wrong."""

        worker: Worker[None]
        name: str
        options: Options
        view: View | None
        rows: TableRows | None
        fault: str = ""

    def __init__(
        self,
        batch_id: str,
        jobs: tuple[str, ...] = (),
        first: str | None = None,
        among: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self.batch_id = batch_id
        self._jobs, self._among = jobs, among
        self._options = Options(jobs, among=among)
        self._name = first
        self._names: list[tuple[str, str]] = []
        self._view: View | None = None
        self._rows: TableRows | None = None
        self._sort: int | None = None
        self._backwards = False
        self._query = ""
        self._shape: str | None = None
        """What the user wants to see of a view; None: what suits it."""
        self._words = "reading …"
        self._came_from: list[tuple[str, Options, int]] = []
        """Views that led to the one that is shown: name, what was asked of it, and the row under the cursor."""
        self._cursor = 0
        self._finished = 0
        """Jobs that had ended when the view was read."""
        self._caught_up = False
        """Whether the app knows of all of these by now: what is read from the disk may be a moment ahead of it."""
        self._latest = Latest(self)

    def body(self) -> ComposeResult:
        with Pane(id="views-pane"):
            yield Static(id="views-tabs")
            yield Static(id="views-facts")
            yield FilterBox("text  !text  column:text  column>5", narrows=ViewTable)
            with Horizontal(id="views-body"):
                yield ViewTable()
                yield PictureView()
            yield Static(id="views-note")

    def on_mount(self) -> None:
        self.show_head()
        folder = self.folder
        if folder is None:
            self._words = "this batch is not there any more"
            self.show_head()
            return

        def work() -> None:
            worker = get_current_worker()
            try:
                self.post_message(self.Named(worker, self.find_names(folder)))
            except (BatchtuiError, OSError) as fault:
                self.post_message(self.Built(worker, "", self._options, None, None, str(fault)))

        self._latest.start("read", work)

    # ---- where the views come from

    def find_names(self, folder: BatchFolder) -> list[tuple[str, str]]:
        """(name, title) of every view; in a thread."""
        from batchtui.results.views import registry

        return registry.names(folder)

    def build_view(self, folder: BatchFolder, name: str, options: Options) -> View:
        """Read one; in a thread."""
        from batchtui.results.views import registry

        return registry.build(folder, name, options)

    def subject_words(self) -> str:
        """What the views are about, for the title."""
        folder = self.folder
        name = (folder.header.name or folder.id) if folder else self.batch_id
        if self._options.among is not None and folder:
            return f"{name}, {len(self._options.among):,} of {len(folder.jobs):,} jobs"
        return " > ".join([name, " and ".join(self._options.jobs)]) if self._options.jobs else name

    def selected_batch(self) -> str | None:
        return self.batch_id

    # ---- reading

    @on(Named)
    def _named(self, event: Named) -> None:
        if self._latest.current("read", event.worker):
            self._names = event.names
            known = [name for name, _ in event.names]
            self.show_view(self._name if self._name in known else known[0])

    def show_view(self, name: str, options: Options | None = None) -> None:
        """Read it in a thread and show it; what is shown stays until then."""
        folder = self.folder
        if folder is None:
            return
        if name != self._name:
            self._shape = None
        if options is None:
            self._came_from.clear()
        self._name = name
        wanted = options or replace(self._options, x=None, y=None, row=None)
        self._finished, self._caught_up = ended_jobs(folder), False
        self._options, self._words = wanted, "reading …"
        self.show_head()

        def work() -> None:
            worker = get_current_worker()
            try:
                view = self.build_view(folder, name, wanted)
                self.post_message(self.Built(worker, name, wanted, view, TableRows(view.table)))
            except (BatchtuiError, OSError) as fault:
                self.post_message(self.Built(worker, name, wanted, None, None, str(fault)))
            except (
                Exception
            ) as fault:  # of a result that nobody thought of: the other views can still be read
                following = f"{self.tui.key('view.next')} shows the next view"
                told = f"{name} cannot be shown ({type(fault).__name__}: {fault}); {following}"
                self.post_message(self.Built(worker, name, wanted, None, None, told))

        self._latest.start("read", work)

    @on(Built)
    def _built(self, event: Built) -> None:
        if not self._latest.current("read", event.worker):
            return
        self._words = event.fault
        if event.view is None or event.rows is None:
            if self._view is not None:
                self.tui.say(event.fault, "warning")
            self.show_head()
            return
        self._view, self._rows = event.view, event.rows
        self._sort, self._backwards = None, False
        self.table.show_table(event.view.table, event.rows.places, self.chosen_rows())
        self._show_shape()
        self.picture.show(event.view.picture)
        self.table.move_to(self._cursor)
        self._cursor = 0
        self.show_head()

    def open_view(self, name: str, row: str) -> None:
        if self._name:
            self._came_from.append((self._name, self._options, self.table.cursor))
        self.show_view(name, replace(self._options, x=None, y=None, row=row))

    def back(self) -> None:
        if self._came_from and not self.query_one(FilterBox).display and not self._query:
            name, options, self._cursor = self._came_from.pop()
            self.show_view(name, options)
        else:
            super().back()

    def _finished_now(self) -> int:
        status = self.tui.link.status(self.batch_id)
        return status.finished if status else 0

    def changed(self, batch_ids: set[str]) -> None:
        now = self._finished_now()
        self._caught_up |= now >= self._finished
        if self.batch_id in batch_ids and not self._words and self._caught_up and now != self._finished:
            self._words = f"results came since; {self.tui.key('view.reload')} reads them"
            self.show_head()

    def action_view_reload(self) -> None:
        if self._name:
            self.show_view(self._name, self._options)

    # ---- what is shown

    @property
    def picture(self) -> PictureView:
        return self.query_one(PictureView)

    def subject(self) -> Widget:
        return self.table if self.table.display else self.picture

    def _shape_now(self) -> str:
        picture = self._view.picture if self._view else None
        if picture is None:
            return TABLE
        if self._shape:
            return self._shape if self._wide or self._shape != BOTH else TABLE
        if self._wide:
            return BOTH
        bars_of_jobs = isinstance(picture, Bars) and self._view is not None and self._view.jobs
        return TABLE if bars_of_jobs else PICTURE

    @property
    def _wide(self) -> bool:
        return self.size.width >= WIDE

    def _show_shape(self) -> None:
        shape = self._shape_now()
        self.table.display, self.picture.display = shape != PICTURE, shape != TABLE
        self.set_class(shape == BOTH, "-both")
        self.table.styles.width = (
            max(24, min(self.table.natural_width, self.size.width // 2)) if shape == BOTH else "1fr"
        )
        if self.focused is None or self.focused in (self.table, self.picture):
            self.subject().focus()

    def on_resize(self) -> None:
        self._show_shape()
        self.show_head()

    def show_head(self) -> None:
        view = self._view
        parts = [shown(self.subject_words(), "bold", limit=60)]
        if view:
            parts += [Content.styled(" > ", "dim"), shown(view.title, limit=80)]
            total, seen = len(view.table.rows), len(self.table.numbers)
            rows = f"{seen:,} of {total:,}" if seen != total else f"{total:,}"
            parts.append(Content.styled(f"   {rows} row{'' if total == 1 else 's'}", "not bold"))
            if self._sort is not None:
                name = view.table.columns[self._sort].name
                parts.append(shown(f"   by {name}{', largest first' if self._backwards else ''}", "not bold"))
        if self._problem:
            parts = [shown(self._problem, "$text-warning", limit=400)]
        elif self._words:
            parts += [Content("   "), shown(self._words, "$text-warning", limit=400)]
        self.query_one("#views-pane", Pane).entitle(Content.assemble(*parts))
        self.query_one("#views-tabs", Static).update(self._tabs(), layout=False)
        facts, note = self.query_one("#views-facts", Static), self.query_one("#views-note", Static)
        facts.display, note.display = bool(view and view.facts), bool(view and view.table.note)
        facts.update(shown(facts_line(view) if view else ""))
        note.update(shown(view.table.note if view else "", "$text-warning"))

    def _tabs(self) -> Content:
        """The views by title, from the left as far as they must go to show the current one."""
        titles = [f" {title} " for _, title in self._names]
        here = next((at for at, (name, _) in enumerate(self._names) if name == self._name), 0)
        first, room = 0, self.size.width - 6
        while first < here and sum(len(title) for title in titles[first : here + 1]) > room:
            first += 1
        parts = [Content.styled("‹" if self.tui.glyphs.mark == "●" else "<", "dim")] if first else []
        for at, title in enumerate(titles[first:], first):
            parts.append(shown(title, TAB_HERE if at == here else TAB))
        return Content.assemble(*parts)

    # ---- another shape

    def show_table_alone(self) -> None:
        if self._shape_now() == PICTURE:
            self._shape = TABLE
            self._show_shape()

    def action_view_picture(self) -> None:
        if not self._view or self._view.picture is None:
            self.tui.say("this view has no picture")
            return
        shapes = [BOTH, PICTURE, TABLE] if self._wide else [PICTURE, TABLE]
        now = self._shape_now()
        self._shape = shapes[(shapes.index(now) + 1) % len(shapes)]
        self._show_shape()


def ended_jobs(folder: BatchFolder) -> int:
    """How many jobs have their last word on the disk."""
    counts = folder.progress.counts()
    return sum(count for state, count in counts.items() if state not in LIVE_JOB_STATES)
