"""Questions over a screen: yes or no, one of several, a line of text. Each answers through a callback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from batchtui.tui.actions import table as actions
from batchtui.tui.widgets.outside import shown, shown_page

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A box with a title and a text; subclasses add what answers it. Escape is the cautious answer."""

    place = "dialog"
    BINDINGS = actions.bindings("dialog")

    def __init__(self, title: str, body: str = "") -> None:
        super().__init__()
        self._title = title
        self._body = body

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(shown(self._title, "bold"), id="dialog-title")
            if self._body:
                with VerticalScroll(id="dialog-body", can_focus=False):
                    yield Static(shown_page(self._body))
            yield from self.answers()

    def answers(self) -> ComposeResult:
        yield from ()

    def action_dialog_yes(self) -> None:
        """Only a yes-or-no dialog has a yes."""

    def action_dialog_no(self) -> None:
        self.dismiss(None)


_SCROLLS = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
"""Lines that a key moves a text which is longer than its place."""


class Confirm(Dialog[bool]):
    """Yes or no; the focus starts on No."""

    def __init__(self, title: str, body: str = "", *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__(title, body)
        self._yes, self._no = yes, no

    def answers(self) -> ComposeResult:
        with Horizontal(id="dialog-buttons"):
            yield Button(shown(f"{self._no} (n)"), id="no", compact=True)
            yield Button(shown(f"{self._yes} (y)"), id="yes", variant="warning", compact=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def on_key(self, event: object) -> None:
        key = getattr(event, "key", "")
        if key in ("left", "right"):
            self.focus_next() if key == "right" else self.focus_previous()
        elif key in _SCROLLS:
            for body in self.query("#dialog-body").results(VerticalScroll):
                body.scroll_relative(y=_SCROLLS[key], animate=False)

    @on(Button.Pressed, "#yes")
    def action_dialog_yes(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def action_dialog_no(self) -> None:
        self.dismiss(False)


class Choose(Dialog[str | None]):
    """One of several; `options` are (id, label). The first is the default."""

    def __init__(self, title: str, body: str = "", *, options: Sequence[tuple[str, str]]) -> None:
        super().__init__(title, body)
        self._options = options

    def answers(self) -> ComposeResult:
        yield OptionList(*(Option(shown(label), id=option_id) for option_id, label in self._options))
        yield Static(shown("enter chooses, esc leaves everything as it is", "dim"))

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class Ask(Dialog[str | None]):
    """A line of text."""

    def __init__(self, title: str, body: str = "", *, value: str = "", hint: str = "") -> None:
        super().__init__(title, body)
        self._value, self._hint = value, hint

    def answers(self) -> ComposeResult:
        yield Input(self._value, placeholder=self._hint, compact=True)
        yield Static(shown("enter accepts, esc leaves everything as it is", "dim"))

    @on(Input.Submitted)
    def accept(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
