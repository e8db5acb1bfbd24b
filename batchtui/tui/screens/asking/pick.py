"""One of many by choice: what is typed narrows the list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from batchtui.tui.screens.asking.dialogs import Dialog
from batchtui.tui.widgets.outside import shown

_SHOWN = 500


class Pick(Dialog[str | None]):
    """Answers the first of the pair that was chosen; the second is shown beside it where it says something else."""

    def __init__(self, title: str, options: Sequence[tuple[str, str]], value: str | None = None) -> None:
        super().__init__(title)
        self._options, self._value = options, value

    def answers(self) -> ComposeResult:
        yield Input(placeholder="type to narrow", compact=True)
        yield OptionList()
        yield Static(shown("up and down move, enter chooses, esc leaves everything as it is", "dim"))

    def on_mount(self) -> None:
        self._narrow("")
        names = [name for name, _ in self._matching("")]
        if self._value in names:
            self.query_one(OptionList).highlighted = names.index(self._value)
        self.query_one(Input).focus()

    def nothing_matches(self, typed: str) -> None:
        """Enter, and no option has what was typed."""

    def _matching(self, text: str) -> list[tuple[str, str]]:
        words = text.casefold().split()
        found = (pair for pair in self._options if all(word in " ".join(pair).casefold() for word in words))
        return [pair for pair, _ in zip(found, range(_SHOWN), strict=False)]

    def _narrow(self, text: str) -> None:
        found = self._matching(text)
        width = min(40, max((cell_len(name) for name, _ in found), default=0))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                shown(name if name == about else f"{name}{' ' * (width - cell_len(name))}  {about}"),
                id=str(at),
            )
            for at, (name, about) in enumerate(found)
        )
        options.highlighted = 0 if found else None
        self._found = found

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
            self.dismiss(self._found[options.highlighted][0])
        else:
            self.nothing_matches(event.value.strip())

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index][0])
