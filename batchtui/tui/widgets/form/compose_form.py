"""The form of the compose screen: a `Form` on the screen, one row a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from batchtui.tui.models import form_fields
from batchtui.tui.models.compose_model import Form
from batchtui.tui.models.form_fields import BACKEND_KEY, OTHER_KEY, WORK_KEY, Field
from batchtui.tui.widgets.form.field_row import AreaRow, FieldRow, InputRow, PickRow
from batchtui.tui.widgets.form.holding_area import HoldingArea
from batchtui.tui.widgets.form.path_input import PathInput


class ComposeForm(VerticalScroll, can_focus=False):
    """`form` reads it, `fill` writes it; it has rows for jobs of `kinds`.

    Rows of kinds that are not shown stay, unseen, with what was written in them."""

    def __init__(self, base: Path, kinds: Iterable[str]) -> None:
        super().__init__(id="form")
        self._form = Form(base=base)
        self._kinds = tuple(kinds)

    def compose(self) -> ComposeResult:
        yield self._row(form_fields.SOURCE)
        yield PickRow(BACKEND_KEY, "Backend")
        yield PickRow(WORK_KEY, "Work")
        for field in (*form_fields.rows(self._kinds), form_fields.SWEEP):
            yield self._row(field)
        yield Static("Batch", classes="form-title")
        with Grid(classes="pairs"):
            for field in form_fields.MORE:
                yield self._row(field)
            yield from (self._row(field) for field in form_fields.OUTPUT)
        yield Static("Limits", classes="form-title")
        with Grid(classes="pairs"):
            for field in form_fields.LIMITS:
                yield self._row(field)
        yield Static("Other keys", classes="form-title")
        yield AreaRow(OTHER_KEY, "TOML", "any other key, such as temperature = 0 under [params]")

    def on_mount(self) -> None:
        work = self.row(WORK_KEY)
        assert isinstance(work, PickRow)
        work.offer([(f"{name.ljust(7)}  {about}", name) for name, about in form_fields.WORKS.items()])
        self._show_fields()

    @property
    def rows(self) -> Iterator[FieldRow]:
        return iter(self.query(FieldRow).results())

    def row(self, key: str) -> FieldRow:
        return next(row for row in self.rows if row.key == key)

    @property
    def form(self) -> Form:
        """What stands here now."""
        values = {row.key: row.text for row in self.rows if row.text}
        other = values.pop(OTHER_KEY, "")
        return replace(self._form, values=values, other=other)

    def fill(self, form: Form) -> None:
        """Show another form, whole."""
        self._form = form
        texts = form.values | {OTHER_KEY: form.other, WORK_KEY: form.work}
        for row in self.rows:
            row.note("")
            if isinstance(row.control, PathInput):
                row.control.base = form.base
            row.text = texts.get(row.key, "")
        self._show_fields()

    def set_kind(self, kind: str | None) -> None:
        """Show the fields of this kind."""
        if kind != self._form.kind:
            self._form = replace(self._form, kind=kind)
            self.show_work()

    def show_work(self) -> None:
        """Show the fields of the work that is chosen, with what stood under `other` for want of them."""
        form = self.form
        before = dict(form.values)
        form.gather()
        self._form = form
        for key, text in form.values.items():
            if before.get(key) != text:
                self.row(key).text = text
        self.row(OTHER_KEY).text = form.other
        self._show_fields()

    def set_path(self, path: Path) -> None:
        """It is this batch file now; paths start from its folder."""
        self._form = replace(self._form, path=path, base=path.absolute().parent)

    def _show_fields(self) -> None:
        form = self.form
        visible = {field.key for field in form.fields} | {BACKEND_KEY, OTHER_KEY}
        if form_fields.picks_work(form.kind):
            visible.add(WORK_KEY)
        fields = {field.key: field for field in form.fields}
        for row in self.rows:
            row.display = row.key in visible
            if field := fields.get(row.key):
                row.dress(field)

    def complain(self, key: str, message: str) -> None:
        """Put the message below the field and the cursor into it."""
        row = self.row(key)
        row.note(message, bad=True)
        row.control.focus()
        self.call_after_refresh(row.scroll_visible, animate=False)

    def hint(self, hints: dict[str, str]) -> None:
        """What holds where these fields are left empty; the others show their own hints."""
        for row in self.query(InputRow).results():
            row.hint(hints.get(row.key, ""))

    def know(self, columns: Sequence[str]) -> None:
        """The columns of the source, by which fields in texts are coloured and completed."""
        for area in self.query(HoldingArea).results():
            area.know(columns)

    def tell_sweep(self, combinations: int) -> None:
        """How many jobs it makes of each row."""
        self.row(form_fields.SWEEP.key).note(
            f"{combinations:,} jobs for each row" if combinations > 1 else ""
        )

    def forgive(self) -> None:
        for row in self.rows:
            row.forgive()

    def focused_row(self) -> FieldRow | None:
        """The row that holds the cursor."""
        focused = self.screen.focused
        return next((row for row in self.rows if focused is row.control), None)

    def _row(self, field: Field) -> FieldRow:
        if field.lines:
            return AreaRow(field.key, field.label, field.hint)
        return InputRow(field, self._form.base if field.path else None)
