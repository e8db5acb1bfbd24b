"""pandapower's JSON to MATPOWER tables, in a process of its own: pandapower takes seconds to import.

    python -m batchtui.domains.power.readers.convert_pandapower GRID.json OUT.json

OUT gets `{baseMVA, bus, gen, branch, gencost, beyond, notes}`, or `{"fault": [kind, message]}`. Bus numbers are
pandapower's indices plus one. Branch rows are lines, then transformers, three-winding transformers (all high voltage
sides, all medium, all low), impedances, what is inside of extended wards and switches with an impedance: each in the
order of its table, out of service or not. Generator rows are external grids, generators and two for each DC line (its
to end first), then extended wards: those in service.

Options that a net carries (`user_pf_options`) hold, as they do in runpp.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from batchtui.amounts import counted
from batchtui.domains.power.grids.case import GEN_BUS, RATE_A
from batchtui.domains.power.readers.pandapower_tables import Tables, limits_of_optimum
from batchtui.model import Json
from batchtui.text import cell

_FRAME: Final = ("pandas.core.frame", "DataFrame")
_LEFT_OUT: Final = ("controller", "group", "measurement", "characteristic")
"""Tables that do not bear on a power flow; some hold objects of any class."""
_REFUSED: Final = (
    *("svc", "ssc", "tcsc", "vsc", "vsc_stacked", "vsc_bipolar"),
    *("bus_dc", "line_dc", "load_dc", "source_dc"),
)
"""What controls a flow or is no alternating current: no solver here knows it."""
_OPTIONS: Final = {
    "enforce_q_lims": "generators that keep their reactive limits",
    "distributed_slack": "a slack that several generators share",
    "tdpf": "lines whose resistance goes with their temperature",
}
"""Options of a net that change what is solved, in words."""
_TOLD: Final = (
    "calculate_voltage_angles",
    "trafo_model",
    "enforce_p_lims",
    "switch_rx_ratio",
    "trafo3w_losses",
    "neglect_open_switch_branches",
    "check_connectivity",
)
"""Options that change the tables, and that rundcpp does not look at."""
_TOLERANCE: Final = {"tolerance_mva": 1e-10}
"""Of the state that scenarios begin from: on a weak grid more would be a voltage that is off."""
_RATED: Final = ("line", "trafo", "trafo3w")
_PLAIN: Final = (str, int, float)


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
    except ImportError:
        message = "a pandapower grid needs pandapower: pip install 'batchtui[pandapower]'"
        raise Unusable(message, "missing_extra") from None
    try:
        net = pandapower.from_json_string(text, convert=True)
    except Exception as fault:  # whatever pandapower makes of a file that is none of its own
        raise Unusable(f"pandapower cannot read it ({_words(fault)})") from None
    for element in _REFUSED:
        if element in net and len(net[element]) and bool(net[element].get("in_service", True).any()):
            raise Unusable(f"has a {element}, which cannot be solved here")
    asked = dict(net.get("user_pf_options") or {})
    for option, words in _OPTIONS.items():
        if asked.get(option):
            raise Unusable(f"asks for {words} ({option} in its user_pf_options), which cannot be solved here")
    unrated = [name for name in _RATED if len(net[name]) and "max_loading_percent" not in net[name]]
    for name in unrated:
        net[name]["max_loading_percent"] = 100.0
    try:
        solve(net)
        tables = Tables(net).all()
    except Unusable:
        raise
    except Exception as fault:
        raise Unusable(f"pandapower cannot convert it ({_words(fault)})") from None
    tables["notes"] += _notes(net, asked)
    tables["gencost"] = _costs(net, tables, unrated)
    return tables


def solve(net: Json) -> None:
    """Let pandapower solve it, or at least make its tables. Raises what pandapower raises for other reasons."""
    import pandapower
    from pandapower.auxiliary import LoadflowNotConverged

    for tolerance in (_TOLERANCE, {}):
        try:
            pandapower.runpp(net, numba=False, lightsim2grid=False, **tolerance)
            return
        except LoadflowNotConverged:
            net["converged"] = False  # from a start that others find better, it may be solved all the same


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
        if name == "user_pf_options" and isinstance(value, dict):
            kept[name] = {key: one for key, one in value.items() if one is None or isinstance(one, _PLAIN)}
        elif isinstance(value, dict):
            plain = (value.get("_module"), value.get("_class")) == _FRAME
            table = value.get("_object")
            if not plain or not isinstance(table, str) or name in _LEFT_OUT:
                continue
            if "_module" in table:
                raise Unusable(f"the table {cell(name, 40)} holds objects")
            kept[name] = value
        elif value is None or isinstance(value, _PLAIN):
            kept[name] = value
    if "bus" not in kept:
        raise Unusable("is a pandapower grid without buses")
    shell = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}
    return json.dumps({**shell, "_object": kept})


def _notes(net: Json, asked: dict[str, Json]) -> list[str]:
    """What is told of a net whose results could be taken for something else."""
    notes = ["loading is of apparent power, at the nominal voltage; pandapower's own is of current"]
    off = sum(
        int((~net[name].in_service.astype(bool)).sum()) for name in (*_RATED, "impedance") if len(net[name])
    )
    if off:
        notes.append(
            f"{counted(off, 'branch', 'branches')} {'is' if off == 1 else 'are'} out of service; rows count them too"
        )
    if len(net.sgen) or len(net.storage) or len(net.asymmetric_sgen):
        notes.append(
            "static generators and storages are part of the demand of their buses, and scaled with it"
        )
    if net._options["voltage_depend_loads"]:
        notes.append(
            "loads follow the voltage in ac and n1; linear and optimal power flow take them as constant"
        )
        if buses := _not_adding_up(net):
            notes.append(
                f"all demand at bus {buses} follows the voltage by the mean share of its loads, as runpp solves it; "
                "runpp's tables of loads and generators do not add up to its flows there, ours do"
            )
    if len(net.asymmetric_load) or len(net.asymmetric_sgen):
        notes.append("linear power flow counts asymmetric elements, which rundcpp leaves out")
    if len(net.dcline):
        notes.append("DC lines are generators at both ends; generation_scale scales them too")
    told = {name: value for name, value in asked.items() if name in _TOLD}
    if told:
        words = ", ".join(f"{name} {value}" for name, value in told.items())
        notes.append(
            f"the net's own options hold for every task, also where rundcpp does not look: {cell(words, 160)}"
        )
    return notes


def _not_adding_up(net: Json) -> str:
    """The first buses where loads that follow the voltage stand with others, or with what feeds the bus."""
    lookup = net._pd2ppc_lookups["bus"]
    names = [name for name in net.load if name.startswith("const_") and name.endswith("_percent")]
    loads = net.load[net.load.in_service.astype(bool)]
    node = lookup[loads.bus.to_numpy()]
    kinds = loads[names].groupby(node).nunique().max(axis=1)
    found = set(kinds.index[kinds > 1])
    follow = set(node[(loads[names] != 0).any(axis=1).to_numpy()])
    for element in ("sgen", "storage", "motor", "ward", "xward", "ext_grid", "gen"):
        found |= follow & set(lookup[net[element].bus.to_numpy(dtype=int)])
    buses = sorted(int(index) + 1 for index in net.bus.index if lookup[index] in found)
    return ", ".join(map(str, buses[:5])) + (" …" if len(buses) > 5 else "")


def _costs(net: Json, tables: dict[str, Json], unrated: list[str]) -> list[list[float]]:
    """The costs, where their rows are those of the generators, with the limits of an optimum; else a note."""
    if not (len(net.poly_cost) or len(net.pwl_cost)):
        return []
    from pandapower.converter.pypower.to_ppc import to_ppc

    units = [int(row[GEN_BUS].real) for row in net._ppc["gen"]]
    before = net._pd2ppc_lookups["bus"].copy()
    rows = {place: span for place, span in net._pd2ppc_lookups["branch"].items() if place in unrated}
    try:
        ppc = to_ppc(net, init="flat", mode="opf", calculate_voltage_angles=True)
        costs = [[float(value.real) for value in row] for row in ppc["gencost"]]
        after = [int(row[GEN_BUS].real) for row in ppc["gen"]]
        same = (before == net._pd2ppc_lookups["bus"]).all()
    except Exception as fault:
        tables["notes"].append(f"costs were left out: {_words(fault)}")
        return []
    if not same or units != after:
        tables["notes"].append("costs were left out: they are of more than the generators")
        return []
    limits_of_optimum(tables, net, ppc)
    for begin, end in rows.values():  # without a limit of their loading they have none in an optimum either
        for row in tables["branch"][begin:end]:
            row[RATE_A] = 0.0
    return costs


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
