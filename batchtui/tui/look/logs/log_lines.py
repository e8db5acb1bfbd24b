"""What the app and its worker said, as rows for a log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from batchtui import text
from batchtui.tui.look import figures
from batchtui.tui.widgets.line_view import Line

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

Row = tuple[str, str, str]
"""(stored time, words, style)."""
LEVELS = {"warning": "$text-warning", "error": "$text-error"}


def everything(app: BaseApp) -> list[Row]:
    """Lines of the worker, of the app, and about damaged batches, oldest first."""
    rows = [
        (line.time, f"{line.batch_id or 'worker':<7}{line.text}", LEVELS.get(line.level, ""))
        for line in app.link.log()
    ]
    rows += [(time, f"{'app':<7}{words}", "") for time, words in app.notes]
    rows += [("", f"{'app':<7}{text.cell(words, 400)}", LEVELS["error"]) for words in app.link.damaged()]
    return sorted(rows, key=lambda row: row[0])


def latest_lines(app: BaseApp, count: int) -> list[Line]:
    return as_lines(everything(app)[-count:], app.now())


def as_lines(rows: Iterable[Row], now: float) -> list[Line]:
    return [Line(f"{figures.clock_time(time, now)} ", words, style) for time, words, style in rows]
