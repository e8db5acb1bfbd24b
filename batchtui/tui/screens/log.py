"""The log: what the app and its worker did; of one batch its journal, and what its programs print elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.worker import Worker, get_current_worker

from batchtui.amounts import counted
from batchtui.errors import StoreDamaged
from batchtui.store.files.journal import Event
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import table as actions
from batchtui.tui.latest import Latest
from batchtui.tui.look.logs.journal_words import told, tone
from batchtui.tui.look.logs.log_lines import LEVELS, Row, as_lines, everything
from batchtui.tui.look.logs.program_logs import FACT, tails
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.empty import Empty, Next
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.line_view import LineView
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane, heading

EVENTS_SHOWN = 5000


class LogScreen(AppScreen):
    """Mode 4: everything, or only one batch with its journal."""

    place: ClassVar[str] = "log"
    BINDINGS = actions.bindings("log")
    AUTO_FOCUS = "#lines"

    def __init__(self) -> None:
        super().__init__()
        self._only: str | None = None
        self._query = ""
        self._events: tuple[int, list[Event]] = (-1, [])
        self._printed: list[Row] = []
        self._latest = Latest(self)

    def body(self) -> ComposeResult:
        with Pane(id="log-pane", classes="open"):
            yield FilterBox("only lines with this text", narrows=LineView)
            yield Empty()
            yield LineView("lines")

    def on_mount(self) -> None:
        self._show()

    @property
    def view(self) -> LineView:
        return self.query_one(LineView)

    def subject(self) -> LineView:
        return self.view

    def selected_batch(self) -> str | None:
        return self._only

    def only(self, batch_id: str | None) -> None:
        """Show the lines of one batch, or of all."""
        if batch_id != self._only:
            self._latest.stop("logs")
            self._printed = []
        self._only = batch_id
        if self.is_mounted:
            self._show()
            self._read_logs()

    def changed(self, batch_ids: set[str]) -> None:
        self._show()

    def tick(self) -> None:
        self._show()
        if not self._latest.busy("logs"):
            self._read_logs()

    class Printed(Message):
        """The ends of the logs were read."""

        def __init__(self, worker: Worker[None], rows: list[Row]) -> None:
            super().__init__()
            self.worker, self.rows = worker, rows

    def _read_logs(self) -> None:
        """In a thread, since a shared folder may take its time."""
        folder = self.tui.link.folder(self._only) if self._only else None
        submissions = list(folder.progress.submissions.values()) if folder else []
        if not (places := [str(one.facts[FACT]) for one in submissions if one.facts.get(FACT)]):
            return

        def work() -> None:
            worker = get_current_worker()
            self.post_message(self.Printed(worker, tails(places)))

        self._latest.start("logs", work)

    @on(Printed)
    def logs_read(self, event: Printed) -> None:
        if self._latest.current("logs", event.worker) and event.rows != self._printed:
            self._printed = event.rows
            self._show()

    def _show(self) -> None:
        lines = self._journal(self._only) if self._only else everything(self.tui)
        found = [line for line in lines if self._query in f"{line[1]} {line[2]}".casefold()]
        self.view.show(as_lines(found, self.tui.now()))
        why, then = ("", ()) if found else self._nothing()
        self.query_one(Empty).stand_for(self.view, why, then)
        self._title(len(found))

    def _nothing(self) -> tuple[str, Sequence[Next]]:
        if self._query:
            return "No line has that text", (
                ("screen.back", "clears the filter"),
                ("list.filter", "changes it"),
            )
        if self._only:
            return "Nothing has happened to this batch yet", (("log.batch", "the lines of every batch"),)
        return "Nothing has happened yet: what the app and its worker do is told here", (
            ("screen.batches", "the batches"),
            ("screen.compose", "composes one"),
        )

    def _title(self, count: int) -> None:
        status = self.tui.link.status(self._only) if self._only else None
        title = heading("Log", counted(count, "line"))
        if status:
            title = Content.assemble(shown(status.name, "bold"), f"  {status.id}   ", title)
        flags = ["following"] * self.view.follow + ["wrapped"] * self.view.wrap
        self.query_one("#log-pane", Pane).entitle(title, Content("   ".join(flags)))

    def _journal(self, batch_id: str) -> list[Row]:
        folder = self.tui.link.folder(batch_id)
        if folder is None:
            return []
        seq = folder.progress.seq
        if self._events[0] != seq:
            self._events = (seq, folder.events()[-EVENTS_SHOWN:])
        ids = _ids(folder)
        rows = [(event["time"], told(event, ids), tone(event)) for event in self._events[1]]
        rows += [
            (line.time, line.text, LEVELS.get(line.level, ""))
            for line in self.tui.link.log()
            if line.batch_id == batch_id
        ]
        return sorted([*rows, *self._printed], key=lambda row: row[0])

    # ---- actions

    def action_list_filter(self) -> None:
        self.query_one(FilterBox).open()

    @on(FilterBox.Changed)
    def filter_typed(self, event: FilterBox.Changed) -> None:
        self._query = event.value.casefold()
        self._show()

    def back(self) -> None:
        if self.query_one(FilterBox).clear_query():
            return
        if self._only:
            self.only(None)
        super().back()

    def action_log_follow(self) -> None:
        self.view.follow = not self.view.follow
        self.view.lay_out()
        self._show()

    def action_log_wrap(self) -> None:
        self.view.wrap = not self.view.wrap
        self.view.lay_out()
        self._show()

    def action_log_batch(self) -> None:
        self.only(None if self._only else self.tui.selected_in_list())


def _ids(folder: BatchFolder) -> list[str]:
    try:
        return folder.jobs.ids
    except StoreDamaged:
        return []
