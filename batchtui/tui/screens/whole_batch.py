"""Keys of a screen of one batch that are about the batch as a whole, and not about jobs of it."""

from __future__ import annotations

from batchtui.tui.actions import batch_actions, settling
from batchtui.tui.screens.base import AppScreen


class WholeBatch(AppScreen):
    """A screen of one batch."""

    def __init__(self, batch_id: str) -> None:
        super().__init__()
        self.batch_id = batch_id

    def action_batch_pause(self) -> None:
        batch_actions.pause(self.tui, [self.batch_id])

    def action_batch_collect(self) -> None:
        batch_actions.collect(self.tui, [self.batch_id])

    def action_batch_resolve(self) -> None:
        settling.resolve(self.tui, self.batch_id)

    def action_batch_limit(self) -> None:
        settling.change_limits(self.tui, self.batch_id)

    def action_batch_info(self) -> None:
        batch_actions.info(self.tui, self.batch_id)

    def action_batch_errors(self) -> None:
        batch_actions.errors(self.tui, self.batch_id)

    def action_batch_log(self) -> None:
        self.tui.show_log(self.batch_id)
