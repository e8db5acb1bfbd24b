"""Tasks `dcopf` and `acopf`: the interior point of PYPOWER (`opf_solver`), one scenario after the other.

DC-OPF takes MATPOWER's susceptances, or those of PowerModels (`dc_model`), with which pglib-opf's results are
published. An OPF that does not converge is tried once more with step control.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import BR_R, GS, PD, PMAX, PMIN, QD, QMAX, QMIN, RATE_A
from batchtui.domains.power.scenarios.scenario import Scenario
from batchtui.domains.power.solution import (
    Solution,
    State,
    branch_table,
    bus_table,
    loadings,
    net,
    summaries,
)
from batchtui.domains.power.solving.network.grid import Floats, Grid, Injections, grid_of, injections_of
from batchtui.domains.power.solving.network.in_service import InService, in_service
from batchtui.domains.power.solving.optimal.opf_problem import Problem, problem_of
from batchtui.domains.power.solving.optimal.opf_solver import Optimum, solve
from batchtui.model import Json

BINDING: Final = 1e-6
"""$/MWh from which on a branch's shadow price counts."""


def solve_opf(scenarios: Sequence[Scenario]) -> Iterator[Solution | Fault]:
    """Solve the scenarios; one without a solution gives a Fault: infeasible or not_converged."""
    first = scenarios[0]
    dc = first.options.is_linear
    grid = grid_of(first.case, first.roots, first.options.dc_model)
    for scenario in scenarios:
        try:
            yield _solved(grid, scenario, dc)
        except Fault as fault:  # costs that this scenario cannot be solved with
            yield fault


def problem_for(grid: Grid, scenario: Scenario, given: Injections, *, dc: bool) -> Problem:
    """The problem of a scenario on its grid. Raises Fault (bad_input)."""
    part = in_service(grid, given.branch_out[0], given.gen_out[0])
    part.bus[:, PD], part.bus[:, QD] = given.pd[0, part.at_bus], given.qd[0, part.at_bus]
    case = scenario.case
    return problem_of(part, case.gencost, len(case.gen), case.baseMVA, dc=dc)


def _solved(grid: Grid, scenario: Scenario, dc: bool) -> Solution | Fault:
    given = injections_of(grid, [scenario])
    problem = problem_for(grid, scenario, given, dc=dc)
    fault = _hopeless(problem.part, dc)
    if fault is not None:
        return fault
    found = solve(problem)
    fallback = not found.found
    if fallback:
        found = solve(problem, step_control=True)
    if not found.found:
        return _unsolved(problem)
    solution = _solution(grid, given, problem, found)
    if fallback:
        solution.summary["fallback"] = "step control"
    if problem.costs.not_convex:
        rows = ", ".join(map(str, problem.costs.not_convex[:5]))
        solution.summary["notes"] = [
            f"costs that bend down (gencost row {rows}): other dispatches may cost less than this"
        ]
    return solution


def _hopeless(part: InService, dc: bool) -> Fault | None:
    """What can be told before anything is solved."""
    shunts = part.bus[:, GS]
    demand = float(part.bus[:, PD].sum() + shunts.sum() * dc)
    most, least = float(part.gen[:, PMAX].sum()), float(part.gen[:, PMIN].sum())
    giving = not dc and bool((shunts < 0).any() or (part.branch[:, BR_R] < 0).any())  # as equivalents may
    if demand > most and not giving:
        return Fault("infeasible", f"the load of {demand:.6g} MW is above all generators' {most:.6g} MW")
    if dc:
        if demand < least:
            words = f"the load of {demand:.6g} MW is below the generators' least, {least:.6g} MW"
            return Fault("infeasible", words)
        return None
    served = (part.gen[:, PMIN] < 0) & (part.gen[:, PMAX] == 0)  # MATPOWER's dispatchable loads
    both = np.flatnonzero(served & (part.gen[:, QMIN] != 0) & (part.gen[:, QMAX] != 0))
    if both.size:
        row = int(part.at_gen[both[0]]) + 1
        words = "is a dispatchable load (Pmax 0, Pmin below), so Qmin or Qmax must be 0: they give its power factor"
        return Fault("bad_input", f"gen row {row}: {words}")
    return None


def _unsolved(problem: Problem) -> Fault:
    """Whether the limits of a DC-OPF leave any dispatch at all is told by HiGHS; an AC-OPF cannot be told apart."""
    if not problem.dc:
        return Fault("not_converged", "no optimal dispatch was found; perhaps the limits leave none at all")
    from scipy.optimize import Bounds, LinearConstraint, milp

    told = milp(
        np.zeros(problem.rows.shape[1]),
        constraints=LinearConstraint(problem.rows, problem.low, problem.high),
        bounds=Bounds(problem.least, problem.most),
    )
    if told.status == 2:
        return Fault("infeasible", "no dispatch keeps the limits of generators and branches")
    return Fault("not_converged", "no optimal dispatch was found")


def _solution(grid: Grid, given: Injections, problem: Problem, found: Optimum) -> Solution:
    dc, part = problem.dc, problem.part
    state = _state(grid, given, problem, found.x)
    loading = loadings(grid, state.pf, state.qf, state.pt, state.qt)
    lmp, price = _prices(problem, found)
    branches = branch_table(grid, state, loading, 0)
    branches["shadow_price"] = _spread(price, part.at_branch, len(grid.branch), 0.0)
    p, q = net(grid, state.pg, state.pd), net(grid, state.qg, state.qd)
    buses = bus_table(grid, state, p, q, 0, lmp=_spread(lmp, part.at_bus, len(grid.bus), np.nan))
    summary: dict[str, Json] = {
        "iterations": found.steps,
        "converged": True,
        "objective": problem.costs.total(found.x),
        **summaries(grid, state, loading, dc=dc)[0],
    }
    generators: dict[str, Json] = {
        "gen_id": np.arange(1, len(grid.gen) + 1),
        "bus_id": grid.gen[:, 0].astype(np.int64),
        "p_mw": state.pg[0],
        "q_mvar": state.qg[0],
    }
    return Solution(summary, {"branch": branches, "bus": buses, "gen": generators})


def _spread(values: Floats, at: Json, size: int, otherwise: float) -> Floats:
    """Values of what is in service, over all rows of the case."""
    found = np.full(size, otherwise)
    found[at] = values
    return found


def _state(grid: Grid, given: Injections, problem: Problem, x: Floats) -> State:
    """The state over all rows of the case, as one row."""
    from pypower.api import makeBdc

    from batchtui.domains.power.solving.network.admittances import admittances

    part, base, dc = problem.part, problem.base, problem.dc
    angle = x[problem.columns("Va")]
    ends = part.branch[:, :2].astype(np.int64)
    if dc:
        _, flows, _, shifts = makeBdc(base, part.bus, part.branch)
        size, begin = np.ones(len(angle)), (flows * angle + shifts).astype(complex) * base
        end = -begin
        reactive = np.zeros(len(part.gen))
    else:
        size = x[problem.columns("Vm")]
        voltage = size * np.exp(1j * angle)
        _, from_end, to_end = admittances(base, part)
        begin = voltage[ends[:, 0]] * np.conj(from_end @ voltage) * base
        end = voltage[ends[:, 1]] * np.conj(to_end @ voltage) * base
        reactive = x[problem.columns("Qg")] * base

    def branches(values: Floats) -> Floats:
        return _spread(values, part.at_branch, len(grid.branch), np.nan)[None, :]

    def buses(values: Floats, otherwise: float = np.nan) -> Floats:
        return _spread(values, part.at_bus, len(grid.bus), otherwise)[None, :]

    def generators(values: Floats) -> Floats:
        return _spread(values, part.at_gen, len(grid.gen), 0.0)[None, :]

    return State(
        vm=buses(size),
        va=buses(np.degrees(angle)),
        pf=branches(begin.real),
        qf=branches(begin.imag),
        pt=branches(end.real),
        qt=branches(end.imag),
        pg=generators(x[problem.columns("Pg")] * base),
        qg=generators(reactive),
        pd=buses(part.bus[:, PD], 0.0),
        qd=buses(part.bus[:, QD] * (not dc), 0.0),
        joined_pd=given.joined_pd,
        joined_qd=given.joined_qd * (not dc),
    )


def _prices(problem: Problem, found: Optimum) -> tuple[Floats, Floats]:
    """$/MWh of one MW more at each bus, and of one MVA more of each branch's rating."""
    base, part, rated = problem.base, problem.part, problem.rated
    price = np.zeros(len(part.branch))
    if problem.dc:
        rows = problem.model.get_idx()[1]
        force = found.multipliers["mu_u"] - found.multipliers["mu_l"]

        def block(name: str) -> Floats:
            return force[rows["i1"][name] : rows["iN"][name]] / base

        lmp = block("Pmis")
        if rated.size:
            price[rated] = np.abs(block("Pf")) + np.abs(block("Pt"))
    else:
        lmp = found.multipliers["eqnonlin"][: len(part.bus)] / base
        if rated.size:
            squared = found.multipliers["ineqnonlin"].reshape(2, -1).sum(axis=0)  # of the limit squared
            price[rated] = 2 * squared * part.branch[rated, RATE_A] / base**2
    price[price < BINDING] = 0.0
    return lmp, price
