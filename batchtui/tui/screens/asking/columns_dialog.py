"""Which columns a list shows, and in what order."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from batchtui.model import Json
from batchtui.tui.look import states
from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.tables.columns import Column, chosen, to_keep

MOVES = {"shift+up": -1, "K": -1, "shift+down": 1, "J": 1}
HINTS = (
    "space shows or hides, shift with an arrow moves",
    "r as at first, enter accepts, esc changes nothing",
)


class ColumnsDialog(Dialog[list[Json] | None]):
    """Answers the choice as it is kept."""

    def __init__(self, title: str, columns: Sequence[Column], kept: Json) -> None:
        super().__init__(title)
        self._columns = columns
        self._choice = chosen(columns, kept)

    def answers(self) -> ComposeResult:
        yield OptionList()
        for hint in HINTS:
            yield Static(shown(hint, "dim"))

    def on_mount(self) -> None:
        self.query_one("#dialog").styles.height = len(self._choice) + len(HINTS) + 3
        self._show(0)

    def _show(self, at: int) -> None:
        mark = states.glyphs().mark
        width = max(len(column.title) for column, _ in self._choice) + 2
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                Content.assemble(
                    (f"{mark if wanted else ' '} ", "bold $text-accent"),
                    (f"{column.title:<{width}}", "" if wanted else "dim"),
                    (column.about, "dim"),
                )
            )
            for column, wanted in self._choice
        )
        options.highlighted = at

    def on_key(self, event: events.Key) -> None:
        at = self.query_one(OptionList).highlighted or 0
        if event.key == "space":
            self._turn(at)
        elif by := MOVES.get(event.key):
            to = max(0, min(at + by, len(self._choice) - 1))
            self._choice.insert(to, self._choice.pop(at))
            self._show(to)
        elif event.key == "r":
            self._choice = chosen(self._columns, None)
            self._show(0)
        else:
            return
        event.stop()
        event.prevent_default()

    def _turn(self, at: int) -> None:
        column, wanted = self._choice[at]
        if not wanted or sum(shown for _, shown in self._choice) > 1:  # a list without any would say nothing
            self._choice[at] = (column, not wanted)
            self._show(at)

    @on(OptionList.OptionSelected)
    def accept(self) -> None:
        self.dismiss(to_keep(self._choice))
