"""Two batches over the same scenarios: voltages, flows or prices of one less those of the other."""

from __future__ import annotations

import heapq
from typing import Final

from batchtui.domains.power.views.source import Grid
from batchtui.domains.power.views.tabled import bars, table
from batchtui.errors import BadInput, NotFound, nearest
from batchtui.results.scenarios.place import holds_scenarios
from batchtui.results.views.figures import is_figure
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import View
from batchtui.store.folder import BatchFolder

TABLES: Final = {
    "buses": ("Buses", "bus", "bus_id", ("vm_pu", "va_deg", "lmp")),
    "branches": ("Branches", "branch", "branch_id", ("flow_mw", "loading_pct")),
}
MOST_ROWS = 2000
Place = tuple[str, int]


def names_of_two(first: BatchFolder, second: BatchFolder) -> list[tuple[str, str]]:
    """(name, title) of the tables to compare; none where one of the two is of another sort."""
    both = all(holds_scenarios(folder.header) for folder in (first, second))
    return [(name, title) for name, (title, *_) in TABLES.items()] if both else []


def build_of_two(first: BatchFolder, second: BatchFolder, name: str, options: Options) -> View:
    """A row for each scenario and bus or branch in which a column differs, the largest difference first.

    `options.y` is the column. Raises NotFound, and BadInput for a table that cannot be read or another column.
    """
    if name not in TABLES:
        raise NotFound(f'no view "{name}"{nearest(name, TABLES)}')
    title, table_name, key, columns = TABLES[name]
    column = options.y or columns[0]
    if column not in columns:
        raise BadInput(
            f'no column "{column}"{nearest(column, columns) or "; there is " + ", ".join(columns)}'
        )
    before = _values(Grid(first), table_name, key, column)
    found: list[tuple[float, Place, float, float]] = []
    both = differ = 0
    for place, value in _values(Grid(second), table_name, key, column).items():
        was = before.get(place)
        if was is None:
            continue
        both += 1
        if value == was:
            continue
        differ += 1
        entry = (abs(value - was), place, was, value)
        (heapq.heappush if len(found) < MOST_ROWS else heapq.heappushpop)(found, entry)
    found.sort(reverse=True)
    rows = [(place[0], place[1], was, now, now - was) for _, place, was, now in found]
    nothing = (
        "; ".join(
            f"{folder.header.name or folder.id}: {why}"
            for folder in (first, second)
            if (why := Grid(folder).without(table_name))
        )
        or "no scenario with this table is in both batches"
    )
    notes = (
        f"the largest {MOST_ROWS:,} of {differ:,}" if differ > MOST_ROWS else "",
        "" if both else nothing,
        "nothing differs" if both and not differ else "",
    )
    sides = _called(first, second)
    names = ("scenario_id", key, *(f"{side} {column}" for side in sides), f"difference {column}")
    shown = table(names, rows, *notes)
    picture = bars([(f"{row[0]} {table_name} {row[1]}", row[4]) for row in rows], f"difference of {column}")
    facts = (("in both", both), ("differ", differ), ("largest", abs(rows[0][4]) if rows else 0.0))
    return View(
        name, f"{title}, {column}: {sides[1]} less {sides[0]}", shown, picture, tuple(row[0] for row in rows), facts,
        columns, (None, column),
    )  # fmt: skip


def _called(first: BatchFolder, second: BatchFolder) -> tuple[str, str]:
    """Names that tell the two apart."""
    one, other = first.header.name or first.id, second.header.name or second.id
    return (one, other) if one != other else (first.id, second.id)


def _values(grid: Grid, name: str, key: str, column: str) -> dict[Place, float]:
    held: dict[Place, float] = {}
    for chunk in grid.chunks(name, (key, column)):
        for scenario, place, value in zip(chunk["scenario_id"], chunk[key], chunk[column], strict=True):
            if is_figure(value):
                held[scenario, place] = value
    return held
