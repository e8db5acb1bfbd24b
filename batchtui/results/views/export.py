"""A view as a file: its table as CSV or Parquet, table and picture as Markdown or SVG; whole or not at all."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.errors import BadInput, nearest
from batchtui.model import Json
from batchtui.results.export.file import open_text, replacing, safe_cell
from batchtui.results.views.figures import facts_line, heading, shown
from batchtui.results.views.shapes import Cell, Table, View
from batchtui.text import cell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FORMATS = ("csv", "parquet", "markdown", "svg")
ENDINGS = {".csv": "csv", ".parquet": "parquet", ".md": "markdown", ".markdown": "markdown", ".svg": "svg"}
WIDTH, PICTURE_LINES = 100, 30
_LARGEST_FLOAT = int(sys.float_info.max)
SVG_ROWS = 200
"""Rows of a table in a picture; the other formats hold all."""
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~&])")
_NO_XML = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")
"""What `clean` lets through and XML does not."""
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def format_of(path: str, wanted: str | None = None) -> str:
    """The format for a file, by its ending where none is named. Raises BadInput."""
    found = wanted or ENDINGS.get(Path(path).suffix.lower())
    if found is None:
        raise BadInput(f"{path}: no format follows from its name; it may end in {' '.join(ENDINGS)}")
    if found not in FORMATS:
        raise BadInput(f'unknown format "{found}"{nearest(found, FORMATS)}; formats are {", ".join(FORMATS)}')
    return found


def write_view(
    view: View,
    path: str,
    *,
    format: str | None = None,  # noqa: A002
    width: int = WIDTH,
    raw: bool = False,
) -> int:
    """Write the view to `path`, its format by the ending where none is named; how many rows it has.

    `width` is that of the picture and the table in SVG and Markdown, in characters. `raw` leaves CSV cells as they
    are, also those that a spreadsheet would run. Raises BadInput, and leaves what was there.
    """
    shape = format_of(path, format)
    try:
        with replacing(path) as temporary:
            if shape == "parquet":
                _write_parquet(temporary, view.table)
            else:
                with open_text(temporary) as file:
                    if shape == "csv":
                        _write_csv(file, view.table, raw)
                    else:
                        file.write(markdown(view, width) if shape == "markdown" else svg(view, width))
    except OSError as fault:
        raise BadInput(f"{path}: cannot be written ({fault.strerror or fault})") from None
    return len(view.table.rows)


def document(view: View) -> dict[str, Json]:
    """The table as plain JSON types."""
    columns = [{"name": column.name, "unit": column.unit} for column in view.table.columns]
    return {
        "name": view.name,
        "title": view.title,
        "facts": dict(view.facts),
        "columns": columns,
        "rows": view.table.rows,
        "note": view.table.note,
        "choices": view.choices,
    }


def csv_text(view: View, *, raw: bool = False) -> str:
    """The table as CSV; a cell that a spreadsheet would run as a formula gets a quote before it unless `raw`."""
    file = io.StringIO(newline="")
    _write_csv(file, view.table, raw)
    return file.getvalue()


def _write_csv(file: IO[str], table: Table, raw: bool) -> None:
    written: Callable[[Cell], Cell] = (lambda value: "" if value is None else value) if raw else safe_cell
    writer = csv.writer(file)
    writer.writerow([written(column.name) for column in table.columns])
    for row in table.rows:
        writer.writerow([written(value) for value in row])


def _write_parquet(path: str, table: Table) -> None:
    """Each column as the narrowest type that holds it whole; its unit is kept beside its name."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadInput(
            "Parquet needs pyarrow; install it with `pip install 'batchtui[parquet]'`, or write .csv"
        ) from None
    held = list(zip(*table.rows, strict=True)) if table.rows else [() for _ in table.columns]
    kinds = {
        "int": pyarrow.int64(),
        "float": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "text": pyarrow.string(),
    }
    fields, arrays, names = [], [], set[str]()
    for column, values in zip(table.columns, held, strict=True):
        kind = _kind(values)
        name = _unused(_storable(column.name), names)
        fields.append(
            pyarrow.field(name, kinds[kind], metadata={"unit": column.unit} if column.unit else None)
        )
        arrays.append(pyarrow.array([_as(kind, value) for value in values], kinds[kind]))
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)), path)


def _kind(values: tuple[Cell, ...]) -> str:
    found = {type(value) for value in values if value is not None}
    if found <= {bool} and found:
        return "bool"
    if not found <= {int, float} or not found:
        return "text"
    whole = [value for value in values if isinstance(value, int)]
    if found == {int} and all(-(2**63) <= value < 2**63 for value in whole):
        return "int"
    return "float" if all(abs(value) <= _LARGEST_FLOAT for value in whole) else "text"


def _as(kind: str, value: Cell) -> Cell:
    if value is None:
        return None
    if kind == "text":
        return _storable(value if isinstance(value, str) else str(value))
    return float(value) if kind == "float" else value


def _storable(value: str) -> str:
    """A lone half of an emoji, which UTF-8 cannot hold, is spelt out."""
    return value.encode("utf-8", "backslashreplace").decode()


def _unused(name: str, names: set[str]) -> str:
    while name in names:
        name += "_"
    names.add(name)
    return name


def markdown(view: View, width: int = WIDTH) -> str:
    """Title, figures, the picture as text and the whole table, clean."""
    columns = view.table.columns
    lines = [f"# {_plain(view.title)}", ""]
    if view.facts:
        lines += [*(f"- {_plain(label)}: {_plain(shown(value))}" for label, value in view.facts), ""]
    if view.picture:
        from batchtui.results.views.drawings.picture import draw, natural_height

        drawn = draw(view.picture, width, natural_height(view.picture, PICTURE_LINES // 2)).plain
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", drawn)), default=0))
        lines += [f"{fence}text", *(line.rstrip() for line in drawn.split("\n")), fence, ""]
    right = [
        any(isinstance(row[at], int | float) for row in view.table.rows[:50]) for at in range(len(columns))
    ]
    lines.append(f"| {' | '.join(_plain(heading(column)) for column in columns)} |")
    lines.append(f"| {' | '.join('---:' if at else '---' for at in right)} |")
    for row in view.table.rows:
        cells = (_plain(shown(value, column)) for value, column in zip(row, columns, strict=True))
        lines.append(f"| {' | '.join(cells)} |")
    if view.table.note:
        lines += ["", _plain(view.table.note)]
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """Outside words that Markdown takes for nothing but words."""
    return _MARKDOWN.sub(r"\\\1", cell(words))


def svg(view: View, width: int = WIDTH) -> str:
    """Table and picture as a drawing that needs nothing from the net."""
    from rich.console import Console
    from rich.terminal_theme import MONOKAI

    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    _print(console, view, width)
    style, end, rest = console.export_svg(title=cell(view.title), theme=MONOKAI).partition("</style>")
    style = _FONT_FACE.sub("", style).replace("Fira Code", "DejaVu Sans Mono")
    return (style + end + rest).translate(_NO_XML)


def _print(console: Console, view: View, width: int) -> None:
    from rich.text import Text

    if view.facts:
        console.print(Text(facts_line(view)))
    if view.picture:
        from batchtui.results.views.drawings.picture import draw, natural_height

        console.print(
            draw(view.picture, width, min(natural_height(view.picture, PICTURE_LINES), 2 * PICTURE_LINES))
        )
    for line in table_text(view.table, width, SVG_ROWS):
        console.print(line)


def table_text(table: Table, width: int, most: int) -> list[Text]:
    """The first `most` rows in at most `width` cells: columns that have no room are left out, and told of."""
    from rich.text import Text

    from batchtui.results.views.drawings.columns import laid_out

    layout = laid_out(table, width)
    lines = [Text(layout.head, style="bold"), *(Text(layout.line(row)) for row in table.rows[:most])]
    notes = [
        f"… and {counted(len(table.rows) - most, 'more row')}" if len(table.rows) > most else "",
        f"{counted(layout.left_out, 'column')} {'has' if layout.left_out == 1 else 'have'} no room"
        if layout.left_out
        else "",
        cell(table.note, 400),
    ]
    return [*lines, *(Text(note, style="dim") for note in notes if note)]
