"""A text area that stays quick whatever is put into it: what is too long to lay out at every key is held as it came."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.events import Paste
from textual.widgets import TextArea

from batchtui.text import clean
from batchtui.tui.widgets.form.template_fields import completion, fields, unfinished

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

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
    _columns: Sequence[str] = ()

    def know(self, columns: Sequence[str]) -> None:
        """Of the source: fields that are none of them are red, and what begins as one does is completed."""
        if list(columns) != list(self._columns):
            self._columns = columns
            self.notify_style_update()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if "{{" in line.plain and not self.holds:
            paint = cast("BaseApp", self.app).paint
            for place in fields(line.plain, self._columns):
                line.stylize(
                    paint("$text-accent" if place.known else "bold $text-error"), place.start, place.end
                )
        return line

    def update_suggestion(self) -> None:
        self.suggestion = "" if self.read_only else completion(*self._around(), self._columns)

    def _around(self) -> tuple[str, str]:
        """What stands before the cursor in its line, and behind it."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        return line[:column], line[column:]

    def insert_field(self, field: str) -> None:
        """Where the cursor is, in the place of one that was begun there."""
        before, after = unfinished(*self._around())
        row, column = self.cursor_location
        self.replace(field, (row, column - before), (row, column + after))

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
