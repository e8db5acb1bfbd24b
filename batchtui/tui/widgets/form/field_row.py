"""One field of a form: its label, its control, and a line below that explains or complains."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea

from batchtui.text import page
from batchtui.tui.models.form_fields import Field
from batchtui.tui.widgets.form.holding_area import HoldingArea
from batchtui.tui.widgets.form.path_input import PathInput
from batchtui.tui.widgets.form.template_fields import unfinished
from batchtui.tui.widgets.outside import cell, shown


class FieldRow(Vertical):
    """`text` is what stands in the control. Posts `Edited` when the user, or a program, changes it."""

    class Edited(Message):
        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, key: str, label: str, about: str = "") -> None:
        super().__init__(classes="field")
        self.key = key
        self._label, self._about = label, about
        self._bad = False
        self.control: Widget = self.make_control()

    def make_control(self) -> Widget:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Static(shown(self._label), classes="field-label")
            yield self.control
        note = Static(shown(self._about), classes="field-note")
        note.display = bool(self._about)
        yield note

    @property
    def text(self) -> str:
        raise NotImplementedError

    @text.setter
    def text(self, value: str) -> None:
        raise NotImplementedError

    def dress(self, field: Field) -> None:
        """Show what this field says of its key: kinds have words of their own for one key."""
        self.query_one(".field-label", Static).update(shown(field.label))

    def insert(self, text: str) -> bool:
        """Put text where the cursor stands; whether this control takes any."""
        return False

    def note(self, text: str, *, bad: bool = False) -> None:
        """The line below: grey, or a complaint; with empty text what always stands there, if anything does."""
        self._bad = bad and bool(text)
        text = text or self._about
        self.set_class(self._bad, "-bad")
        line = self.query_one(".field-note", Static)
        line.display = bool(text)
        line.update(Content(("! " if self._bad else "") + page(text, 600, 4)))

    def forgive(self) -> None:
        """Take a complaint away; an explanation stays."""
        if self._bad:
            self.note("")


class InputRow(FieldRow):
    """A line of text; with a `base`, a path that starts from there."""

    def __init__(self, field: Field, base: Path | None = None) -> None:
        self._field, self._base = field, base
        super().__init__(field.key, field.label, field.about)

    def make_control(self) -> Input:
        if self._base is not None:
            return PathInput(base=self._base, placeholder=self._field.hint)
        return Input(placeholder=self._field.hint, compact=True, select_on_focus=False)

    def dress(self, field: Field) -> None:
        if field is not self._field:
            self._field = field
            self.hint()
            super().dress(field)

    def hint(self, text: str = "") -> None:
        """What stands in the empty field: this, or its own hint again."""
        self.input.placeholder = text or self._field.hint

    @property
    def input(self) -> Input:
        assert isinstance(self.control, Input)
        return self.control

    @property
    def text(self) -> str:
        return self.input.value

    @text.setter
    def text(self, value: str) -> None:
        self.input.value = value

    def insert(self, text: str) -> bool:
        value, at = self.input.value, self.input.cursor_position
        before, after = unfinished(value[:at], value[at:])
        self.input.value = value[: at - before] + text + value[at + after :]
        self.input.cursor_position = at - before + len(text)
        return True

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        event.stop()
        self.forgive()
        self.post_message(self.Edited(self.key))

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(PathInput.Candidates)
    def _candidates(self, event: PathInput.Candidates) -> None:
        event.stop()
        more = f"  … {len(event.names) - 8} more" if len(event.names) > 8 else ""
        self.note("  ".join(event.names[:8]) + more)


class AreaRow(FieldRow):
    """Several lines of text; grows as they do, and holds what is too long to edit."""

    def __init__(self, key: str, label: str, hint: str) -> None:
        self._hint = hint
        super().__init__(key, label)

    def make_control(self) -> HoldingArea:
        hint = Content(self._hint)
        area = HoldingArea(
            placeholder=hint, compact=True, show_line_numbers=False, highlight_cursor_line=False
        )
        area.match_cursor_bracket = False
        return area

    def dress(self, field: Field) -> None:
        if field.hint != self._hint:
            self._hint = field.hint
            self.area.placeholder = Content(field.hint)
            super().dress(field)

    @property
    def area(self) -> HoldingArea:
        assert isinstance(self.control, HoldingArea)
        return self.control

    @property
    def text(self) -> str:
        return self.area.whole

    @text.setter
    def text(self, value: str) -> None:
        self.area.put(value)

    def insert(self, text: str) -> bool:
        if self.area.holds:
            return False
        self.area.insert_field(text)
        return True

    @on(TextArea.Changed)
    def _edited(self, event: TextArea.Changed) -> None:
        event.stop()
        self.forgive()
        self.post_message(self.Edited(self.key))


class PickRow(FieldRow):
    """One of several names; `offer` says which."""

    _offered: list[tuple[str, str]] = []

    def make_control(self) -> Select[str]:
        return Select[str]([], prompt="choose with enter", compact=True)

    @property
    def select(self) -> Select[str]:
        assert isinstance(self.control, Select)
        return self.control

    def offer(self, options: list[tuple[str, str]]) -> None:
        """Labels and names to choose from; the choice stays where it is still offered."""
        before, self._offered = self.text, options
        with self.prevent(Select.Changed):
            self.select.set_options([(cell(label), name) for label, name in options])
            if before in [name for _, name in options]:
                self.select.value = before

    @property
    def text(self) -> str:
        value = self.select.value
        return value if isinstance(value, str) else ""

    @text.setter
    def text(self, value: str) -> None:
        if not value:
            self.select.clear()
            return
        if value not in [name for _, name in self._offered]:
            self.offer([*self._offered, (f"{value}  not configured", value)])
        self.select.value = value

    @on(Select.Changed)
    def _edited(self, event: Select.Changed) -> None:
        event.stop()
        self.forgive()
        self.post_message(self.Edited(self.key))
