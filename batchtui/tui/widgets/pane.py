"""A part of a screen with a name: a frame that bears it where there are rows to spare, one line of it where there are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static

from batchtui.tui.widgets.outside import put

GAP = Content("   ")
TAB_HERE, TAB = "bold underline $text-primary", "dim"
"""The one of several views that is shown, and the others."""


def heading(name: str, figures: str = "") -> Content:
    """A title: our own word for what it is, and how much of it there is."""
    return Content.assemble((name, "bold"), f" {figures}" if figures else "")


class Pane(Vertical):
    """`entitle` names it. Its look is in `look/styles/panes.tcss`.

    `line`: whether its name takes a line where there is no frame; `told_in_line`: whether what is told at the foot
    of the frame stands in that line too."""

    def __init__(
        self,
        *children: Widget,
        id: str | None = None,  # noqa: A002
        classes: str = "",
        line: bool = True,
        told_in_line: bool = True,
    ) -> None:
        super().__init__(*children, id=id, classes=classes)
        self._line, self._told_in_line = line, told_in_line
        self._said = Content(), Content()
        self._of_frame = False

    def compose(self) -> ComposeResult:
        if self._line:
            yield Static(classes="pane-line")

    def entitle(self, title: Content, told: Content | None = None) -> None:
        """What it holds, with its figures; `told` stands at the foot of the frame: the order, the filter, the marks.

        Only what has become another is painted, and of the frame its two edges alone."""
        told = told or Content()
        before, self._said = self._said, (title, told)
        if self._line and self.is_mounted:
            rest = Content.assemble(GAP, told) if told and self._told_in_line else Content()
            put(self.query_one(".pane-line", Static), Content.assemble(title, rest), layout=False)
        if before[0].is_same(title) and before[1].is_same(told):
            return
        with self._edges():
            self.border_title = Content.assemble(title) if title else None
            self.border_subtitle = Content.assemble(told) if told else None

    def on_mount(self) -> None:
        self.entitle(*self._said)

    @contextmanager
    def _edges(self) -> Iterator[None]:
        self._of_frame = True
        try:
            yield
        finally:
            self._of_frame = False

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        if self._of_frame:
            (x, y), (width, height) = self.content_offset, self.outer_size
            regions = (Region(-x, -y, width, 1), Region(-x, height - y - 1, width, 1))
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
