"""A short table whose columns are chosen by its width, and whose cut names and ids still tell its rows apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.text import Text
from textual import events
from textual.widgets import DataTable

from batchtui.text import cell as clean_cell
from batchtui.tui.widgets.outside import cell
from batchtui.tui.widgets.tables.columns import Column, fitting

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """By column what a cell says and its style; a column without any takes no room."""

    key: str
    cells: Mapping[str, tuple[str, str]]


class FittedTable(DataTable[Text]):
    """`names` are the columns by which a person knows a row; `grows` is the one that has what is left of the width."""

    DEFAULT_CSS = "FittedTable { padding: 0 1; }"

    def __init__(self, columns: Sequence[Column], *, names: Sequence[str], grows: str) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, cell_padding=0)
        self._all, self._names, self._grows = columns, names, grows
        self._rows: Sequence[Row] = ()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """These rows, in this order; the cursor stays in its place."""
        self._rows = rows
        self._lay_out()

    def on_resize(self, _: events.Resize) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        at, columns = self.cursor_row, self._sized()
        self.clear(columns=True)
        for column in columns:
            self.add_column(cell(column.title, "dim"), width=column.width, key=column.key)
        cut = {
            column.key: apart(
                (row.cells.get(column.key, ("", ""))[0] for row in self._rows), column.width - 1
            )
            for column in columns
            if column.key in self._names
        }
        for row in self._rows:
            self.add_row(*(_drawn(row, column, cut.get(column.key, {})) for column in columns), key=row.key)
        if self._rows:
            self.move_cursor(row=max(0, min(at, len(self._rows) - 1)), animate=False)

    def _sized(self) -> list[Column]:
        width = max(0, self.size.width - 1)
        filled = [
            column
            for column in self._all
            if any(row.cells.get(column.key, ("", ""))[0] for row in self._rows)
        ]
        columns = fitting(filled or self._all, width)
        left = max(0, width - sum(column.width for column in columns))
        grows = self._grows if any(column.key == self._grows for column in columns) else columns[0].key
        return [
            replace(column, width=column.width + left) if column.key == grows else column
            for column in columns
        ]


def _drawn(row: Row, column: Column, cut: Mapping[str, str]) -> Text:
    value, style = row.cells.get(column.key, ("", ""))
    line = cell(cut.get(clean_cell(value), value), style)
    line.truncate(column.width - 1, overflow="ellipsis")
    if column.right:
        line.pad_left(max(0, column.width - 1 - line.cell_len))
    return line


def apart(values: Iterable[str], width: int) -> dict[str, str]:
    """Each in so many cells: of what is longer both ends, else the part from where those that would read alike differ."""
    known = dict.fromkeys(map(clean_cell, values))
    shown = {value: _both_ends(value, width) for value in known}
    for _ in range(_ROUNDS):
        groups: dict[str, list[str]] = defaultdict(list)
        for value, words in shown.items():
            groups[words].append(value)
        alike = [group for group in groups.values() if len(group) > 1]
        if not alike:
            break
        for group in alike:
            start = _in_common(group)
            shown |= {value: _from(value, start, width) for value in group}
    return shown


def _in_common(group: Sequence[str]) -> int:
    """How many letters all of them begin with."""
    return next(
        (at for at, letters in enumerate(zip(*group, strict=False)) if len(set(letters)) > 1),
        min(map(len, group)),
    )


def _both_ends(value: str, width: int) -> str:
    if len(value) <= width:
        return value
    end = max(1, min(13, (width - 1) // 2))
    return f"{value[: max(0, width - end - 1)]}…{value[-end:]}"


def _from(value: str, start: int, width: int) -> str:
    """Its end, if that has room from there on, with as much of the beginning as has room too; else the part from there."""
    rest, room = value[start:], max(1, width - 1)
    if len(rest) <= room:
        return f"{value[: room - len(rest)]}…{rest}"
    return f"…{rest[: max(1, room - 1)]}…"
