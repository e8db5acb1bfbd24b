"""Tables of scenarios: digits and units by the column's name, rows by the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from batchtui.model import Json
from batchtui.results.views.figures import is_figure
from batchtui.results.views.shapes import Bars, Cell, Column, Table

BARS = 20
_DIGITS = {
    "_mw": 3, "_mvar": 3, "_pct": 2, "_pu": 5, "vm_min": 5, "vm_max": 5, "_ms": 1, "_deg": 4, "objective": 2, "lmp": 3,
    "price": 3, "excess": 5, "limit": 5, "index": 4,
}  # fmt: skip


def column(name: str) -> Column:
    return Column(name, digits=next((digits for end, digits in _DIGITS.items() if name.endswith(end)), None))


def table(names: Sequence[str], rows: Iterable[Sequence[Cell]], *notes: str) -> Table:
    return Table(
        tuple(map(column, names)), [tuple(row) for row in rows], "; ".join(note for note in notes if note)
    )


def worst(key: Callable[[Json], float | None]) -> Callable[[Json], tuple[bool, float]]:
    """For `sorted`: the largest first, what has no figure last."""

    def order(row: Json) -> tuple[bool, float]:
        value = key(row)
        return (value is None, -(value or 0.0))

    return order


def figure(value: Json) -> float | None:
    return float(value) if is_figure(value) else None


def bars(pairs: Sequence[tuple[str, float | None]], unit: str) -> Bars | None:
    """The first BARS of them that have a figure."""
    kept = [(name, value) for name, value in pairs if value is not None][:BARS]
    return Bars([name for name, _ in kept], [value for _, value in kept], unit) if kept else None


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of values in ascending order, by linear interpolation between the two nearest."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
