"""A text area that stays quick whatever is put into it: what is too long to lay out at every key is held as it came."""

from __future__ import annotations

import re

from textual.events import Paste
from textual.widgets import TextArea

from batchtui.text import clean

LONGEST_LINE, LONGEST_TEXT = 50_000, 2_000_000
"""Characters that can be edited: to lay out a line of a million takes a second, at every key."""
_SHOWN, _LINES_SHOWN = 200, 3
"""Of its beginning: so little that what is said below it is seen on a small screen too."""
_NEWLINES = re.compile(r"\r\n?")


class HoldingArea(TextArea):
    """`whole` is the text that it stands for. One that is held shows its beginning, and how it is taken back."""

    _held_text: str | None = None
    _text_before = ""
    """What a held text took the place of."""

    @property
    def holds(self) -> bool:
        return self._held_text is not None

    @property
    def whole(self) -> str:
        return self.text if self._held_text is None else self._held_text

    def put(self, text: str) -> None:
        """Replace what stands in it."""
        if text == self.whole:
            return
        if too_long(text):
            self._hold(text, before="")
        else:
            self._show(text)

    def on_paste(self, event: Paste) -> None:
        if self._held_with(event.text):
            event.prevent_default()
            event.stop()

    def action_paste(self) -> None:
        if not self._held_with(self.app.clipboard):
            super().action_paste()

    def action_delete_left(self) -> None:
        if self.holds:
            self._show(self._text_before)
        else:
            super().action_delete_left()

    def action_delete_right(self) -> None:
        if self.holds:
            self._show(self._text_before)
        else:
            super().action_delete_right()

    def _held_with(self, pasted: str) -> bool:
        """Whether a text that is pasted makes this one too long; then it is held with it. More goes behind it."""
        pasted = _NEWLINES.sub("\n", pasted)
        if self._held_text is not None:
            self._hold(self._held_text + pasted, before=self._text_before)
            return True
        start, end = sorted(self.selection)
        text = self.get_text_range((0, 0), start) + pasted + self.get_text_range(end, self.document.end)
        if self.read_only or not too_long(text):
            return False
        self._hold(text, before=self.text)
        return True

    def _hold(self, text: str, *, before: str) -> None:
        self._held_text, self._text_before = text, before
        self.read_only = True
        beginning = "\n".join(clean(text[:_SHOWN]).split("\n")[:_LINES_SHOWN])
        how = "takes them back" if before else "empties the field"
        self.load_text(
            f"{beginning} …\n"
            f"… {len(text):,} characters in all, too long to edit here and held as they are; backspace {how}"
        )

    def _show(self, text: str) -> None:
        self._held_text = None
        self.read_only = False
        self.load_text(text)
        self.move_cursor(self.document.end)


def too_long(text: str) -> bool:
    if len(text) <= LONGEST_LINE:
        return False
    return len(text) > LONGEST_TEXT or max(map(len, text.splitlines())) > LONGEST_LINE
