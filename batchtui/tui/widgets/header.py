"""The one line at the top: what runs, what it cost, and how the worker is."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widget import Widget

from batchtui import outcome
from batchtui.model import BatchState, BatchStatus
from batchtui.tui.look import figures, states

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

PARTIAL = "partial"
"""What is said of batches that completed though not all of their jobs did."""


class HeaderLine(Widget):
    """Totals on the left, the worker on the right; the right side gives way first."""

    DEFAULT_CSS = "HeaderLine { height: 1; dock: top; padding: 0 1; background: $panel; color: $foreground; }"

    def __init__(self) -> None:
        super().__init__()
        self._totals: tuple[int, Content] = (-1, Content())
        self._shown = Content()

    def renew(self) -> None:
        """Draw it again where it has become another."""
        if not self._line().is_same(self._shown):
            self.refresh()

    def render(self) -> Content:
        self._shown = self._line()
        return self._shown

    def _line(self) -> Content:
        app = cast("BaseApp", self.app)
        if self._totals[0] != app.link.version:
            self._totals = app.link.version, totals(app.link.statuses())
        left = self._totals[1]
        right = app.worker_line()
        room = self.content_size.width - left.cell_length - right.cell_length
        if room < 2:
            return left.truncate(self.content_size.width, ellipsis=True)
        return Content.assemble(left, " " * room, right)


def totals(statuses: list[BatchStatus]) -> Content:
    """`batchtui  4 processing  43 completed  2 partial  1 failed  1 needs you  $3.12`."""
    shown = [status for status in statuses if not status.archived]
    counts: dict[str, int] = {}
    for status in shown:
        word = "pending" if status.status is BatchState.DRAFT else status.status.value
        if outcome.fell_short(status):
            word = PARTIAL
        counts[word] = counts.get(word, 0) + 1
    parts = [Content.styled("batchtui", "bold")]
    for word in (
        "processing",
        "cancelling",
        "pending",
        "completed",
        PARTIAL,
        "failed",
        "cancelled",
    ):
        if counts.get(word):
            style = states.STYLES.get(word, states.STYLES["partly"])
            parts.append(Content.styled(f"  {counts[word]} {word}", style))
    if needy := sum(1 for status in shown if status.attention):
        parts.append(Content.styled(f"  {needy} needs you", states.STYLES["attention"]))
    costs = [status.cost_usd for status in shown if status.cost_usd]
    if costs:
        parts.append(Content(f"  {figures.dollars(sum(costs))}"))
    return Content.assemble(*parts)
