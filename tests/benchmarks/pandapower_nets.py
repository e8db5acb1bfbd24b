"""Writes pandapower's nets as JSON, and its own power flow of each: `pandapower_nets.py FOLDER [NAME …]`.

Runs in an environment that has pandapower and need not have anything of ours. NAME.json is the net, NAME.solved what
runpp (`ac`) and rundcpp (`dc`) make of it, each by pandapower's own indices: voltages and injections of buses without
what shunts take, flows of branches, losses, and what the generators at reference buses give.
"""

from __future__ import annotations

import inspect
import json
import math
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy
import pandapower
import pandapower.networks
from pandapower_small import SMALL

LIBRARY: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("dickert_long_ohl_multiple_bad", "create_dickert_lv_network",
     {"feeders_range": "long", "linetype": "C&OHL", "customer": "multiple", "case": "bad"}),
    ("cigre_mv_pv_wind", "create_cigre_network_mv", {"with_der": "pv_wind"}),
    ("cigre_mv_all", "create_cigre_network_mv", {"with_der": "all"}),
    ("lv_rural_2", "create_synthetic_voltage_control_lv_network", {"network_class": "rural_2"}),
    ("lv_village_1", "create_synthetic_voltage_control_lv_network", {"network_class": "village_1"}),
    ("lv_village_2", "create_synthetic_voltage_control_lv_network", {"network_class": "village_2"}),
    ("lv_suburb_1", "create_synthetic_voltage_control_lv_network", {"network_class": "suburb_1"}),
    ("mv_oberrhein_generation", "mv_oberrhein", {"scenario": "generation"}),
    ("mv_oberrhein_substations", "mv_oberrhein", {"include_substations": True}),
    ("european_lv_off_peak_1", "ieee_european_lv_asymmetric", {"scenario": "off_peak_1"}),
    ("lv_schutterwald_heat_pumps", "lv_schutterwald", {"include_heat_pumps": True}),
)  # fmt: skip
"""Variants of the library's nets: name, function and arguments."""
PRIVATE = {"create_dickert_lv_feeders", "sorted_from_json"}
ENDS = {
    "line": (("from", "to"),),
    "trafo": (("hv", "lv"),),
    "trafo3w": (("hv", "mv", "lv"),),
    "impedance": (("from", "to"),),
}
INJECTING = ("sgen", "gen", "ext_grid")
TAKING = ("load", "motor", "storage", "asymmetric_load")


def nets() -> dict[str, Callable[[], object]]:
    """Every net, by name: each function of the library with its defaults, its variants, and small ones of our own."""
    found: dict[str, Callable[[], object]] = {}
    for name, function in vars(pandapower.networks).items():
        home = getattr(function, "__module__", "")
        if not inspect.isfunction(function) or not home.startswith("pandapower.networks"):
            continue
        if not name.startswith("_") and name not in PRIVATE:
            found[name] = function
    for name, function_name, arguments in LIBRARY:
        function = getattr(pandapower.networks, function_name)
        found[name] = lambda function=function, arguments=arguments: function(**arguments)
    return {**found, **SMALL}


def solution(net: object, kind: str) -> dict[str, object]:
    """pandapower's own power flow; `error` where it has none."""
    try:
        if kind == "dc":
            pandapower.rundcpp(net)
        else:
            _solve(net)
    except Exception as fault:
        return {"error": f"{type(fault).__name__}: {fault}"[:200]}
    branches = {
        name: {
            str(index): [float(row[f"{power}_{end}_{unit}"]) for end in ends for power, unit in _POWERS]
            for index, row in net[f"res_{name}"].iterrows()
        }
        for name, (ends,) in ENDS.items()
        if len(net[name])
    }
    losses = sum(float(net[f"res_{name}"].pl_mw.sum()) for name in ENDS if len(net[name]))
    return {"bus": _buses(net), "branch": branches, "loss_mw": losses, "slack_mw": _slack(net)}


_POWERS = (("p", "mw"), ("q", "mvar"))


def _solve(net: object) -> None:
    """As exactly as it can be: with 1e-9 MVA left, buses of a weak grid may still be 1e-7 pu off."""
    for tolerance in (1e-12, 1e-11, 1e-10, 1e-9):
        try:
            pandapower.runpp(net, numba=False, lightsim2grid=False, tolerance_mva=tolerance, max_iteration=40)
            return
        except pandapower.LoadflowNotConverged:
            if tolerance == 1e-9:
                raise


def _buses(net: object) -> dict[str, list[float]]:
    """Of each bus vm, va, and what is put in there: active and reactive power without the shunts' part."""
    given = {int(bus): [0.0, 0.0] for bus in net.bus.index}

    def add(element: str, sign: int) -> None:
        for index, row in net[f"res_{element}"].iterrows():
            at = given[int(net[element].bus.at[index])]
            at[0] += sign * numpy.nan_to_num(row["p_mw"])
            at[1] += sign * numpy.nan_to_num(row.get("q_mvar", 0.0))

    for element in (*INJECTING, "asymmetric_sgen"):
        add(element, 1)
    for element in TAKING:
        add(element, -1)
    for element in ("ward", "xward"):
        table = net[element]
        for _, row in table.iterrows():
            if row.in_service and bool(net.bus.in_service.at[row.bus]):
                given[int(row.bus)][0] -= row.ps_mw
                given[int(row.bus)][1] -= row.qs_mvar
    for index, row in net.dcline.iterrows():
        for end in ("from", "to"):
            at = given[int(row[f"{end}_bus"])]
            at[0] -= numpy.nan_to_num(net.res_dcline[f"p_{end}_mw"].at[index])
            at[1] -= numpy.nan_to_num(net.res_dcline[f"q_{end}_mvar"].at[index])
    result = net.res_bus
    return {
        str(bus): [float(result.vm_pu.at[bus]), float(result.va_degree.at[bus]), *map(float, given[int(bus)])]
        for bus in net.bus.index
    }


def _slack(net: object) -> float:
    """What the generators at the buses of reference generators give, also those behind closed switches."""
    lookup = net._pd2ppc_lookups["bus"]
    at = {int(lookup[bus]) for bus in net.ext_grid.bus[net.ext_grid.in_service.astype(bool)]}
    slack = net.gen[net.gen.in_service.astype(bool) & net.gen.slack.astype(bool)]
    at |= {int(lookup[bus]) for bus in slack.bus}
    total = 0.0
    for element in ("ext_grid", "gen"):
        for index, bus in net[element].bus.items():
            if int(lookup[bus]) in at:
                total += float(numpy.nan_to_num(net[f"res_{element}"].p_mw.at[index]))
    return total


def _plain(value: object) -> object:
    """JSON without NaN."""
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def main() -> None:
    warnings.simplefilter("ignore")
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    for name, make in nets().items():
        if wanted and name not in wanted:
            continue
        try:
            net = make()
        except Exception as fault:
            print(f"{name}: pandapower cannot make it: {type(fault).__name__}: {fault}", flush=True)
            continue
        if not isinstance(net, pandapower.pandapowerNet):
            net = net[0]
        path = folder / f"{name}.json"
        pandapower.to_json(net, str(path))
        found = {}
        for kind in ("ac", "dc"):
            found[kind] = _plain(solution(pandapower.from_json(str(path)), kind))
        part = folder / f"{name}.part"
        part.write_text(json.dumps(found))
        os.replace(part, folder / f"{name}.solved")


if __name__ == "__main__":
    main()
