"""Where results go, and which: one line for the path, and under it the choices where there is more than one."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.events import Key
from textual.widgets import Input, OptionList, Static

from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.widgets.outside import shown

FORMATS = "the ending decides the format: .jsonl .csv .json .parquet"


class ExportDialog(Dialog[tuple[int, str] | None]):
    """Answers the place of the choice, the first one being the default, and the path."""

    def __init__(self, title: str, choices: Sequence[str], path: str) -> None:
        super().__init__(title)
        self._choices, self._path = choices, path

    def answers(self) -> ComposeResult:
        if len(self._choices) > 1:
            yield OptionList(*(shown(label) for label in self._choices))
        else:
            yield Static(shown(self._choices[0]), id="export-what")
        yield Input(self._path, compact=True)
        yield Static(shown(f"Where to; {FORMATS}", "dim"))
        choose = "up and down choose, " if len(self._choices) > 1 else ""
        yield Static(shown(f"{choose}enter writes, esc does nothing", "dim"))

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        for which in self.query(OptionList):
            which.highlighted = 0

    def on_key(self, event: Key) -> None:
        """The arrows choose while the path is typed."""
        if event.key in ("up", "down") and isinstance(self.focused, Input):
            for which in self.query(OptionList):
                which.action_cursor_up() if event.key == "up" else which.action_cursor_down()

    @on(Input.Submitted)
    def accept(self) -> None:
        which = next((one.highlighted for one in self.query(OptionList)), 0) or 0
        path = self.query_one(Input).value
        self.dismiss((which, path) if path.strip() else None)

    @on(OptionList.OptionSelected)
    def chosen(self) -> None:
        self.query_one(Input).focus()
