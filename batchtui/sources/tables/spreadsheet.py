"""Sheets of Excel and LibreOffice, through python-calamine where it is installed."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from batchtui.errors import nearest
from batchtui.model import Json, Problem, Row
from batchtui.sources.faults import BadSource
from batchtui.sources.inflation import Inflating, refuse_inflating
from batchtui.sources.rows.content import warnings
from batchtui.sources.source import Rows
from batchtui.sources.tables.sheet_cells import Unreadable, cells_of
from batchtui.text import cell

SIZE_LIMIT = 1024 * 1024 * 1024
"""Bytes of a workbook unpacked: more is an archive made to fill the memory."""


@dataclass(frozen=True)
class Sheet:
    """A sheet in memory: names of its columns, and rows below them with the numbers that the sheet shows."""

    columns: list[str]
    rows: list[tuple[int, list[Json]]]


def read_sheet(path: Path, name: str, wanted: str | None) -> Sheet:
    """The named sheet, else the first. Raises BadSource where it cannot be had, or its header names a column twice."""
    table, chosen, start = _table(path, name, wanted)
    filled = [(number, cells) for number, cells in enumerate(table, start) if any(map(_holds, cells))]
    if not filled:
        return Sheet([], [])
    line, header = filled[0]
    rows = [(number, cells) for number, cells in enumerate(table, start) if number > line]
    names = [_name(value) for value in header]
    used = [at for at, text in enumerate(names) if text or any(_holds(cells[at]) for _, cells in filled)]
    columns = [names[at] or f"column_{at + 1}" for at in used]
    twice = [text for text, times in Counter(columns).items() if times > 1]
    if twice:
        message = f'column "{cell(twice[0], 60)}" stands twice in the header (row {line})'
        raise BadSource(f'sheet "{cell(chosen, 60)}": {message}', file=name)
    gaps = [_gap([cells[at] for _, cells in filled[1:]]) for at in used]
    return Sheet(
        columns,
        [
            (number, [cells[at] if _holds(cells[at]) else gap for at, gap in zip(used, gaps, strict=True)])
            for number, cells in rows
        ],
    )


def sheet_rows(sheet: Sheet, name: str) -> Rows:
    """`line` is the row's number in the sheet."""
    for number, (line, cells) in enumerate(sheet.rows, 1):
        for warning in warnings("\n".join(text for text in cells if isinstance(text, str))):
            yield Problem(file=name, line=line, row=number, message=warning, fatal=False)
        yield Row(number, line, dict(zip(sheet.columns, cells, strict=True)))


def _table(path: Path, name: str, wanted: str | None) -> tuple[list[list[Json]], str, int]:
    """The cells, the name of the sheet, and the number of its first row."""
    if find_spec("python_calamine") is None:
        raise BadSource("spreadsheets need python-calamine: pip install 'batchtui[excel]'", file=name)
    try:
        _refuse_bomb(path, name)
        found = cells_of(path, wanted)
    except (Unreadable, OSError, zipfile.BadZipFile, ValueError) as fault:
        raise BadSource(f"not a readable spreadsheet: {cell(fault, 200)}", file=name) from None
    if found.chosen is None:
        known = ", ".join(f'"{cell(one, 40)}"' for one in found.names) or "none"
        hint = nearest(wanted or "", found.names) or f"; sheets: {known}"
        raise BadSource(f'no sheet "{cell(wanted or "", 60)}"{hint}', file=name, key="source.sheet")
    return found.rows, found.chosen, found.start


def _refuse_bomb(path: Path, name: str) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > SIZE_LIMIT:
        message = f"{size >> 20:,} MB unpacked, more than {SIZE_LIMIT >> 20:,}; bring it as CSV"
        raise BadSource(message, file=name)
    try:
        refuse_inflating(size, path.stat().st_size, "bring it as CSV")
    except Inflating as fault:
        raise BadSource(str(fault), file=name) from None


def _holds(value: Json) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _name(value: Json) -> str:
    return "" if value is None else str(value).strip()


def _gap(values: list[Json]) -> Json:
    """What an empty cell of a column is: null among numbers and the like, an empty text among texts, as in CSV."""
    held = [value for value in values if _holds(value)]
    return None if held and not any(isinstance(value, str) for value in held) else ""
