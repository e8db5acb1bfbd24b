"""Task `ac` on power-grid-model's own grids: many scenarios in one batch calculation of that library."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import ANGMAX, BR_STATUS, BUS_I, F_BUS, RATE_A, T_BUS, VMAX, VMIN
from batchtui.domains.power.readers.pgm import BRANCHES, GENERATORS, PgmCase
from batchtui.domains.power.scenarios.scenario import Scenario
from batchtui.domains.power.solution import FULL, VOLTAGE_SLACK, Solution
from batchtui.model import Json

_MEGA: Final = 1e6
_TOLERANCE: Final = 1e-10
_MOST_ITERATIONS: Final = 50
_ENDS: Final = ("p_from", "q_from", "p_to", "q_to")


def solve_pgm(scenarios: Sequence[Scenario]) -> list[Solution | Fault]:
    """Solve scenarios of one grid with the same options, in their order; Newton's method of power-grid-model.

    A scenario that does not converge gives a Fault (not_converged). Raises Fault for a task that is not `ac`, and
    where power-grid-model refuses the grid.
    """
    from power_grid_model import PowerGridModel

    begin = time.perf_counter()
    first = scenarios[0]
    if first.options.task != "ac":
        message = f"power-grid-model does ac only; for {first.options.task} bring the grid as MATPOWER or pandapower"
        raise Fault("bad_input", message, first.grid)
    if first.options.slack is not None:
        raise Fault("bad_input", "slack: the sources of a PGM grid are its references", first.grid)
    case = cast(PgmCase, first.case)
    data, update = _batch(case, scenarios)
    try:
        model = PowerGridModel(data)
        found = model.calculate_power_flow(
            update_data=update,
            error_tolerance=_TOLERANCE,
            max_iterations=_MOST_ITERATIONS,
            continue_on_batch_error=True,
        )
    except Exception as fault:  # its own classes, imported with it
        words = str(fault).strip().partition("\n")[0]
        raise Fault("bad_input", f"power-grid-model refuses the grid ({words[:160]})", first.grid) from None
    failed = _failed(model.batch_error)
    share = round((time.perf_counter() - begin) * 1000 / len(scenarios), 3)
    return [
        failed.get(n) or _solution(case, scenario, {name: rows[n] for name, rows in found.items()}, share)
        for n, scenario in enumerate(scenarios)
    ]


def _batch(case: PgmCase, scenarios: Sequence[Scenario]) -> tuple[dict[str, Json], dict[str, Json]]:
    """The grid, and what each scenario changes of it.

    A row of a loads file switches the loads of its node off and sets one of our own there.
    """
    from power_grid_model import DatasetType, LoadGenType, initialize_array

    data = dict(case.data)
    shift = int(case.bus[0][BUS_I]) - int(data["node"]["id"][0])
    nodes = sorted({bus - shift for scenario in scenarios for bus in scenario.loads})
    old = data.get("sym_load")
    given = 0 if old is None else len(old)
    loads = initialize_array(DatasetType.input, "sym_load", given + len(nodes))
    if old is not None:
        loads[:given] = old
    top = max(int(rows["id"].max()) for rows in data.values())
    loads["id"][given:] = range(top + 1, top + 1 + len(nodes))
    loads["node"][given:] = nodes
    loads["status"][given:] = 0
    loads["type"][given:] = LoadGenType.const_power
    loads["p_specified"][given:] = loads["q_specified"][given:] = 0.0
    data["sym_load"] = loads
    update: dict[str, Json] = {}
    for name in ("sym_load", *GENERATORS, *BRANCHES):
        if len(data.get(name, ())):
            update[name] = _rows(name, data[name], len(scenarios))
    place = {node: given + n for n, node in enumerate(nodes)}
    for n, scenario in enumerate(scenarios):
        rows = update["sym_load"][n] if "sym_load" in update else loads
        for bus, (p, q, _) in scenario.loads.items():
            rows["status"][:given][loads["node"][:given] == bus - shift] = 0
            own = place[bus - shift]
            rows["status"][own], rows["p_specified"][own], rows["q_specified"][own] = 1, p * _MEGA, q * _MEGA
        rows["p_specified"] *= scenario.options.load_scale
        rows["q_specified"] *= scenario.options.load_scale
        if "sym_gen" in update:
            update["sym_gen"][n]["p_specified"] *= scenario.options.generation_scale
        _switch_off(update, n, BRANCHES, scenario.outages.branches, ("from_status", "to_status"))
        _switch_off(update, n, GENERATORS, scenario.outages.generators, ("status",))
    return data, update


def _rows(name: str, given: Json, scenarios: int) -> Json:
    """An update of every component of this name in every scenario that changes nothing yet."""
    from power_grid_model import DatasetType, initialize_array

    rows = initialize_array(DatasetType.update, name, (scenarios, len(given)))
    for column in ("id", "status", "from_status", "to_status", "p_specified", "q_specified"):
        if column in (rows.dtype.names or ()):
            rows[column] = given[column]
    return rows


def _switch_off(
    update: dict[str, Json], number: int, names: Sequence[str], places: Sequence[int], switches: Sequence[str]
) -> None:
    """`places` count through the components of `names`."""
    first = 0
    for name in names:
        if name not in update:
            continue
        rows = update[name][number]
        for place in places:
            if first <= place < first + len(rows):
                for switch in switches:
                    rows[switch][place - first] = 0
        first += len(rows)


def _failed(error: Json) -> dict[int, Solution | Fault]:
    """By scenario."""
    if error is None:
        return {}
    words = [str(message).strip().partition("\n")[0][:160] for message in error.error_messages]
    return {
        int(number): Fault("not_converged", f"power-grid-model: {said}")
        for number, said in zip(error.failed_scenarios, words, strict=True)
    }


def _solution(case: PgmCase, scenario: Scenario, found: dict[str, Json], share: float) -> Solution:
    """`found`: rows by component, of this scenario; `share`: its milliseconds."""
    branch, bus = _branches(case, scenario, found), _buses(case, found)
    slack, made = (
        float(sum(found[name]["p"].sum() for name in names if name in found)) / _MEGA
        for names in (("source",), GENERATORS)
    )
    summary: dict[str, Json] = {
        "converged": True,
        "load_mw": float(found["sym_load"]["p"].sum()) / _MEGA if "sym_load" in found else 0.0,
        "gen_mw": made,
        "loss_mw": float(np.nansum(branch["loss_mw"])),
        "slack_mw": slack,
        **_voltages(bus),
        "duration_ms": share,
    }
    loading = branch["loading_pct"]
    if np.isfinite(loading).any():
        worst = int(np.nanargmax(loading))
        summary["loading_max_pct"], summary["loading_max_branch"] = float(loading[worst]), worst + 1
        summary["n_overloads"] = int((loading > FULL).sum())
    return Solution(summary, {"branch": branch, "bus": bus})


def _branches(case: PgmCase, scenario: Scenario, found: dict[str, Json]) -> dict[str, Json]:
    """The branch table; what is out of service has no flows, what has no rating no loading."""
    order = [name for name in BRANCHES if name in found]
    rows = np.array(case.branch).reshape(-1, ANGMAX + 1)
    off = rows[:, BR_STATUS] <= 0
    off[list(scenario.outages.branches)] = True

    def joined(column: str, factor: float, known: NDArray[np.bool_]) -> Json:
        values = [found[name][column] for name in order]
        return np.where(known, np.concatenate(values) * factor if values else np.zeros(0), np.nan)

    p_from, q_from, p_to, q_to = (joined(column, 1 / _MEGA, ~off) for column in _ENDS)
    return {
        "branch_id": np.arange(1, len(rows) + 1),
        "from_bus": rows[:, F_BUS].astype(int),
        "to_bus": rows[:, T_BUS].astype(int),
        "flow_mw": p_from,
        "q_from_mvar": q_from,
        "p_to_mw": p_to,
        "q_to_mvar": q_to,
        "loading_pct": joined("loading", 100.0, ~off & (rows[:, RATE_A] > 0)),
        "loss_mw": p_from + p_to,
    }


def _buses(case: PgmCase, found: dict[str, Json]) -> dict[str, Json]:
    rows, node = np.array(case.bus), found["node"]
    live = node["energized"] == 1
    return {
        "bus_id": rows[:, BUS_I].astype(int),
        "vm_pu": np.where(live, node["u_pu"], np.nan),
        "va_deg": np.where(live, np.degrees(node["u_angle"]), np.nan),
        "p_mw": node["p"] / _MEGA,
        "q_mvar": node["q"] / _MEGA,
        "vmin": rows[:, VMIN],
        "vmax": rows[:, VMAX],
    }


def _voltages(bus: dict[str, Json]) -> dict[str, Json]:
    vm, seen = bus["vm_pu"], np.round(bus["vm_pu"], 9)  # so that of equal voltages the first is named
    low, high = int(np.nanargmin(seen)), int(np.nanargmax(seen))
    outside = (vm < bus["vmin"] - VOLTAGE_SLACK) | (vm > bus["vmax"] + VOLTAGE_SLACK)
    return {
        "vm_min": float(vm[low]),
        "vm_min_bus": int(bus["bus_id"][low]),
        "vm_max": float(vm[high]),
        "vm_max_bus": int(bus["bus_id"][high]),
        "n_vm_violations": int(outside.sum()),
    }
