"""Why jobs of a batch failed, one cause a row: read one, see only those, try only those again."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import DataTable, Static

from batchtui.amounts import counted
from batchtui.results.reading.advice import advice
from batchtui.results.reading.digest import Cause, ErrorGroup, members
from batchtui.text import page
from batchtui.tui.actions import job_actions
from batchtui.tui.actions import table as actions
from batchtui.tui.actions.scope import Scope
from batchtui.tui.look import figures
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.outside import cell, shown
from batchtui.tui.widgets.pane import Pane, heading

_COLUMNS = (("JOBS", 9), ("SHARE", 5), ("KIND", 14), ("CAUSE", 120))


class ErrorsScreen(AppScreen):
    """Kinds by their size, and in each its causes; the counts add up to all jobs without a good answer."""

    place = "errors"
    BINDINGS = actions.bindings("errors")
    AUTO_FOCUS = "DataTable"

    def __init__(self, batch_id: str) -> None:
        super().__init__()
        self.batch_id = batch_id
        self._groups: list[ErrorGroup] = []

    def body(self) -> ComposeResult:
        table: DataTable[object] = DataTable(cursor_type="row", zebra_stripes=False)
        for title, width in _COLUMNS:
            table.add_column(
                cell(title, justify="right" if title in ("JOBS", "SHARE") else "left"), width=width, key=title
            )
        with Pane(id="errors-pane"):
            yield table
        with Pane(id="errors-about-pane", classes="about", line=False):
            yield Static(id="errors-about")

    def on_mount(self) -> None:
        self._show()

    @property
    def table(self) -> DataTable[object]:
        return self.query_one(DataTable)

    def subject(self) -> DataTable[object]:
        return self.table

    def selected_batch(self) -> str:
        return self.batch_id

    def changed(self, batch_ids: set[str]) -> None:
        if self.batch_id in batch_ids:
            self._show()

    def tick(self) -> None:
        self._show()

    def _show(self) -> None:
        groups = by_kind(self.tui.errors_of(self.batch_id))
        if groups != self._groups or not groups:
            current = self._current()
            self._groups = groups
            self._fill()
            if current:
                causes = [cause_of(one) for one in groups]
                same = cause_of(current)
                self.table.move_cursor(row=causes.index(same) if same in causes else 0)
        self._title()
        self._about()

    def _fill(self) -> None:
        self.table.clear()
        failed, kind = sum(group.count for group in self._groups), ""
        for group in self._groups:
            self.table.add_row(
                cell(figures.count(group.count), justify="right"),
                cell(f"{figures.percent(group.count, failed)}%", justify="right"),
                cell(group.error_kind if group.error_kind != kind else "", "bold"),
                cell(group.pattern or "no words were given"),
            )
            kind = group.error_kind

    def _title(self) -> None:
        status = self.tui.link.status(self.batch_id)
        causes, failed = len(self._groups), sum(group.count for group in self._groups)
        jobs = status.total if status and status.total else failed
        total = f" of {counted(jobs, 'job')}" if jobs != failed else " job" if failed == 1 else " jobs"
        count = (
            f"{counted(causes, 'cause')} in {figures.count(failed)}{total}"
            if causes
            else "none: no job failed"
        )
        name = shown(status.name if status else self.batch_id, "bold", limit=40)
        self.query_one("#errors-pane", Pane).entitle(Content.assemble(name, "  ", heading("Errors", count)))

    @on(DataTable.RowHighlighted)
    def _about(self) -> None:
        group, about = self._current(), self.query_one("#errors-about", Static)
        kind = shown(group.error_kind, "bold", limit=40) if group else Content("this cause")
        self.query_one("#errors-about-pane", Pane).entitle(kind)
        if group is None:
            about.update(shown(""))
            return
        states = ", ".join(f"{figures.count(count)} {state}" for state, count in group.states.items())
        about.update(
            Content("\n").join(
                [
                    Content.assemble((f"{states}, such as ", "dim"), shown(group.example, "bold", limit=60)),
                    Content.styled(page(group.error or group.error_kind, 1200, 4), "$text-error"),
                    Content.styled(advice(group.error_kind, group.states), "$text-muted"),
                ]
            )
        )

    def _current(self) -> ErrorGroup | None:
        row = self.table.cursor_row
        return self._groups[row] if 0 <= row < len(self._groups) else None

    # ---- actions

    @on(DataTable.RowSelected)
    def action_errors_open(self) -> None:
        if group := self._current():
            self.tui.open_batch(self.batch_id, cause=cause_of(group))

    def action_batch_retry(self) -> None:
        group, folder = self._current(), self.tui.link.folder(self.batch_id)
        if group is None or folder is None:
            self.tui.say("nothing to retry: no job failed")
            return
        numbers = members(folder.columns(), cause_of(group))
        job_actions.retry(self.tui, self.batch_id, Scope(numbers, numbers, marked=True), lambda: None)


def cause_of(group: ErrorGroup) -> Cause:
    return group.error_kind, group.pattern


def by_kind(groups: list[ErrorGroup]) -> list[ErrorGroup]:
    """Causes of one kind beside one another, the kind with the most jobs first."""
    jobs: dict[str, int] = {}
    for group in groups:
        jobs[group.error_kind] = jobs.get(group.error_kind, 0) + group.count
    return sorted(groups, key=lambda group: (-jobs[group.error_kind], group.error_kind, -group.count))
