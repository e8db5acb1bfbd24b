"""All batches: a live list, and what there is to know about the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Paste
from textual.widgets import Static

from batchtui.errors import BadInput
from batchtui.model import BatchStatus
from batchtui.tui.actions import (
    batch_actions,
    choosing_columns,
    cloning,
    comparing,
    exporting,
    renaming,
    settling,
)
from batchtui.tui.actions import table as actions
from batchtui.tui.actions.marking import MarksRows
from batchtui.tui.look.logs.log_lines import latest_lines
from batchtui.tui.look.since import while_away
from batchtui.tui.models import batch_filter
from batchtui.tui.screens.asking.dialogs import Choose
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.beginning.own_file import take_file
from batchtui.tui.widgets.detail import DetailPane, DetailStrip, batch_title
from batchtui.tui.widgets.empty import Empty, Next
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.line_view import LineView
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import GAP, Pane, heading
from batchtui.tui.widgets.tables.batch_table import SORTS, BatchTable

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

ASCENDING = {"name", "backend", "expires"}
BY_HEAD = {"age": "newest", "done": "percent"}
"""What a column sorts by, where that is called otherwise."""


class BatchesScreen(AppScreen, MarksRows[str]):
    """Mode 1. Actions apply to the marked batches, else to the one under the cursor."""

    place: ClassVar[str] = "batches"
    BINDINGS = actions.bindings("batches")
    AUTO_FOCUS = "#batches"

    def __init__(self) -> None:
        super().__init__()
        self._sort = 0
        self._reversed = False
        self._archived = False
        self._query = ""
        self._matches = batch_filter.parse("")
        self._problem = ""
        """What is wrong with the filter that is being typed; the one before it holds."""

    def body(self) -> ComposeResult:
        yield Static(id="away")
        with Horizontal():
            with Vertical(id="list"):
                with Pane(id="batches-pane", line=False):
                    yield FilterBox(
                        "text  !text  /pattern/  state:failed  backend:openai  tag:x  cost>0.5",
                        narrows=BatchTable,
                    )
                    yield BatchTable()
                    yield Empty()
                yield DetailStrip("strip")
                with Pane(id="tail-pane", line=False):
                    yield LineView("tail")
            with Pane(id="pane", classes="beside"), VerticalScroll(can_focus=False):
                yield DetailPane("detail")

    def on_mount(self) -> None:
        choosing_columns.as_chosen(self.tui, self.table, "batches")
        self.query_one("#tail").can_focus = False
        self.query_one("#tail-pane", Pane).entitle(heading("Log"))
        away = while_away(self.tui.link.statuses(), self.tui.last_open, self.tui.now())
        self.query_one("#away", Static).update(shown(away, "italic") if away else "")
        self.query_one("#away").display = bool(away)
        self._show()
        if away:
            self.set_timer(20, self._hide_away)

    def _hide_away(self) -> None:
        self.query_one("#away").display = False

    # ---- bringing it up to date

    @property
    def table(self) -> BatchTable:
        return self.query_one(BatchTable)

    def subject(self) -> BatchTable:
        return self.table

    def selected_batch(self) -> str | None:
        return self.table.current() if self.is_mounted else None

    def select(self, batch_id: str) -> None:
        """Put the cursor on a batch, as soon as the list has it."""
        if self.is_mounted and not self.table.select(batch_id):
            self._show()
            self.table.select(batch_id)

    def changed(self, batch_ids: set[str]) -> None:
        for batch_id in batch_ids:
            if status := self.tui.link.status(batch_id):
                self.tui.rates.note(status, self.tui.now())
        self._show()

    def tick(self) -> None:
        self.table.renew_clocks()
        self._detail()
        self._tail()

    def on_screen_resume(self) -> None:
        self._show()

    def _show(self) -> None:
        everything = self.tui.link.statuses()
        statuses = self._chosen(everything)
        self.table.show_batches(statuses)
        why, then = ("", ()) if statuses and not self._problem else self._nothing(everything)
        self.query_one(Empty).stand_for(self.table, why, then)
        self.query_one("#strip").set_class(not statuses, "-nothing-to-tell")
        self._entitle(len(statuses), everything)
        self._detail()
        self._tail()

    def _entitle(self, shown_now: int, everything: list[BatchStatus]) -> None:
        """How many there are, and at the foot what is marked, hidden, and in which order they stand."""
        put_away = 0 if self._archived else sum(1 for status in everything if status.archived)
        there_are = len(everything) - put_away
        told = []
        if self.table.marked:
            told.append(Content.styled(f"{len(self.table.marked):,} marked", "bold $text-accent"))
        if put_away:
            told.append(Content(f"{put_away:,} archived"))
        if self._sort or self._reversed:
            told.append(Content(f"by {SORTS[self._sort][0]}"))
        count = f"{shown_now:,}" if shown_now == there_are else f"{shown_now:,} of {there_are:,}"
        self.query_one("#batches-pane", Pane).entitle(heading("Batches", count), GAP.join(told))

    def _tail(self) -> None:
        self.query_one("#tail", LineView).show(latest_lines(self.tui, 50))

    def _nothing(self, everything: list[BatchStatus]) -> tuple[str, Sequence[Next]]:
        if self._problem:
            return self._problem, (("screen.back", "clears the filter"), ("app.help", "what a filter takes"))
        if self._query:
            are = "batch is" if len(everything) == 1 else f"{len(everything):,} batches are"
            clear = ("screen.back", "clears the filter")
            return f"No batch matches the filter: {are} hidden", (clear, ("list.filter", "changes it"))
        if everything:
            return "Every batch is archived", (
                ("batch.archived", "shows them"),
                ("batch.new", "composes one"),
            )
        return "No batches yet", (
            ("batch.new", "composes one"),
            ("first_run.show", "what there is to begin with"),
            ("app.help", "every key of this screen"),
            ("batchtui run FILE", "starts one without a screen"),
        )

    def _chosen(self, everything: list[BatchStatus]) -> list[BatchStatus]:
        name, key = SORTS[self._sort]
        there = (status for status in everything if self._archived or not status.archived)
        try:
            found = list(filter(self._matches, there))
        except BadInput as fault:
            found, self._problem = [], str(fault)
        return sorted(found, key=key, reverse=(name not in ASCENDING) != self._reversed)  # type: ignore[arg-type]

    def _detail(self) -> None:
        current = self.table.current()
        self.query_one("#strip", DetailStrip).show(current)
        self.query_one("#detail", DetailPane).show(current)
        self.query_one("#pane", Pane).entitle(batch_title(self.tui, current))

    @on(BatchTable.Moved)
    def moved(self) -> None:
        self._detail()

    @on(BatchTable.Opened)
    def action_batch_open(self) -> None:
        if current := self.table.current():
            self.tui.open_batch(current)

    # ---- filter, sort, marks

    def action_list_filter(self) -> None:
        self.query_one(FilterBox).open()

    @on(FilterBox.Changed)
    def filter_typed(self, event: FilterBox.Changed) -> None:
        self._query = event.value
        try:
            self._matches, self._problem = batch_filter.parse(event.value), ""
        except BadInput as fault:
            self._problem = str(fault)
        self._show()

    def back(self) -> None:
        if self.query_one(FilterBox).clear_query():
            return
        if self.query_one("#away").display:
            self._hide_away()
        elif self.table.marked:
            self.action_list_none()

    def action_list_sort(self) -> None:
        self._sort, self._reversed = (self._sort + 1) % len(SORTS), False
        self._show_order()
        self.tui.say(f"sorted by {SORTS[self._sort][0]}")

    @on(BatchTable.HeadClicked)
    def head_clicked(self, event: BatchTable.HeadClicked) -> None:
        """Sorts by that column, or the other way round."""
        name = BY_HEAD.get(event.key, event.key)
        names = [name for name, _ in SORTS]
        if name in names:
            at = names.index(name)
            self._sort, self._reversed = at, at == self._sort and not self._reversed
            self._show_order()

    def action_list_reverse(self) -> None:
        self._reversed = not self._reversed
        self._show_order()

    def _show_order(self) -> None:
        name = SORTS[self._sort][0]
        self.table.show_sort(name, descending=(name not in ASCENDING) != self._reversed)
        self._show()

    def action_list_columns(self) -> None:
        choosing_columns.choose(self.tui, self.table, "batches")

    def marks_changed(self) -> None:
        self._show()

    # ---- actions

    def action_batch_new(self) -> None:
        self.tui.compose_batch()

    def action_first_run_show(self) -> None:
        from batchtui.tui.screens.beginning.first_run import FirstRunScreen

        self.tui.push_screen(FirstRunScreen())

    def on_paste(self, event: Paste) -> None:
        """A file that is dropped on the terminal."""
        event.stop()
        take_file(self.tui, event.text)

    def action_batch_clone(self) -> None:
        self._act("Clone", cloning.clone_batches)

    def _act(self, verb: str, act: Callable[[BaseApp, Sequence[str]], None]) -> None:
        """Over the marked batches, else the one under the cursor; asks which where the filter hides marked ones."""
        table = self.table
        everything = [folder.id for folder in self.tui.link.folders() if folder.id in table.marked]
        here = [batch_id for batch_id in table.ids if batch_id in table.marked]
        if len(here) == len(everything):
            act(self.tui, table.acting_on())
            return
        if not here:
            are = "batch is" if len(everything) == 1 else f"{len(everything)} batches are"
            self.tui.say(
                f"the marked {are} hidden; {self.tui.key('screen.back')} clears the filter, {self.tui.key('list.none')} takes "
                "the marks away",
                "warning",
            )
            return

        def answered(choice: str | None) -> None:
            if choice:
                act(self.tui, here if choice == "shown" else everything)

        options = [("shown", f"The {len(here)} shown"), ("all", f"All {len(everything)} marked")]
        title = f"{verb} {len(here)} of {len(everything)} marked batches?"
        self.tui.ask(Choose(title, "The list hides some of the marked batches.", options=options), answered)

    def action_batch_cancel(self) -> None:
        self._act("Cancel", batch_actions.cancel)

    def action_batch_pause(self) -> None:
        self._act("Pause", batch_actions.pause)

    def action_batch_collect(self) -> None:
        self._act("Collect", batch_actions.collect)

    def action_batch_retry(self) -> None:
        self._act("Retry", batch_actions.retry)

    def action_batch_archive(self) -> None:
        self._act("Archive", batch_actions.archive)

    def action_batch_tag(self) -> None:
        self._act("Tag", batch_actions.tag)

    def action_batch_rename(self) -> None:
        renaming.rename(self.tui, self.table.current())

    def action_batch_export(self) -> None:
        self._act("Export", exporting.export_batches)

    def action_batch_archived(self) -> None:
        self._archived = not self._archived
        self._show()
        self.tui.say("archived batches are shown too" if self._archived else "archived batches are hidden")

    def action_batch_remove(self) -> None:
        self._act("Remove", batch_actions.remove)

    def action_batch_resolve(self) -> None:
        settling.resolve(self.tui, self.table.current())

    def action_batch_limit(self) -> None:
        settling.change_limits(self.tui, self.table.current())

    def action_batch_info(self) -> None:
        batch_actions.info(self.tui, self.table.current())

    def action_batch_errors(self) -> None:
        batch_actions.errors(self.tui, self.table.current())

    def action_view_open(self) -> None:
        comparing.show_views(self.tui, self.table.current())

    def action_view_compare(self) -> None:
        marked = [batch_id for batch_id in self.table.ids if batch_id in self.table.marked]
        comparing.compare_batches(self.tui, marked, self.table.current())

    def action_batch_log(self) -> None:
        self.tui.show_log(self.table.current())
