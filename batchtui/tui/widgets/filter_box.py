"""The line in which a list is narrowed: opened with a key, and there for as long as it holds something."""

from __future__ import annotations

from textual import on
from textual.widget import Widget
from textual.widgets import Input


class FilterBox(Input):
    """Posts `Input.Changed` with the query. `narrows`: the type of the list, which has the focus again afterwards."""

    def __init__(self, placeholder: str, narrows: type[Widget]) -> None:
        super().__init__(placeholder=placeholder, id="filter", compact=True)
        self._narrows = narrows

    def on_mount(self) -> None:
        self.display = False

    def open(self) -> None:
        self.display = True
        self.focus()

    @on(Input.Submitted)
    def _accepted(self) -> None:
        self._leave()

    def clear_query(self) -> bool:
        """Empty it and put it away; whether it was there."""
        was_there = self.display or bool(self.value)
        self.value = ""
        if was_there:
            self._leave()
        return was_there

    def _leave(self) -> None:
        self.display = bool(self.value)
        self.screen.query_one(self._narrows).focus()
