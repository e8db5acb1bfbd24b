"""Every setting in effect: what it is, where that came from, what it means; and the way to where it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.content import Content
from textual.widgets import DataTable, Static

from batchtui.config import init_config, load_config
from batchtui.config.editing.listing import DEFAULT, Setting, in_effect, of_batch
from batchtui.errors import BadInput, ConfigError
from batchtui.results.reading import terms
from batchtui.results.reading.query import TOKEN
from batchtui.tui.actions import handing_out
from batchtui.tui.actions import table as actions
from batchtui.tui.models.compose_model import table_of
from batchtui.tui.screens.asking.dialogs import Confirm
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.widgets.empty import Empty
from batchtui.tui.widgets.filter_box import FilterBox
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import Pane, heading
from batchtui.tui.widgets.tables.columns import Column
from batchtui.tui.widgets.tables.fitted_table import FittedTable, Row

Test = Callable[[Setting], bool]
COLUMNS = (
    Column("key", "SETTING", 28), Column("value", "VALUE", 18), Column("from", "FROM", 20, 1),
    Column("about", "MEANS", 60, 2),
)  # fmt: skip
_FIELDS: dict[str, Callable[[Setting], str]] = {
    "key": lambda one: one.key,
    "value": lambda one: one.value,
    "from": lambda one: one.origin,
    "about": lambda one: one.about,
}


class SettingsScreen(AppScreen):
    """Of the program, and of the batch that was under the cursor; keys themselves are never shown."""

    place: ClassVar[str] = "settings"
    BINDINGS = actions.bindings("settings")
    AUTO_FOCUS = "FittedTable"

    def __init__(self, batch_id: str | None) -> None:
        super().__init__()
        self._batch_id = batch_id
        self._all: list[Setting] = []
        self._found: list[Setting] = []
        self._query, self._problem = "", ""

    def body(self) -> ComposeResult:
        with Pane(id="settings-pane"):
            yield FilterBox(
                "text  !text  /pattern/  from:config.toml  key:limits  value:openai", narrows=FittedTable
            )
            yield Empty()
            yield FittedTable(COLUMNS, names=("key",), grows="value")
        with Pane(id="setting-about-pane", classes="about", line=False):
            yield Static(id="setting-about")

    def on_mount(self) -> None:
        self._read()

    @property
    def table(self) -> FittedTable:
        return self.query_one(FittedTable)

    def subject(self) -> FittedTable:
        return self.table

    def selected_batch(self) -> str | None:
        return self._batch_id

    def _read(self) -> None:
        app = self.tui
        self._all = in_effect(app.config, app.data_dir)
        for action in actions.ACTIONS:
            if action.id not in app.config.keys:
                keys = " ".join(app.shown_keys(action.id))
                self._all.append(Setting(f'keys."{action.id}"', keys, DEFAULT, action.help, app.config.path))
        folder = app.link.folder(self._batch_id) if self._batch_id else None
        if folder:
            header = folder.header
            self._all += of_batch(header.name, table_of(header.spec))
        self._show()

    def _show(self) -> None:
        try:
            test = understand(self._query)
            self._found, self._problem = [one for one in self._all if test(one)], ""
        except BadInput as fault:
            self._found, self._problem = [], str(fault)
        self.table.show_rows([_row(n, one) for n, one in enumerate(self._found)])
        none = self._problem or ("" if self._found else "No setting matches the filter")
        self.query_one(Empty).stand_for(self.table, none, (("screen.back", "clears the filter"),))
        whole = len(self._found) == len(self._all)
        count = f"{len(self._all):,}" if whole else f"{len(self._found):,} of {len(self._all):,}"
        told = Content()
        if not self.tui.config.exists:
            told = Content.styled("no configuration file yet: enter writes one", "$text-warning")
        self.query_one("#settings-pane", Pane).entitle(heading("Settings", count), told)
        self._about()

    @on(DataTable.RowHighlighted)
    def _about(self) -> None:
        one, about = self._current(), self.query_one("#setting-about", Static)
        self.query_one("#setting-about-pane", Pane).entitle(shown(one.key if one else "", "bold", limit=80))
        if one is None:
            about.update(shown(""))
            return
        place = f"{one.file}:{one.line}" if one.file and one.line else one.origin
        told = {"setting": one.key, "value": one.value, "from": place, "means": one.about}
        about.update(
            Content("\n").join(
                Content.assemble((label.ljust(9), "dim"), shown(text, limit=600))
                for label, text in told.items()
                if text
            )
        )

    def _current(self) -> Setting | None:
        row = self.table.cursor_row
        return self._found[row] if 0 <= row < len(self._found) else None

    # ---- the filter

    def action_list_filter(self) -> None:
        self.query_one(FilterBox).open()

    @on(FilterBox.Changed)
    def filter_typed(self, event: FilterBox.Changed) -> None:
        self._query = event.value
        self._show()

    def back(self) -> None:
        if not self.query_one(FilterBox).clear_query():
            super().back()

    # ---- to where it stands

    @on(DataTable.RowSelected)
    def action_settings_edit(self) -> None:
        one = self._current()
        if one is None:
            return
        if one.file is None:
            self.tui.say(f"{one.key} stands in no file of the configuration: it is from {one.origin}")
        elif not one.file.exists():
            self._begin(one.file)
        else:
            self._edit(one.file, one.line)

    def _begin(self, path: Path) -> None:
        def answered(yes: bool | None) -> None:
            if yes and init_config(path):
                self._edit(path, None)

        body = f"{path} is not there. One to start from can be written: every line of it is an example to take the # from."
        self.tui.ask(Confirm("Write a configuration file?", body, yes="Write and open"), answered)

    def _edit(self, path: Path, line: int | None) -> None:
        before = path.read_bytes()
        try:
            with self.app.suspend():
                fault = handing_out.run_at(path, line)
        except SuspendNotSupported:
            fault = f"this terminal cannot be handed to another program; edit {path}"
        if fault:
            self.tui.say(fault, "warning")
        elif path.read_bytes() != before:
            self._tell_of_change()
        self._read()

    def _tell_of_change(self) -> None:
        """What was written holds from the next start on; what is wrong with it is told now."""
        try:
            problems = load_config(self.tui.config.path).problems
        except ConfigError as fault:
            self.tui.say(fault, "error")
            return
        for problem in problems:
            self.tui.say(problem, "error" if problem.fatal else "warning")
        if not any(problem.fatal for problem in problems):
            self.tui.say("what was changed holds when the app is opened again")


def understand(query: str) -> Test:
    """A test for a setting, in the language of all filters. Raises BadInput."""
    tests = [_term(token) for token in TOKEN.findall(query)]
    return lambda one: all(test(one) for test in tests)


def _term(token: str) -> Test:
    if token.startswith("!") and len(token) > 1:
        inner = _term(token[1:])
        return lambda one: not inner(one)
    field, colon, value = token.partition(":")
    if colon and (text := _FIELDS.get(field.casefold())):
        has = terms.finder(value)
        return lambda one: has(text(one))
    if not token.startswith(('"', "/")):
        terms.refuse_misspelt(token, _FIELDS)
    anywhere = terms.finder(token)
    return lambda one: anywhere(" ".join(text(one) for text in _FIELDS.values()))


def _row(n: int, one: Setting) -> Row:
    dim = "dim" if one.origin == DEFAULT else ""
    return Row(
        str(n),
        {
            "key": (one.key, dim),
            "value": (one.value, dim),
            "from": (one.origin, dim),
            "about": (one.about, "dim"),
        },
    )
