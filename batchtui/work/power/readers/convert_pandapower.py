"""pandapower's JSON to MATPOWER tables, in a process of its own: pandapower takes seconds to import.

    python -m batchtui.work.power.readers.convert_pandapower GRID.json OUT.json

OUT gets `{baseMVA, bus, gen, branch, gencost, notes}`, or `{"fault": [kind, message]}`. Bus numbers are pandapower's
indices plus one; buses that closed switches join have the number of the first. Branch rows are lines, then
transformers, three-winding transformers (three rows each) and impedances, each in the order of its table.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Final

from batchtui.model import Json
from batchtui.text import cell
from batchtui.work.power.case import (
    BASE_KV,
    BR_STATUS,
    BUS_I,
    BUS_TYPE,
    F_BUS,
    GEN_BUS,
    GS,
    MBASE,
    REF,
    SHIFT,
    T_BUS,
    TAP,
    VA,
    VMAX,
    VMIN,
)

_FRAME: Final = ("pandas.core.frame", "DataFrame")
_LEFT_OUT: Final = ("controller", "group", "measurement", "characteristic")
"""Tables that do not bear on a power flow; some hold objects of any class."""
_REFUSED: Final = (
    *("svc", "ssc", "tcsc", "vsc", "vsc_stacked", "vsc_bipolar", "dcline"),
    *("bus_dc", "line_dc", "load_dc", "source_dc"),
)
"""What has no place in MATPOWER's tables."""
_ONE_WAY: Final = ("branch_r_asym", "branch_x_asym", "branch_g_asym", "branch_b_asym")
"""Further columns of a conversion: what differs by direction. `branch_g` is the conductance."""
_BRANCHES: Final = ("line", "trafo", "trafo3w", "impedance")
_COLUMNS: Final = {"bus": 13, "gen": 10, "branch": 13}


class Unusable(Exception):
    """The grid cannot be converted; `kind` as of a scenario's fault."""

    def __init__(self, message: str, kind: str = "bad_input") -> None:
        super().__init__(message)
        self.kind = kind


def convert(path: str) -> dict[str, Json]:
    """The tables. Raises Unusable."""
    text = tables_only(Path(path).read_bytes())
    try:
        import pandapower
        from pandapower.converter.pypower.to_ppc import to_ppc
    except ImportError:
        message = "a pandapower grid needs pandapower: pip install 'batchtui[pandapower]'"
        raise Unusable(message, "missing_extra") from None
    try:
        net = pandapower.from_json_string(text, convert=True)
    except Exception as fault:  # whatever pandapower makes of a file that is none of its own
        raise Unusable(f"pandapower cannot read it ({_words(fault)})") from None
    for element in _REFUSED:
        if element in net and len(net[element]) and bool(net[element].get("in_service", True).any()):
            raise Unusable(f"has a {element}, which MATPOWER's tables do not know")
    try:
        ppc = to_ppc(net, init="flat", mode="pf", calculate_voltage_angles=True)
        case = tables_of(net, ppc)
    except Unusable:
        raise
    except Exception as fault:
        raise Unusable(f"pandapower cannot convert it ({_words(fault)})") from None
    case["gencost"] = _costs(net, to_ppc, case)
    return case


def tables_only(data: bytes) -> str:
    """The file without what is no plain table: objects of other classes are never made. Raises Unusable."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as fault:
        raise Unusable(f"is no JSON ({_words(fault)})") from None
    held = found.get("_object") if isinstance(found, dict) else None
    if not isinstance(held, dict) or found.get("_class") != "pandapowerNet":
        raise Unusable("is no pandapower grid")
    kept: dict[str, Json] = {}
    for name, value in held.items():
        if isinstance(value, dict):
            plain = (value.get("_module"), value.get("_class")) == _FRAME
            table = value.get("_object")
            if not plain or not isinstance(table, str) or name in _LEFT_OUT:
                continue
            if "_module" in table:
                raise Unusable(f"the table {cell(name, 40)} holds objects")
            kept[name] = value
        elif value is None or isinstance(value, str | int | float):
            kept[name] = value
    if "bus" not in kept:
        raise Unusable("is a pandapower grid without buses")
    shell = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}
    return json.dumps({**shell, "_object": kept})


def tables_of(net: Json, ppc: dict[str, Json]) -> dict[str, Json]:
    """The tables of a net from its conversion, with buses renumbered. Raises Unusable."""
    for column in _ONE_WAY:
        if any(abs(value) > 1e-12 for value in ppc.get(column, ())):
            raise Unusable("has an impedance that differs by direction, which MATPOWER's tables do not know")
    numbers, notes = _numbers(net, len(ppc["bus"]))
    base = float(ppc["baseMVA"])
    tables = {name: [_row(row, width) for row in ppc[name]] for name, width in _COLUMNS.items()}
    for place, row in enumerate(tables["bus"]):
        row[BUS_I] = numbers[place]
        row[VMAX], row[VMIN] = _finite(row[VMAX], 1.1), _finite(row[VMIN], 0.9)
        row[BASE_KV] = _finite(row[BASE_KV], 0.0)
    for row in tables["gen"]:
        row[GEN_BUS], row[MBASE] = numbers[int(row[GEN_BUS])], _finite(row[MBASE], base)
    none = [0.0] * len(tables["branch"])
    for row, conductance in zip(tables["branch"], ppc.get("branch_g", none), strict=True):
        ends = int(row[F_BUS]), int(row[T_BUS])
        # MATPOWER's branches have no conductance: half of it goes to each end, the first behind the tap
        for end, ratio in zip(ends, (row[TAP] or 1.0, 1.0), strict=True):
            tables["bus"][end][GS] += float(conductance.real) / 2 * base / ratio**2
        row[F_BUS], row[T_BUS] = numbers[ends[0]], numbers[ends[1]]
    _start_angles(tables, numbers)
    return {"baseMVA": base, **tables, "notes": notes + _left_out(net)}


def _start_angles(tables: dict[str, list[list[float]]], numbers: list[int]) -> None:
    """Turn each bus by the transformers between it and the reference: a flat start is far off behind them."""
    place = {number: n for n, number in enumerate(numbers)}
    near: dict[int, list[tuple[int, float]]] = {}
    for row in tables["branch"]:
        if row[BR_STATUS]:
            start, end = place[int(row[F_BUS])], place[int(row[T_BUS])]
            near.setdefault(start, []).append((end, -row[SHIFT]))
            near.setdefault(end, []).append((start, row[SHIFT]))
    front = [n for n, row in enumerate(tables["bus"]) if row[BUS_TYPE] == REF]
    seen = set(front)
    while front:
        here = front.pop()
        for other, turn in near.get(here, ()):
            if other not in seen:
                seen.add(other)
                front.append(other)
                tables["bus"][other][VA] = tables["bus"][here][VA] + turn


def _numbers(net: Json, rows: int) -> tuple[list[int], list[str]]:
    """Bus numbers by row of the converted table."""
    lookup = net._pd2ppc_lookups["bus"]
    first: dict[int, int] = {}
    joined = 0
    for index in sorted(int(index) for index in net.bus.index):
        row = int(lookup[index])
        joined += row >= 0 and row in first
        if row >= 0:
            first.setdefault(row, index + 1)
    notes = ["bus numbers are pandapower's indices plus 1"]
    if joined:
        notes.append(f"{joined} buses that closed switches join to others have the number of the first")
    free = max(first.values(), default=0)
    numbers = []
    for row in range(rows):
        if row not in first:
            free += 1
        numbers.append(first.get(row, free))
    return numbers, notes


def _left_out(net: Json) -> list[str]:
    off = sum(int((~net[name].in_service.astype(bool)).sum()) for name in _BRANCHES if len(net[name]))
    return [f"{off} branches out of service were left out; rows count those in service"] if off else []


def _costs(net: Json, to_ppc: Json, case: dict[str, Json]) -> list[list[float]]:
    """The costs, where their rows are those of the generators; a note where they are not."""
    if not (len(net.poly_cost) or len(net.pwl_cost)):
        return []
    try:
        ppc = to_ppc(net, init="flat", mode="opf", calculate_voltage_angles=True)
        units = [int(row[GEN_BUS].real) for row in ppc["gen"]]
        numbers, _ = _numbers(net, len(ppc["bus"]))
        costs = [[float(value.real) for value in row] for row in ppc["gencost"]]
        fits = [numbers[unit] for unit in units] == [row[GEN_BUS] for row in case["gen"]]
    except Exception as fault:
        case["notes"].append(f"costs were left out: {_words(fault)}")
        return []
    if not fits:
        case["notes"].append("costs were left out: they are of more than the generators")
        return []
    return costs


def _row(row: Json, width: int) -> list[float]:
    return [float(value.real) for value in row[:width]]


def _finite(value: float, absent: float) -> float:
    return value if math.isfinite(value) else absent


def _words(fault: Exception) -> str:
    return cell(f"{type(fault).__name__}: {fault}", 160)


def main(source: str, target: str) -> None:
    found: dict[str, Json]
    try:
        found = convert(source)
    except Unusable as fault:
        found = {"fault": [fault.kind, str(fault)]}
    Path(target).write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:3])
