"""Tasks `dcopf` and `acopf`: PYPOWER's interior point (MIPS), one scenario after the other.

DC-OPF takes MATPOWER's susceptances, or those of PowerModels (`dc_model`), with which pglib-opf's results are
published. An AC-OPF that does not converge is tried once more with step control.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from batchtui.model import Json
from batchtui.work.power.case import BR_STATUS, BUS_TYPE, GEN_STATUS, PD, PMAX, PMIN, PV, QD, REF, bus_rows
from batchtui.work.power.fault import Fault
from batchtui.work.power.grid import Floats, Grid, grid_of, powermodels_branches
from batchtui.work.power.scenario import Scenario
from batchtui.work.power.solution import (
    Solution,
    State,
    branch_table,
    bus_table,
    loadings,
    net,
    summaries,
)

STEP_CONTROL: Final = 565  # PYPOWER's OPF_ALG: the interior point with step control
BINDING: Final = 1e-6
"""$/MWh from which on a branch's shadow price counts."""


def solve_opf(scenarios: Sequence[Scenario]) -> Iterator[Solution | Fault]:
    """Solve the scenarios; one without a solution gives a Fault: infeasible or not_converged."""
    first = scenarios[0]
    dc = first.options.is_linear
    grid = grid_of(first.case, first.root, first.options.dc_model)
    for scenario in scenarios:
        yield _solved(grid, scenario, dc)


def tables_of(scenario: Scenario) -> dict[str, Json]:
    """The scenario as PYPOWER takes a case."""
    case = scenario.case
    bus, gen = np.array(case.bus), np.array(case.gen)
    branch = np.array(case.branch, dtype=float).reshape(-1, 13)
    if scenario.options.dc_model == "powermodels":
        branch = powermodels_branches(branch)
    places = bus_rows(case)
    for number, (p, q, _) in scenario.loads.items():
        bus[places[number], [PD, QD]] = p, q
    bus[:, [PD, QD]] *= scenario.options.load_scale
    bus[bus[:, BUS_TYPE] == REF, BUS_TYPE] = PV
    bus[scenario.root, BUS_TYPE] = REF
    branch[list(scenario.outages.branches), BR_STATUS] = 0
    gen[list(scenario.outages.generators), GEN_STATUS] = 0
    width = max(map(len, case.gencost))
    cost = np.array([row + [0.0] * (width - len(row)) for row in case.gencost])
    return {
        "version": "2", "baseMVA": case.baseMVA, "bus": bus, "gen": gen, "branch": branch, "gencost": cost,
    }  # fmt: skip


def _solved(grid: Grid, scenario: Scenario, dc: bool) -> Solution | Fault:
    tables = tables_of(scenario)
    demand = float(tables["bus"][grid.bus_on, PD].sum())
    on = (tables["gen"][:, GEN_STATUS] > 0) & grid.bus_on[grid.gen_row]
    most, least = float(tables["gen"][on, PMAX].sum()), float(tables["gen"][on, PMIN].sum())
    if demand > most:
        return Fault("infeasible", f"the load of {demand:.6g} MW is above all generators' {most:.6g} MW")
    if dc and demand < least:
        return Fault(
            "infeasible", f"the load of {demand:.6g} MW is below the generators' least, {least:.6g} MW"
        )
    found = _run(tables, dc, 0)
    fallback = not dc and not found["success"]
    if fallback:
        found = _run(tables, dc, STEP_CONTROL)
    if not found["success"]:
        return _unsolved(found, dc)
    solution = _solution(grid, found, dc)
    if fallback:
        solution.summary["fallback"] = "step control"
    return solution


def _run(tables: dict[str, Json], dc: bool, algorithm: int) -> dict[str, Json]:
    from pypower.api import ppoption, rundcopf, runopf

    options = ppoption(VERBOSE=0, OUT_ALL=0, OPF_ALG=algorithm)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found: dict[str, Json] = (rundcopf if dc else runopf)(tables, options)
        except np.linalg.LinAlgError:
            return {"success": False}
    return found


def _unsolved(found: dict[str, Json], dc: bool) -> Fault:
    """Whether the limits of a DC-OPF leave any dispatch at all is told by HiGHS; an AC-OPF cannot be told apart."""
    if not dc:
        return Fault("not_converged", "no optimal dispatch was found; perhaps the limits leave none at all")
    if "om" in found:
        from scipy.optimize import Bounds, LinearConstraint, milp

        rows, low, high = found["om"].linear_constraints()
        _, least, most = found["om"].getv()
        told = milp(
            np.zeros(rows.shape[1]), constraints=LinearConstraint(rows, low, high), bounds=Bounds(least, most)
        )
        if told.status == 2:
            return Fault("infeasible", "no dispatch keeps the limits of generators and branches")
    return Fault("not_converged", "no optimal dispatch was found")


def _solution(grid: Grid, found: dict[str, Json], dc: bool) -> Solution:
    from pypower.idx_brch import MU_SF, MU_ST, PF, PT, QF, QT
    from pypower.idx_bus import LAM_P, VA, VM
    from pypower.idx_gen import PG, QG

    bus, gen, branch = found["bus"], found["gen"], found["branch"]
    bus = np.where(grid.bus_on[:, None], bus, np.nan)
    on = (gen[:, GEN_STATUS] > 0) & grid.bus_on[grid.gen_row]
    out = (branch[:, BR_STATUS] <= 0) | ~grid.branch_on
    flows = np.where(out[:, None], np.nan, branch[:, [PF, QF, PT, QT]])
    made = np.where(on[:, None], gen[:, [PG, QG * (not dc)]], 0.0)
    used = np.where(grid.bus_on[:, None], bus[:, [PD, QD]], 0.0)

    def row(values: Floats) -> Floats:
        return values[None, :]

    state = State(
        vm=row(np.where(grid.bus_on, 1.0, np.nan) if dc else bus[:, VM]),
        va=row(bus[:, VA]),
        pf=row(flows[:, 0]),
        qf=row(flows[:, 1]),
        pt=row(flows[:, 2]),
        qt=row(flows[:, 3]),
        pg=row(made[:, 0]),
        qg=row(made[:, 1] * (not dc)),
        pd=row(used[:, 0]),
        qd=row(used[:, 1] * (not dc)),
    )
    loading = loadings(grid, state.pf, state.qf, state.pt, state.qt)
    price = np.abs(branch[:, MU_SF]) + np.abs(branch[:, MU_ST])
    branches = branch_table(grid, state, loading, 0)
    branches["shadow_price"] = np.where(out | (price < BINDING), 0.0, price)
    buses = bus_table(grid, state, net(grid, state.pg, state.pd), net(grid, state.qg, state.qd), 0)
    buses["lmp"] = bus[:, LAM_P]
    output = (found.get("raw") or {}).get("output") or {}
    summary: dict[str, Json] = {
        "iterations": int(output["iterations"]) if "iterations" in output else None,
        "converged": True,
        "objective": float(found["f"]),
        **summaries(grid, state, loading, dc=dc)[0],
    }
    generators: dict[str, Json] = {
        "gen_id": np.arange(1, len(gen) + 1),
        "bus_id": grid.bus_id[grid.gen_row],
        "p_mw": state.pg[0],
        "q_mvar": state.qg[0],
    }
    return Solution(summary, {"branch": branches, "bus": buses, "gen": generators})
