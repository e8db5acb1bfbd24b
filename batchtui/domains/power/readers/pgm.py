"""power-grid-model's JSON of an input dataset, read by that library (extra `pgm`).

power-grid-model solves these grids itself (`pgm_flows`): task `ac` only, since it knows no DC power flow and no costs.
The tables hold what the checks and results need of it: topology, demand, ratings. Bus numbers are the ids of the
nodes (plus 1 where one of them is 0). Branches are lines, then links, generic branches and transformers, generators are
sources, then sym_gen, each in the order of the file. Symmetric grids of two-ended branches are taken; sensors and tap
regulators play no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import ISOLATED, PQ, REF, Case, Table, checked
from batchtui.domains.power.grids.read import read_text
from batchtui.model import Json
from batchtui.text import cell

BRANCHES: Final = ("line", "link", "generic_branch", "transformer")
GENERATORS: Final = ("source", "sym_gen")
VMIN, VMAX = 0.9, 1.1
"""pu; the format knows no limits of voltages, so those of EN 50160 stand in."""
_REFUSED: Final = ("asym_line", "three_winding_transformer", "asym_load", "asym_gen")
_NO_LIMIT = 9999.0
_ANY_X = 1e-6
_MEGA = 1e6


@dataclass(slots=True, eq=False)
class PgmCase(Case):
    """A grid that power-grid-model solves. `data`: structured arrays by component, as that library takes them."""

    data: dict[str, Json] = field(default_factory=dict)


def read_pgm(path: str | Path) -> PgmCase:
    """The grid of the file. Raises Fault: missing_extra, or bad_input for what cannot be taken."""
    try:
        from power_grid_model.utils import json_deserialize_from_file
    except ImportError:
        message = "a PGM grid needs power-grid-model: pip install 'batchtui[pgm]'"
        raise Fault("missing_extra", message, path) from None
    read_text(path)  # refused here where it is no text, or too large
    try:
        read: dict[Json, Json] = dict(json_deserialize_from_file(Path(path)))
    except Exception as fault:  # whatever the library makes of a file that is none of its own
        words = cell(str(fault).strip().partition("\n")[0], 120)
        raise Fault("bad_input", f"power-grid-model cannot read it ({words})", path) from None
    found = {str(name.value): rows for name, rows in read.items()}
    for component in _REFUSED:
        if len(found.get(component, ())):
            raise Fault("bad_input", f"has a {component}, which cannot be taken here", path)
    if not len(found.get("node", ())):
        raise Fault("bad_input", "has no nodes; is it an input dataset?", path)
    if not any(source["status"] == 1 for source in found.get("source", ())):
        raise Fault("bad_input", "has no source in service", path)
    data = {name: rows for name, rows in found.items() if len(rows)}
    shift = int(min(data["node"]["id"]) == 0)
    tables = {"bus": _buses(data, shift), "gen": _generators(data, shift), "branch": _branches(data, shift)}
    case = checked(tables, 1.0, path)
    notes = [f"limits of voltages are not in the format: {VMIN:g} to {VMAX:g} pu stand in"]
    if shift:
        notes.append("bus numbers are node ids plus 1")
    return PgmCase(1.0, case.bus, case.gen, case.branch, notes=notes, data=data)


def _buses(data: dict[str, Json], shift: int) -> Table:
    """Demand is that of constant-power and other loads alike, at rated voltage (MW, Mvar; the base is 1 MVA)."""
    fed = _fed(data)
    root = next(int(source["node"]) for source in data["source"] if source["status"] == 1)
    demand: dict[int, list[float]] = {}
    for name, active, reactive in (("sym_load", "p_specified", "q_specified"),):
        for row in data.get(name, ()):
            if row["status"] == 1:
                p, q = demand.setdefault(int(row["node"]), [0.0, 0.0])
                demand[int(row["node"])] = [
                    p + _number(row[active]) / _MEGA,
                    q + _number(row[reactive]) / _MEGA,
                ]
    table: Table = []
    for row in data["node"]:
        node = int(row["id"])
        kind = REF if node == root else PQ if node in fed else ISOLATED
        p, q = demand.get(node, (0.0, 0.0))
        table.append(
            [node + shift, kind, p, q, 0, 0, 1, 1.0, 0.0, float(row["u_rated"]) / 1000, 1, VMAX, VMIN]
        )
    return table


def _fed(data: dict[str, Json]) -> set[int]:
    """The nodes that a source reaches over branches in service."""
    near: dict[int, list[int]] = {}
    for name in BRANCHES:
        for row in data.get(name, ()):
            if row["from_status"] == 1 and row["to_status"] == 1:
                near.setdefault(int(row["from_node"]), []).append(int(row["to_node"]))
                near.setdefault(int(row["to_node"]), []).append(int(row["from_node"]))
    front = [int(source["node"]) for source in data["source"] if source["status"] == 1]
    fed = set(front)
    while front:
        for other in near.get(front.pop(), ()):
            if other not in fed:
                fed.add(other)
                front.append(other)
    return fed


def _generators(data: dict[str, Json], shift: int) -> Table:
    table: Table = []
    for name in GENERATORS:
        for row in data.get(name, ()):
            p = _number(row["p_specified"]) / _MEGA if name == "sym_gen" else 0.0
            q = _number(row["q_specified"]) / _MEGA if name == "sym_gen" else 0.0
            vg = float(row["u_ref"]) if name == "source" else 1.0
            limits = [_NO_LIMIT, -_NO_LIMIT]
            table.append([int(row["node"]) + shift, p, q, *limits, vg, 1.0, float(row["status"]), *limits])
    return table


def _branches(data: dict[str, Json], shift: int) -> Table:
    """Ends, status and rating (MVA); impedances are power-grid-model's to know."""
    volts = {int(row["id"]): float(row["u_rated"]) for row in data["node"]}
    table: Table = []
    for name in BRANCHES:
        for row in data.get(name, ()):
            start, end = int(row["from_node"]), int(row["to_node"])
            rating = 0.0
            if name == "line":
                rating = _number(row["i_n"]) * math.sqrt(3) * volts.get(start, 0.0) / _MEGA
            elif name != "link":
                rating = _number(row["sn"]) / _MEGA
            status = float(row["from_status"] == 1 and row["to_status"] == 1)
            impedance = [0.0, _ANY_X, 0.0]
            table.append([start + shift, end + shift, *impedance, rating, 0, 0, 0, 0, status, -360, 360])
    return table


def _number(value: float) -> float:
    """NaN is what the format has for a number that is not given."""
    return float(value) if math.isfinite(value) else 0.0
