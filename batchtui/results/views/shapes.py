"""The shapes of a view: a table, and the picture drawn of it. Plain data: no screen, no drawing, no heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from batchtui.model import Json

Cell: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """`digits` are those after the point that are shown; exports hold the value whole."""

    name: str
    unit: str = ""
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` in the order they are worth reading. `note` is one sentence about what is not there, and why."""

    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    note: str = ""
    beside: int = 0
    """How many of the first columns are to be in sight together, where room is short: words give way."""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    xs: list[float]
    ys: list[float]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over one axis. `x_names` name the places 0, 1, 2 … where the axis is no number (months, say).

    `points` leaves the lines out: the values are in no order.
    """

    series: tuple[Series, ...]
    x: str = ""
    y: str = ""
    x_names: tuple[str, ...] = ()
    points: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar a name, of any sign."""

    names: list[str]
    values: list[float]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Heat:
    """A field of cells in steps that differ without colour too.

    `values[row][column]`; None is an empty cell. `steps` are the lower bounds of the second and later steps,
    ascending, at most four.
    """

    rows: list[str]
    columns: list[str]
    values: list[list[float | None]]
    steps: tuple[float, ...]
    unit: str = ""


Picture: TypeAlias = Lines | Bars | Heat


@dataclass(frozen=True, slots=True)
class View:
    """`name` is what commands take and never changes, `title` what people read.

    `jobs` names the job that each row of the table is about, for Enter; empty where rows are about no job.
    """

    name: str
    title: str
    table: Table
    picture: Picture | None = None
    jobs: tuple[str, ...] = ()
    facts: tuple[tuple[str, Json], ...] = ()
    """A header line of figures: (label, value)."""
    choices: tuple[str, ...] = ()
    """Columns that options `x` and `y` may name; empty where there is nothing to choose."""
    axes: tuple[str | None, str | None] = (None, None)
    """The columns that are drawn as x and y; None for an axis that is not chosen."""
    opens: tuple[tuple[str, str], ...] = ()
    """For each row the view that has more of it, and the row's name there (`Options.row`); empty: Enter opens the job."""
