"""All there is to know about a batch on one page: money, times, what needs a person, every submission's stage."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget

from batchtui.tui.actions import batch_actions, settling
from batchtui.tui.actions import table as actions
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.detail import DetailPane, SubmissionsDetail, batch_title
from batchtui.tui.widgets.pane import Pane

SUBMISSIONS_SHOWN = 500


class FullDetail(DetailPane):
    submissions_shown = SUBMISSIONS_SHOWN


class InfoScreen(AppScreen):
    """The pane of the list of batches, whole; on a wide terminal its submissions stand beside it."""

    place = "info"
    BINDINGS = actions.bindings("info")
    AUTO_FOCUS = "#info"

    def __init__(self, batch_id: str) -> None:
        super().__init__()
        self.batch_id = batch_id

    def body(self) -> ComposeResult:
        with Horizontal():
            with Pane(id="info-pane"), VerticalScroll(id="info"):
                yield FullDetail("facts")
            with Pane(id="submissions-pane", classes="beside"), VerticalScroll(id="submissions"):
                yield SubmissionsDetail("stages")

    def on_mount(self) -> None:
        self.tick()

    def tick(self) -> None:
        facts, stages = self.query_one(FullDetail), self.query_one(SubmissionsDetail)
        facts.with_map = self.query_one("#submissions-pane").display
        facts.with_submissions = not facts.with_map
        facts.show(self.batch_id)
        stages.show(self.batch_id)
        self.query_one("#info-pane", Pane).entitle(batch_title(self.tui, self.batch_id))
        self.query_one("#submissions-pane", Pane).entitle(stages.title(self.batch_id))

    def on_resize(self) -> None:
        self.call_after_refresh(self.tick)

    def changed(self, batch_ids: set[str]) -> None:
        if self.batch_id in batch_ids:
            self.tick()

    def selected_batch(self) -> str:
        return self.batch_id

    def subject(self) -> Widget:
        stages = self.query_one("#submissions")
        return stages if stages.has_focus else self.query_one("#info")

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
