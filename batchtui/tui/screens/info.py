"""All there is to know about a batch on one page: money, times, what needs a person, every submission's stage."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget

from batchtui.tui.actions import batch_actions, settling
from batchtui.tui.actions import table as actions
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.detail import DetailPane

SUBMISSIONS_SHOWN = 500


class FullDetail(DetailPane):
    submissions_shown = SUBMISSIONS_SHOWN
    with_map = False


class InfoScreen(AppScreen):
    """The pane of the list of batches, whole."""

    place = "info"
    BINDINGS = actions.bindings("info")
    AUTO_FOCUS = "#info"

    def __init__(self, batch_id: str) -> None:
        super().__init__()
        self.batch_id = batch_id

    def body(self) -> ComposeResult:
        with VerticalScroll(id="info"):
            yield FullDetail("facts")

    def on_mount(self) -> None:
        self.tick()

    def tick(self) -> None:
        self.query_one(FullDetail).show(self.batch_id)

    def changed(self, batch_ids: set[str]) -> None:
        if self.batch_id in batch_ids:
            self.tick()

    def selected_batch(self) -> str:
        return self.batch_id

    def subject(self) -> Widget:
        return self.query_one("#info")

    def action_batch_collect(self) -> None:
        batch_actions.collect(self.tui, [self.batch_id])

    def action_batch_resolve(self) -> None:
        settling.resolve(self.tui, self.batch_id)

    def action_batch_limit(self) -> None:
        settling.change_limits(self.tui, self.batch_id)

    def action_batch_pause(self) -> None:
        batch_actions.pause(self.tui, [self.batch_id])

    def action_batch_errors(self) -> None:
        batch_actions.errors(self.tui, self.batch_id)

    def action_batch_log(self) -> None:
        self.tui.show_log(self.batch_id)
