"""Monthly and hourly series of energy models as tables and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchtui.domains.energy.views.sections import MONTHS, Columns, Run, cell_at, is_number, numeric
from batchtui.domains.energy.views.tables import Figures, chosen, column, difference
from batchtui.model import Json
from batchtui.results.views.shapes import Cell, Column, Lines, Series, Table

LINES_AT_ONCE = 5
"""Runs whose lines can still be told apart."""
MOST_ROWS = 20_000
"""Rows of a series in a table: two years of hours."""
POINTS = 1000
"""Pairs of points that a line is drawn from."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A section that holds a series. `places` are the columns that say where a value stands, `likely` the one drawn."""

    section: str
    place: str
    places: tuple[str, ...]
    likely: str

    def names(self, *runs: Run) -> tuple[str, ...]:
        """The columns that can be drawn, of any of the runs."""
        held = [run.columns(self.section) for run in runs]
        return tuple(dict.fromkeys(name for columns in held for name in numeric(columns, self.places)))

    def has(self, run: Run) -> bool:
        return bool(self.names(run))

    def labels(self, columns: Columns) -> list[str]:
        """What the places are called."""
        count = max(map(len, columns.values()), default=0)
        told = next((columns[name] for name in self.places if name in columns), [])
        told = [*told, *range(len(told) + 1, count + 1)]
        return [_month(value) if self is MONTHLY else str(value) for value in told]


MONTHLY = Sort("monthlySummary", "month", ("month", "index"), "energyMWh")
HOURLY = Sort("timeSeries", "date", ("date", "timestamp", "time", "index"), "gridACPower")


def _month(value: Json) -> str:
    if isinstance(value, int) and 1 <= value <= 12:
        return MONTHS[value - 1]
    return str(value).capitalize()


def table_of(sort: Sort, run: Run) -> Table:
    """Every column of one run."""
    columns = run.columns(sort.section)
    labels, names = sort.labels(columns), [name for name in columns if name not in sort.places]
    rows: list[tuple[Cell, ...]] = [
        (label, *(cell_at(columns[name], place) for name in names))
        for place, label in enumerate(labels[:MOST_ROWS])
    ]
    heads = [column(name, [row[at] for row in rows]) for at, name in enumerate(names, 1)]
    return Table((Column(sort.place), *heads), rows, _cut(len(labels)))


def table_of_two(sort: Sort, runs: tuple[Run, Run], name: str) -> Table:
    """One column of two runs and their difference."""
    one, other = (run.columns(sort.section) for run in runs)
    labels = max(sort.labels(one), sort.labels(other), key=len)
    rows: list[tuple[Cell, ...]] = []
    for place, label in enumerate(labels[:MOST_ROWS]):
        first, second = cell_at(one.get(name, []), place), cell_at(other.get(name, []), place)
        rows.append((label, first, second, difference(first, second)))
    heads = [runs[0].label, runs[1].label, "difference"]
    columns = [column(head, [row[at] for row in rows]) for at, head in enumerate(heads, 1)]
    return Table((Column(sort.place), *columns), rows, _cut(len(labels)))


def lines(sort: Sort, runs: Sequence[Run], name: str) -> Lines | None:
    """One line a run; places without a number are left out of it."""
    drawn = []
    for run in runs[:LINES_AT_ONCE]:
        held = run.columns(sort.section).get(name, [])
        points = [(float(place), float(value)) for place, value in enumerate(held) if is_number(value)]
        points = _thinned(points)
        drawn.append(Series(run.label, [x for x, _ in points], [y for _, y in points]))
    if not any(series.ys for series in drawn):
        return None
    labels = sort.labels(runs[0].columns(sort.section))
    if sort is MONTHLY:
        return Lines(tuple(drawn), sort.place, name, tuple(labels))
    return Lines(tuple(drawn), f"hour, from {labels[0]}" if labels else "hour", name)


def by_month(run: Run, name: str) -> Figures:
    """A month's value by its name, then their sum."""
    columns = run.columns(MONTHLY.section)
    found: Figures = {
        label: cell_at(columns.get(name, []), place) for place, label in enumerate(MONTHLY.labels(columns))
    }
    numbers = [value for value in found.values() if is_number(value)]
    return found | ({"sum": round(sum(numbers), 6)} if numbers else {})


def in_short(run: Run, name: str) -> Figures:
    """How long a series is, its mean and its peak."""
    held = [value for value in run.columns(HOURLY.section).get(name, []) if is_number(value)]
    return {"values": len(held), "mean": sum(held) / len(held), "peak": max(held)} if held else {"values": 0}


def drawn_column(sort: Sort, runs: Sequence[Run], wanted: str | None) -> str | None:
    """The column to draw, of those that any of the runs has. Raises BadInput."""
    return chosen(wanted, sort.names(*runs), sort.likely)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The lowest and the highest of each stretch, so that no peak is lost."""
    if len(points) <= 2 * POINTS:
        return points
    step = -(-len(points) // POINTS)
    kept = []
    for start in range(0, len(points), step):
        stretch = points[start : start + step]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept


def _cut(count: int) -> str:
    return f"the first {MOST_ROWS:,} of {count:,} rows" if count > MOST_ROWS else ""
