"""The rows of a view: narrowed, sorted, opened, compared, and written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual import on
from textual.widget import Widget

from batchtui.amounts import counted
from batchtui.errors import BadInput, BatchtuiError
from batchtui.results.views.shapes import View
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import comparing
from batchtui.tui.models.table_rows import TableRows
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.composing.dialogs import AskPath
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.tables.view_table import ViewTable


class ViewRows(AppScreen):
    """Needs the view and the table of its screen."""

    batch_id: str
    _view: View | None
    _rows: TableRows | None
    _sort: int | None
    _backwards: bool
    _query: str
    _problem = ""
    """What is wrong with the filter that is being typed; the one before it holds."""

    @property
    def folder(self) -> BatchFolder | None:
        return self.tui.link.folder(self.batch_id)

    @property
    def table(self) -> ViewTable:
        return self.query_one(ViewTable)

    def subject(self) -> Widget:
        return self.table

    def subject_words(self) -> str:
        """What the views are about."""
        raise NotImplementedError

    def show_table_alone(self) -> None:
        """The table, where only the picture is seen."""
        raise NotImplementedError

    def show_head(self) -> None:
        raise NotImplementedError

    def open_view(self, name: str, row: str) -> None:
        """Another view, about that row of this one."""
        raise NotImplementedError

    # ---- filter and sort

    def chosen_rows(self) -> Sequence[int]:
        return self._rows.numbers(self._query, self._sort, self._backwards) if self._rows else []

    def action_list_filter(self) -> None:
        self.show_table_alone()
        self.query_one(FilterBox).open()

    @on(FilterBox.Changed)
    def _typed(self, event: FilterBox.Changed) -> None:
        before, self._query = self._query, event.value
        try:
            self.table.show_numbers(self.chosen_rows())
        except BadInput as fault:
            self._query, self._problem = before, str(fault)
        else:
            self._problem = ""
        self.show_head()

    @on(ViewTable.HeadClicked)
    def action_list_sort(self) -> None:
        """By the column that is chosen in the head; numbers start with the largest."""
        view, column = self._view, self.table.column
        if view is None or not view.table.columns:
            return
        numbers = any(isinstance(row[column], int | float) for row in view.table.rows[:100])
        self._backwards = not self._backwards if self._sort == column else numbers
        self._sort = column
        self.table.show_numbers(self.chosen_rows(), stay=False)
        self.show_head()

    def action_list_reverse(self) -> None:
        self._backwards = not self._backwards
        self.table.show_numbers(self.chosen_rows(), stay=False)
        self.show_head()

    def back(self) -> None:
        if not self.query_one(FilterBox).clear_query():
            super().back()

    # ---- out of here

    @on(ViewTable.Opened)
    def action_job_open(self) -> None:
        """Reads the job of the row, or shows what has more of it; where only the picture is seen, the rows come first."""
        if not self.table.display:
            self.show_table_alone()
            return
        row = self.table.current()
        folder, view = self.folder, self._view
        if row is None or folder is None or view is None:
            return
        if view.opens:
            self.open_view(*view.opens[row])
            return
        if not view.jobs:
            self.tui.say("these rows are about no single job")
            return
        self.open_job(folder, view, row)

    def open_job(self, folder: BatchFolder, view: View, row: int) -> None:
        """The reader over that row's job, and on through the rows shown."""
        numbers = [n for at in self.table.numbers if (n := folder.jobs.number(view.jobs[at])) is not None]
        current = folder.jobs.number(view.jobs[row])
        if current is None:
            self.tui.say(f"no job {view.jobs[row]} in this batch", "warning")
        else:
            self.tui.read_result(folder.id, current, list(dict.fromkeys(numbers)))

    def action_view_compare(self) -> None:
        comparing.choose_other(self.tui, self.batch_id)

    def action_view_write(self) -> None:
        view = self._view
        if view is None:
            return

        def write(path: str) -> None:
            from batchtui.results.views.export import write_view

            try:
                rows = write_view(view, path)
            except (BatchtuiError, OSError, ValueError) as fault:
                self.app.call_later(self.tui.say, f"not written: {fault}", "error")
            else:
                self.app.call_later(self.tui.say, f"{counted(rows, 'row')} written to {path}")

        def answered(path: str | None) -> None:
            if path:
                self.tui.run_worker(lambda: write(path), thread=True, exit_on_error=False, group="export")
                self.tui.say("writing …")

        about = "The ending decides the form: .csv and .parquet the table, .md and .svg table and picture."
        words = f"{self.subject_words()}-{view.name}"
        name = "".join(c if c.isalnum() or c in "-_." else "-" for c in words).lstrip("-.")[:60]
        self.tui.ask(
            AskPath("Write this view to a file", about, value=f"{name}.svg", base=Path.cwd()), answered
        )
