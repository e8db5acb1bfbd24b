"""Help: the keys of the screen it was opened over, what the states mean, and what quitting does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from batchtui.model import JobState
from batchtui.tui.actions import table as actions
from batchtui.tui.look import states
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.pane import Pane, heading

_ABOUT = """\
Quit is not cancel. What runs remotely keeps running; nothing of ours runs in the background. Opening the app again, \
or `batchtui resume`, picks everything up where it is. Programs that run on this machine are finished first, or \
stopped and put back to pending: quit asks.

A batch shows what needs you before its state. {resolve} lists it, with what you can do about it.

A backend that does not answer is not a failure: the batch says when it last answered and when it is asked again.

Keys can be changed in config.toml: [keys] "batch.cancel" = "X". The last column above has their names.\
"""


NARROW = 70
"""Columns below which the names of the keys have no room beside what they do."""


class HelpScreen(AppScreen):
    """Written from the table of actions, with the keys as they are set now."""

    place: ClassVar[str] = "help"
    BINDINGS = actions.bindings("help")

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def body(self) -> ComposeResult:
        with Pane(id="help-pane", classes="open", line=False), VerticalScroll(id="help"):
            yield Static(Group(*self._parts()))

    def on_mount(self) -> None:
        self.query_one("#help").focus()
        self.query_one("#help-pane", Pane).entitle(heading("Help", self._place.replace("_", " ")))

    def action_help_manual(self) -> None:
        from batchtui.tui.screens.manual import PAGE_OF, ManualScreen

        self.app.push_screen(ManualScreen(PAGE_OF.get(self._place, "contents")))

    def selected_batch(self) -> None:
        return None

    def _parts(self) -> Iterable[Text | Table]:
        mine = list(actions.of_screen(self._place))
        yield _head(f"Keys: {self._place.replace('_', ' ')}")
        yield self._keys([action for action in mine if not action.of_app])
        yield _head("Keys: everywhere")
        yield self._keys([action for action in mine if action.of_app])
        yield _head("States of a job")
        table = Table.grid(padding=(0, 2))
        for state in JobState:
            glyph, style = self.tui.glyphs.job(state)
            table.add_row(
                Text(f"{glyph} {state.value}", style=self.tui.paint(style)), Text(states.MEANINGS[state])
            )
        yield table
        yield _head("Quitting, and the rest")
        yield Text(_ABOUT.format(resolve=self.tui.key("batch.resolve")))

    def _keys(self, found: list[actions.Action]) -> Table:
        narrow = self.app.size.width < NARROW
        table = _narrow_grid() if narrow else _grid()
        for action in found:
            keys = " ".join(actions.shown_key(key) for key in self.tui.keys_of(action))
            if narrow:
                table.add_row(
                    Text(keys, style="bold"), Text.assemble((action.title, "bold"), f": {action.help}")
                )
                continue
            words = (Text(action.title), Text(action.help), Text(action.id, style="dim"))
            table.add_row(Text(keys, style="bold"), *words)
        return table


def _head(title: str) -> Text:
    return Text(f"\n{title}\n", style="bold")


def _narrow_grid() -> Table:
    """A second long key stands below the first, so that what they do has the width."""
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=10)
    table.add_column(ratio=1)
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=10, no_wrap=True)
    table.add_column(min_width=12, no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(no_wrap=True)
    return table
