"""A grid as MATPOWER's tables: plain lists, no numpy, so that the app can look at one without loading it."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from batchtui.amounts import counted
from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.beyond import AT, NOTHING, NUMBER, Beyond
from batchtui.text import cell

Row: TypeAlias = list[float]
Table: TypeAlias = list[Row]

# Columns from 0, by the names of MATPOWER's idx_bus, idx_gen, idx_brch and idx_cost.
BUS_I, BUS_TYPE, PD, QD, GS, BS, AREA, VM, VA, BASE_KV, ZONE, VMAX, VMIN = range(13)
GEN_BUS, PG, QG, QMAX, QMIN, VG, MBASE, GEN_STATUS, PMAX, PMIN = range(10)
F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, RATE_B, RATE_C, TAP, SHIFT, BR_STATUS, ANGMIN, ANGMAX = range(13)
_STATUS: Final = {"gen": GEN_STATUS, "branch": BR_STATUS}
MODEL, STARTUP, SHUTDOWN, NCOST, COST = range(5)
PQ, PV, REF, ISOLATED = 1, 2, 3, 4  # types of a bus

NO_RATING: Final = 9900.0
"""From this rating on (MVA), as from 0, a branch has none: the filler of old cases."""
_LEAST: Final = {"bus": 13, "gen": 10, "branch": 11}
_MOST: Final = {"bus": 13, "gen": 21, "branch": 13}  # what follows are results of a run, and prices
_DEFAULTS: Final = {"gen": [0.0] * 11, "branch": [-360.0, 360.0]}  # of columns that may be left out
_LIMITS: Final = {
    "gen": {QMAX, QMIN, PMAX, PMIN, *range(10, 21)},
    "branch": {RATE_A, RATE_B, RATE_C, ANGMIN, ANGMAX},
}
"""Columns where Inf means "no limit"."""


@dataclass(slots=True, eq=False)  # so that what is found about one can be kept
class Case:
    """A grid. Tables in MATPOWER's column order and units (MW, Mvar, pu, degrees), one list a row."""

    baseMVA: float
    bus: Table
    gen: Table
    branch: Table
    gencost: Table = field(default_factory=list)
    version: str = "2"
    notes: list[str] = field(default_factory=list)
    """What the reader had to guess, in words: some formats lose bus types and shunts."""
    cost_fault: Fault | None = None
    """What is wrong with the costs, which are then left out: only an optimal power flow is refused for it."""
    beyond: Beyond = NOTHING


@functools.lru_cache(maxsize=8)
def bus_rows(case: Case) -> dict[int, int]:
    """The row (from 0) of every bus by its number; do not change it."""
    return {int(row[BUS_I]): place for place, row in enumerate(case.bus)}


@functools.lru_cache(maxsize=8)
def named_rows(case: Case) -> dict[int, int]:
    """As `bus_rows`, of the buses that a scenario may name: with joined ones, without what is inside of elements."""
    inside = set(case.beyond.inside)
    found = {number: row for number, row in bus_rows(case).items() if row not in inside}
    return found | {int(row[NUMBER]): int(row[AT]) for row in case.beyond.joined}


_FURTHER: Final = frozenset(["A", "l", "u", "N", "H", "Cw", "fparm", "z0", "zl", "zu", "userfcn"])
"""What MATPOWER's optimal power flow takes from a case beside its tables: constraints and costs of one's own."""


def notes_of(fields: Iterable[str]) -> list[str]:
    """What to tell of a case's further fields (those that hold anything): what they stand for is left out."""
    there = set(fields)
    notes = []
    if "dcline" in there:
        notes.append("DC lines (dcline) are left out, as MATPOWER leaves them out without toggle_dcline")
    if further := sorted(there & _FURTHER):
        notes.append(f"an optimal power flow leaves out the constraints or costs of {', '.join(further)}")
    return notes


def whole(number: float) -> str:
    """A bus's number as the file has it: 1234567, not 1.23457e+06."""
    return f"{number:.15g}"


def checked(
    tables: Mapping[str, Sequence[Sequence[float]]],
    base_mva: float,
    file: str | Path,
    lines: Mapping[str, Sequence[int]] | None = None,
    cost_fault: Fault | None = None,
) -> Case:
    """A case of these tables, its columns cut or filled up to MATPOWER's.

    What is out of service is not judged: no solver looks at it, so that a number which is none is 0 there.
    `lines` gives the line of each row where the file has any, `cost_fault` what its reader found wrong with the
    costs. Raises Fault (bad_input) with file and line for a table that is missing or ragged, a number that is none,
    a bus that is unknown or there twice; a fault of the costs alone is kept with the case.
    """
    if not (math.isfinite(base_mva) and base_mva > 0):
        raise Fault("bad_input", f"baseMVA is {base_mva:g}; it must be a number above 0", file)
    rows = _Rows(file, lines or {})
    bus = rows.sized("bus", tables.get("bus", ()))
    gen = rows.sized("gen", tables.get("gen", ()))
    branch = rows.sized("branch", tables.get("branch", ()))
    gencost: Table = []
    if cost_fault is None:
        try:
            gencost = rows.costs(tables.get("gencost", ()), [row[GEN_STATUS] > 0 for row in gen])
        except Fault as fault:
            cost_fault = fault.with_traceback(None)
    known: set[float] = set()
    for place, row in enumerate(bus):
        number = row[BUS_I]
        if number != int(number) or number < 0 or number in known:
            why = "is there twice" if number in known else "is no bus number"
            raise rows.fault("bus", place, f"{whole(number)} {why}")
        if row[BUS_TYPE] not in (PQ, PV, REF, ISOLATED):
            raise rows.fault("bus", place, f"bus type {row[BUS_TYPE]:g} is none of 1 to 4")
        known.add(number)
    apart = {row[BUS_I] for row in bus if row[BUS_TYPE] == ISOLATED}
    for place, row in enumerate(gen):
        if row[GEN_STATUS] > 0 and row[GEN_BUS] not in known:
            raise rows.fault("gen", place, f"there is no bus {whole(row[GEN_BUS])}")
    for place, row in enumerate(branch):
        if row[BR_STATUS] <= 0 or row[F_BUS] in apart or row[T_BUS] in apart:
            continue
        for end in (row[F_BUS], row[T_BUS]):
            if end not in known:
                raise rows.fault("branch", place, f"there is no bus {whole(end)}")
        if row[F_BUS] == row[T_BUS]:
            raise rows.fault("branch", place, f"joins bus {whole(row[F_BUS])} to itself")
        if row[BR_R] == row[BR_X] == 0:
            raise rows.fault("branch", place, "has neither resistance nor reactance")
    case = Case(float(base_mva), bus, gen, branch, gencost, cost_fault=cost_fault)
    if cost_fault is not None:
        at = "" if cost_fault.line is None else f"line {cost_fault.line}: "
        case.notes.append(
            f"the costs are of no use, so an optimal power flow is refused: {at}{cost_fault.message}"
        )
    return case


class _Rows:
    """Rows of a file's tables, and where they stand in it."""

    def __init__(self, file: str | Path, lines: Mapping[str, Sequence[int]]) -> None:
        self._file = file
        self._lines = lines

    def fault(self, name: str, place: int, message: str) -> Fault:
        lines = self._lines.get(name, ())
        line = lines[place] if place < len(lines) else None
        return Fault("bad_input", f"{name} row {place + 1}: {message}", self._file, line)

    def sized(self, name: str, table: Sequence[Sequence[float]]) -> Table:
        """The table's rows as floats, cut and filled to one width."""
        if not table and name == "bus":
            raise Fault("bad_input", "has no bus table; is it a MATPOWER case?", self._file)
        width = len(table[0]) if table else 0
        least, most, limits = _LEAST[name], _MOST[name], _LIMITS.get(name, set())
        fill = _DEFAULTS.get(name, [])
        found: Table = []
        for place, row in enumerate(table):
            if len(row) != width or width < least:
                wanted = least if width < least else width
                more = " at least" if width < least else ", as in the first row"
                raise self.fault(
                    name, place, f"{counted(len(row), 'column')} where {wanted} are needed{more}"
                )
            values = [float(value) for value in row[:most]]
            if (status := _STATUS.get(name)) is not None and values[status] <= 0:
                values = [value if math.isfinite(value) else 0.0 for value in values]
            for column, value in enumerate(values):
                if value - value != 0 and (math.isnan(value) or column not in limits):
                    raise self.fault(
                        name, place, f"column {column + 1} is {value}; it must be a finite number"
                    )
            if width < most:
                values += fill[width - most :]
            found.append(values)
        return found

    def costs(self, table: Sequence[Sequence[float]], on: Sequence[bool]) -> Table:
        """The cost rows, checked as far as tables of MATPOWER go. `on`: which generators are in service. Raises Fault."""
        if table and len(table) not in (len(on), 2 * len(on)):
            raise self.fault(
                "gencost", 0, f"{counted(len(table), 'row')} of costs for {counted(len(on), 'generator')}"
            )
        found: Table = []
        for place, row in enumerate(table):
            try:
                values = [float(value) for value in row]
            except OverflowError:
                raise self.fault("gencost", place, "has a number that is too large") from None
            if not on[place % len(on)]:
                found.append(values)
                continue
            if not all(map(math.isfinite, values)):
                raise self.fault("gencost", place, "every number must be finite")
            model = values[MODEL] if values else 0
            if model not in (1, 2) or len(values) <= NCOST:
                raise self.fault("gencost", place, "is neither piecewise linear (1) nor polynomial (2)")
            if values[NCOST] < (2 if model == 1 else 0):
                wanted = "pieces need two points at least" if model == 1 else "that is no count"
                raise self.fault("gencost", place, f"NCOST is {values[NCOST]:g}; {wanted}")
            needed = COST + int(values[NCOST]) * (2 if model == 1 else 1)
            if len(values) < needed:
                raise self.fault(
                    "gencost", place, f"{counted(len(values), 'column')} where {needed} are needed"
                )
            found.append(values)
        return found


def shown(text: str) -> str:
    """A piece of a file, quoted to stand in a message."""
    return f"“{cell(text, 40)}”"
