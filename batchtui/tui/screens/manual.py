"""The manual in the app: the page on the screen one came from, and every other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.markdown import Markdown
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from batchtui import manual
from batchtui.tui.actions import table as actions
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.pane import Pane, heading

PAGE_OF: Mapping[str, str] = {
    "batches": "app",
    "batch": "app",
    "info": "money",
    "errors": "trouble",
    "result": "reading",
    "compose": "batch-file",
    "log": "trouble",
    "first_run": "first-batch",
    "backends": "configuration",
    "remote": "elsewhere",
    "settings": "configuration",
    "views": "views",
    "compare": "reading",
    "pair": "reading",
}
"""By screen, the page that tells of it."""


class ManualScreen(AppScreen):
    """One page, drawn as `batchtui help` draws it."""

    place: ClassVar[str] = "manual"
    BINDINGS = actions.bindings("manual")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.page = manual.page(name)

    def body(self) -> ComposeResult:
        with Pane(id="manual-pane", classes="open"), VerticalScroll(id="manual"):
            yield Static()

    def on_mount(self) -> None:
        self.show(self.page.name)
        self.query_one("#manual").focus()

    def subject(self) -> Widget:
        return self.query_one("#manual")

    def show(self, name: str) -> None:
        """That page, from its beginning."""
        self.page = manual.page(name)
        scroll = self.query_one("#manual", VerticalScroll)
        self.query_one("#manual-pane", Pane).entitle(heading("Manual", name))
        scroll.query_one(Static).update(Markdown(self.page.text, hyperlinks=False))
        scroll.scroll_home(animate=False)

    def action_manual_next(self) -> None:
        self._turn(1)

    def action_manual_previous(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        names = manual.names()
        self.show(names[(names.index(self.page.name) + by) % len(names)])

    def action_manual_choose(self) -> None:
        from batchtui.tui.screens.asking.pick import Pick

        def chosen(name: str | None) -> None:
            if name is not None:
                self.show(name)

        pages = [(name, manual.page(name).title) for name in manual.names()]
        self.app.push_screen(Pick("Pages of the manual", pages, self.page.name), chosen)
