"""What a grid holds that MATPOWER's tables have no place for. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from batchtui.amounts import counted
from batchtui.domains.power.fault import Fault
from batchtui.model import Json

Rows: TypeAlias = list[list[float]]

NUMBER, AT, JOINED_PD, JOINED_QD, JOINED_VMAX, JOINED_VMIN = range(6)
"""Columns of `joined`."""
P_CURRENT, P_IMPEDANCE, Q_CURRENT, Q_IMPEDANCE = range(4)
"""Columns of `shares`."""


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """Each table is empty, or has a row for each row of the case's own table where that is said."""

    joined: Rows = field(default_factory=list)
    """Buses that are one with another: their number, the row of bus they are at, their part of what it has."""
    inside: list[int] = field(default_factory=list)
    """Rows of bus that no bus of the file stands behind: they have no row in the results."""
    conductance: list[float] = field(default_factory=list)
    """By branch: what its charging has beside BR_B, pu; no part of the linear equations."""
    unlike: Rows = field(default_factory=list)
    """By branch: r, x, g and b that the to end has more than the from end, pu."""
    shares: Rows = field(default_factory=list)
    """By bus: which share of its demand goes with the voltage, or with its square; AC equations only."""

    @property
    def is_solved_singly(self) -> bool:
        """Whether the AC equations are none that a sweep of lightsim2grid can hold."""
        return bool(self.shares or self.unlike)


NOTHING: Final = Beyond()
_WIDTHS: Final = {"joined": 6, "unlike": 4, "shares": 4}


def beyond_of(value: Mapping[str, Json], buses: int, branches: int, file: str | Path) -> Beyond:
    """The tables of a conversion. Raises Fault (bad_input) where they do not fit or a number is none."""
    sizes = {"conductance": branches, "unlike": branches, "shares": buses}
    tables: dict[str, Json] = {name: value.get(name) or [] for name in Beyond.__slots__}
    for name, table in tables.items():
        if table and len(table) != sizes.get(name, len(table)):
            raise Fault(
                "bad_input",
                f"the converted grid's {name}: {counted(len(table), 'row')} where there are {sizes[name]:,}",
                file,
            )
        for row in table:
            cells = row if name in _WIDTHS else [row]
            if len(cells) != _WIDTHS.get(name, 1) or not all(map(math.isfinite, cells)):
                raise Fault("bad_input", f"the converted grid's {name}: a row is not of finite numbers", file)
    return Beyond(**tables)
