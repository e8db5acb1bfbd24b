"""What became of the job under the cursor, beside the list: its answer or its error, then its row of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.worker import Worker, get_current_worker

from batchtui import text
from batchtui.model import Json
from batchtui.store.folder import BatchFolder
from batchtui.tui.latest import Latest
from batchtui.tui.look import result_texts
from batchtui.tui.screens.reading.result_views import VIEWS, Page, page_of
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane
from batchtui.tui.widgets.text_view import TextView

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

REST_SECONDS = 0.08
"""So long the cursor must stand on a job before its answer is read."""


class JobPreview(Pane):
    """Reads in a thread, and only while it is seen. `show` may be called as often as one likes."""

    @dataclass
    class Read(Message):
        worker: Worker[None]
        page: Page

    def __init__(self) -> None:
        super().__init__(id="job-preview", classes="beside open")
        self._seen: tuple[object, ...] = ()
        self._wanted: tuple[BatchFolder | None, int | None] = None, None
        self._latest = Latest(self)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield TextView()

    @property
    def view(self) -> TextView:
        return self.query_one(TextView)

    def show(self, folder: BatchFolder | None, number: int | None) -> None:
        """That job as it is now."""
        self._wanted = folder, number
        if not self.display:
            return
        if folder is None or number is None:
            self._seen = ()
            self._latest.stop("read")
            self.entitle(Content("no job is selected"))
            self.view.show(Content())
            return
        progress = folder.progress
        seen = folder.id, number, progress.states[number], progress.tries[number], progress.offsets[number]
        if seen != self._seen:
            self._seen = seen
            self._latest.after("read", REST_SECONDS, lambda: self._read(folder, number))

    def on_show(self) -> None:
        """There is room for it now."""
        self.show(*self._wanted)

    def _read(self, folder: BatchFolder, number: int) -> None:
        backends = cast("BaseApp", self.app).backends

        def work() -> None:
            page = page_of(folder, backends, number, VIEWS[0])
            self.post_message(self.Read(get_current_worker(), page))

        self._latest.start("read", work)

    @on(Read)
    def _show(self, event: Read) -> None:
        if not self._latest.current("read", event.worker):
            return
        page, result = event.page, event.page.result
        if result is None:
            self.entitle(Content("cannot be read"))
            self.view.show(page.content)
            return
        glyph, style = cast("BaseApp", self.app).glyphs.job(result.status)
        self.entitle(
            Content.assemble(
                shown(result.job_id, "bold", limit=40),
                "  ",
                Content.styled(f"{glyph} {result.status}", style),
            ),
            shown(result_texts.facts(result)),
        )
        blocks = [page.content] if page.content else []
        if result.row:
            blocks.append(row_lines(result.row))
        self.view.show(Content("\n\n").join(blocks))


def row_lines(row: dict[str, Json]) -> Content:
    """The source's row, a column a line."""
    width = min(24, max(map(len, row))) + 2
    lines = [Content.styled("row of the source", "dim")]
    for column, value in row.items():
        words = value if isinstance(value, str) else result_texts.pretty(value)
        lines.append(
            Content.assemble(
                (text.cell(column, 24).ljust(width), "dim"), text.page(words, 2000, 12).strip("\n")
            )
        )
    return Content("\n").join(lines)
