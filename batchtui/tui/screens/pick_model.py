"""A model by choice or by typing: what is typed narrows the list, and counts by itself where nothing matches."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from batchtui.tui.models import Models
from batchtui.tui.screens.dialogs import Dialog
from batchtui.tui.widgets.outside import shown

_SHOWN = 500


class PickModel(Dialog[str | None]):
    """Answers the model's name."""

    def __init__(self, title: str, models: Models, value: str = "") -> None:
        super().__init__(title)
        self._models, self._value = models, value

    def answers(self) -> ComposeResult:
        yield Input(placeholder="type to narrow", compact=True)
        yield OptionList()
        yield Static(shown("up and down move, enter chooses, esc leaves everything as it is", "dim"))

    def on_mount(self) -> None:
        self._narrow("")
        names = self._names("")
        if self._value in names:
            self.query_one(OptionList).highlighted = names.index(self._value)
        self.query_one(Input).focus()

    def _names(self, text: str) -> list[str]:
        words = text.casefold().split()
        return [name for name in self._models.names if all(word in name.casefold() for word in words)][
            :_SHOWN
        ]

    def _narrow(self, text: str) -> None:
        names = self._names(text)
        width = min(40, max((len(name) for name in names), default=0))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                shown(f"{name.ljust(width)}  {self._models.prices[name]}"),
                id=str(self._models.names.index(name)),
            )
            for name in names
        )
        options.highlighted = 0 if names else None

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def on_key(self, event: events.Key) -> None:
        options = self.query_one(OptionList)
        if event.key in ("up", "down", "pageup", "pagedown") and self.focused is not options:
            event.stop()
            event.prevent_default()
            actions = {"up": "cursor_up", "down": "cursor_down", "pageup": "page_up", "pagedown": "page_down"}
            getattr(options, f"action_{actions[event.key]}")()

    @on(Input.Submitted)
    def _accept(self, event: Input.Submitted) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None and options.option_count:
            self._take(options.get_option_at_index(options.highlighted))
        else:
            self.dismiss(event.value.strip() or None)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option)

    def _take(self, option: Option) -> None:
        self.dismiss(self._models.names[int(option.id or 0)])
