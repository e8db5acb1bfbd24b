"""gat's Arrow grid folder as MATPOWER tables.

The format loses what a power flow needs: every bus is written as `PQ`, and shunts are dropped. Bus types are
inferred here as power-flow programs do where none are given: a bus with a generator in service that has a voltage
setpoint is PV, and the bus of the largest unit is the reference (a task's `slack` names another). What was guessed
stands in the case's `notes`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from batchtui.amounts import counted
from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import ISOLATED, PQ, PV, REF, Case, Table, checked
from batchtui.domains.power.readers.arrow_folder import ArrowGrid, Row, load
from batchtui.text import cell

_TYPES: Final = {"pq": PQ, "pv": PV, "slack": REF, "ref": REF, "reference": REF, "isolated": ISOLATED}
_VMIN, _VMAX = 0.94, 1.06
_LINE = "line"


def read_arrow(path: str | Path) -> Case:
    """The grid of a folder. Branches and generators are rows of its tables, from 1. Raises Fault."""
    grid = load(path)
    types, notes = _bus_types(grid)
    tables = {
        "bus": _buses(grid, types),
        "gen": _generators(grid),
        "branch": _branches(grid),
    }
    cost_fault: Fault | None = None
    try:
        tables["gencost"] = _costs(grid)
    except Fault as fault:
        cost_fault = fault.with_traceback(None)
    base = _Cells(grid, "system", 1, grid.of("system")[0]).number("base_mva")
    case = checked(tables, base, grid.folder, cost_fault=cost_fault)
    case.notes += notes
    return case


def _bus_types(grid: ArrowGrid) -> tuple[dict[int, int], list[str]]:
    """Type by bus id, and what was guessed, in words."""
    found = {row["id"]: _TYPES.get(str(row.get("bus_type")).lower(), PQ) for row in grid.of("buses")}
    units = [
        (number, unit)
        for number, unit in enumerate(grid.of("generators"), 1)
        if unit.get("status") is not False and unit.get("voltage_setpoint_pu") is not None
    ]
    notes = ["the format holds no shunts: the grid has none here"]
    if all(kind == PQ for kind in found.values()):
        found |= {unit["bus"]: PV for _, unit in units}
        count = sum(kind == PV for kind in found.values())
        were = (
            f"{counted(count, 'bus', 'buses')} with a generator {'was' if count == 1 else 'were'} taken as PV"
        )
        notes.append(f"the grid types every bus PQ: {were}")
    if REF not in found.values() and units:
        number, largest = max(
            units, key=lambda one: (_Cells(grid, "generators", *one).number("pmax_mw"), -one[0])
        )
        found[largest["bus"]] = REF
        size = f"generator {number}, {largest['pmax_mw']:g} MW"
        notes.append(f"bus {largest['bus']} of the largest unit ({size}) was taken as the reference")
    return found, notes


def _buses(grid: ArrowGrid, types: dict[int, int]) -> Table:
    demand: dict[int, tuple[float, float]] = {}
    for number, row in enumerate(grid.of("loads"), 1):
        if row.get("status") is not False:
            cells = _Cells(grid, "loads", number, row)
            p, q = demand.get(row["bus"], (0.0, 0.0))
            p, q = p + cells.number("active_power_mw"), q + cells.number("reactive_power_mvar")
            demand[row["bus"]] = p, q
    table: Table = []
    for number, row in enumerate(grid.of("buses"), 1):
        of = _Cells(grid, "buses", number, row).number
        p, q = demand.get(row["id"], (0.0, 0.0))
        voltage = [of("voltage_pu", 1.0), math.degrees(of("angle_rad", 0.0)), of("voltage_kv", 0.0)]
        limits = [of("zone_id", 1.0), of("vmax_pu", _VMAX), of("vmin_pu", _VMIN)]
        table.append([row["id"], types[row["id"]], p, q, 0.0, 0.0, of("area_id", 1.0), *voltage, *limits])
    return table


def _generators(grid: ArrowGrid) -> Table:
    table: Table = []
    for number, row in enumerate(grid.of("generators"), 1):
        of = _Cells(grid, "generators", number, row).number
        power = [
            of("active_power_mw"),
            of("reactive_power_mvar", 0.0),
            of("qmax_mvar", 0.0),
            of("qmin_mvar", 0.0),
        ]
        rest = [of("voltage_setpoint_pu", 1.0), of("mbase_mva", 100.0), float(row.get("status") is not False)]
        table.append([row["bus"], *power, *rest, of("pmax_mw"), of("pmin_mw")])
    return table


def _branches(grid: ArrowGrid) -> Table:
    table: Table = []
    for number, row in enumerate(grid.of("branches"), 1):
        of = _Cells(grid, "branches", number, row).number
        tap, is_line = of("tap_ratio", 1.0), str(row.get("element_type")).lower() == _LINE
        series = [of("resistance_pu"), of("reactance_pu"), of("charging_b_pu", 0.0)]
        rates = [of(f"rate_{letter}_mva", 0.0) for letter in "abc"]
        ratio = [0.0 if tap == 1.0 and is_line else tap, math.degrees(of("phase_shift_rad", 0.0))]
        angles = [math.degrees(of("angle_min_rad", -math.tau)), math.degrees(of("angle_max_rad", math.tau))]
        status = float(row.get("status") is not False)
        table.append([row["from_bus"], row["to_bus"], *series, *rates, *ratio, status, *angles])
    return table


def _costs(grid: ArrowGrid) -> Table:
    """MATPOWER's gencost; empty where no unit has a cost. A unit without one costs nothing."""
    rows: Table = []
    for number, unit in enumerate(grid.of("generators"), 1):
        start, stop = unit.get("cost_startup") or 0.0, unit.get("cost_shutdown") or 0.0
        model, coefficients = unit.get("cost_model") or 0, list(unit.get("cost_coeffs") or ())
        points = list(unit.get("cost_values") or ())
        if model == 2 and coefficients:
            rows.append([2.0, start, stop, float(len(coefficients)), *coefficients])
        elif model == 1 and len(points) >= 4 and len(points) % 2 == 0:
            rows.append([1.0, start, stop, len(points) / 2, *points])
        elif model in (0, 2):
            rows.append([])
        else:
            message = f"row {number}: cost model {cell(str(model), 20)} with {counted(len(points), 'value')} is unknown"
            raise Fault("bad_input", message, grid.folder / "generators.arrow")
    if not any(rows):
        return []
    filled = [row or [2.0, 0.0, 0.0, 2.0, 0.0, 0.0] for row in rows]
    width = max(map(len, filled))
    return [row + [0.0] * (width - len(row)) for row in filled]


class _Cells:
    """One row of a table; `number` is its row, from 1."""

    def __init__(self, grid: ArrowGrid, table: str, number: int, row: Row) -> None:
        self._file = grid.folder / f"{table}.arrow"
        self._number, self._row = number, row

    def number(self, name: str, absent: float | None = None) -> float:
        """A number; `absent` where it is null or has no column. Raises Fault."""
        value = self._row.get(name)
        if value is None and absent is not None:
            return absent
        if not isinstance(value, int | float):
            raise Fault("bad_input", f"row {self._number}: {name} is no number", self._file)
        return float(value)
