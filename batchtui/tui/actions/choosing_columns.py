"""Which columns a list has: chosen in a dialog, kept between runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from batchtui.model import Json
from batchtui.tui.models import settings
from batchtui.tui.screens.asking.columns_dialog import ColumnsDialog
from batchtui.tui.widgets.tables.columns import Column

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


class HasColumns(Protocol):
    """A table whose columns can be chosen."""

    COLUMNS_OF: ClassVar[Sequence[Column]]

    def choose_columns(self, kept: Json) -> None: ...


def as_chosen(app: BaseApp, table: HasColumns, name: str) -> None:
    """Give it the columns that were chosen for the list of that name."""
    table.choose_columns(settings.columns(app.config, name))


def choose(app: BaseApp, table: HasColumns, name: str) -> None:
    def answered(kept: list[Json] | None) -> None:
        if kept is not None:
            settings.write_columns(app.config, name, kept)
            as_chosen(app, table, name)

    app.ask(
        ColumnsDialog(f"Columns of the {name}", table.COLUMNS_OF, settings.columns(app.config, name)),
        answered,
    )
