"""Tables and bars over runs: one row a run, or one row a figure of one run or two."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from batchtui.domains.energy.views.sections import is_number
from batchtui.errors import BadInput, nearest
from batchtui.results.views.shapes import Bars, Cell, Column, Table
from batchtui.text import cell

BARS_AT_ONCE = 40
Figures = dict[str, Cell]
Named = tuple[str, Figures]
"""What a run is called, and its figures."""


def column(name: str, values: Iterable[Cell]) -> Column:
    """A column that shows four or five figures of its largest number, and no more digits than the numbers have."""
    sizes = [(abs(value), _decimals(value)) for value in values if isinstance(value, float)]
    if not sizes:
        return Column(name)
    largest = max(size for size, _ in sizes)
    worth = 4 if largest < 1 else max(0, 4 - math.floor(math.log10(largest)))
    return Column(name, digits=min(worth, max(decimals for _, decimals in sizes)))


def _decimals(value: float) -> int:
    _, point, rest = f"{value:.6f}".rstrip("0").partition(".")
    return len(rest) if point else 0


def row_a_run(runs: Sequence[tuple[str, Named]], note: str) -> Table:
    """`runs` as (job id, named figures). A figure that a run lacks is an empty cell."""
    names = list(dict.fromkeys(name for _, (_, figures) in runs for name in figures))
    named = any(job_id != label for job_id, (label, _) in runs)
    heads = [Column("job"), *([Column("run")] if named else [])]
    columns = [column(name, [figures.get(name) for _, (_, figures) in runs]) for name in names]
    rows = [
        (job_id, *([label] if named else []), *(figures.get(name) for name in names))
        for job_id, (label, figures) in runs
    ]
    return Table((*heads, *columns), rows, note)


def row_a_figure(head: str, runs: Sequence[Named]) -> Table:
    """One column a run; with two their difference, and that in percent of the first run's."""
    names = list(dict.fromkeys(name for _, figures in runs for name in figures))
    columns = [Column(head), *(Column(label) for label, _ in runs)]
    rows: list[tuple[Cell, ...]] = [(name, *(figures.get(name) for _, figures in runs)) for name in names]
    if len(runs) == 2:
        columns += [Column("difference"), Column("in percent", "%", 2)]
        rows = [(*row, *differences(row[1], row[2])) for row in rows]
    return Table(tuple(columns), rows)


def differences(first: Cell, second: Cell) -> tuple[Cell, Cell]:
    """The second less the first, and that in percent; None where there are not two numbers."""
    change = difference(first, second)
    if change is None or not first:
        return change, None
    return change, 100 * change / abs(float(first))


def difference(first: Cell, second: Cell) -> float | int | None:
    if not is_number(first) or not is_number(second):
        return None
    change = second - first
    return change if isinstance(change, int) else round(change, 9)


def changes(first: Figures, second: Figures) -> Bars | None:
    """Every figure that differs, in percent of the first run's, the largest first."""
    found = [
        (name, differences(value, second.get(name))[1]) for name, value in first.items() if not _names(name)
    ]
    told = [(name, round(float(share), 2)) for name, share in found if is_number(share) and share]
    told.sort(key=lambda pair: -abs(pair[1]))
    return bars(told, "%") if told else None


def bars(pairs: Iterable[tuple[str, float]], unit: str = "") -> Bars:
    shown = list(pairs)[:BARS_AT_ONCE]
    return Bars([name for name, _ in shown], [value for _, value in shown], unit)


def chosen(wanted: str | None, names: Sequence[str], likely: str | None = None) -> str | None:
    """The column to draw: the one asked for, else the likely one, else the first. Raises BadInput."""
    if wanted is None:
        return likely if likely in names else next(iter(names), None)
    if wanted not in names:
        known = ", ".join(cell(name, 40) for name in names[:12])
        hint = nearest(wanted, names) or (f"; there are {known}" if known else "; there is none to draw")
        raise BadInput(f'no column "{cell(wanted, 60)}"{hint}')
    return wanted


def varying(runs: Sequence[Named]) -> str | None:
    """The first figure in which the runs differ."""
    held = ((name, value) for _, figures in runs for name, value in figures.items())
    numbers = list(dict.fromkeys(name for name, value in held if is_number(value) and not _names(name)))
    return next((name for name in numbers if len({figures.get(name) for _, figures in runs}) > 1), None)


def _names(figure: str) -> bool:
    """Whether a number names something and measures nothing, such as `locationId`."""
    return figure.endswith(("Id", "ID", "_id", ".id")) or figure == "id"
