"""Tasks `dc` and `ac`: power flow of many scenarios of one grid in one call."""

from __future__ import annotations

import time
from collections.abc import Sequence

from batchtui.domains.power.fault import Fault
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
from batchtui.domains.power.solving.flow.sweep import solve
from batchtui.domains.power.solving.network.demand import followed
from batchtui.domains.power.solving.network.grid import Grid, Injections, grid_of, injections_of
from batchtui.domains.power.solving.network.states import MOST_ITERATIONS, States
from batchtui.model import Json
from batchtui.results.scenarios.columns import Columns


def solve_flows(scenarios: Sequence[Scenario]) -> list[Solution | Fault]:
    """Solve scenarios of one grid with the same options, in their order.

    A scenario that does not converge gives a Fault (not_converged). Raises Fault where the grid is at fault.
    """
    begin = time.perf_counter()
    first = scenarios[0]
    dc = first.options.is_linear
    grid = grid_of(first.case, first.roots, first.options.dc_model)
    given = injections_of(grid, scenarios)
    states = solve(grid, given, dc=dc)
    state = state_of(grid, states, given, dc)
    loading = loadings(grid, state.pf, state.qf, state.pt, state.qt)
    p, q = net(grid, state.pg, state.pd), net(grid, state.qg, state.qd)
    if dc:
        q[:] = 0.0
    share = round((time.perf_counter() - begin) * 1000 / len(scenarios), 3)
    found: list[Solution | Fault] = []
    for number, summary in enumerate(summaries(grid, state, loading, dc=dc)):
        if not states.converged[number]:
            found.append(not_converged(grid, dc))
            continue
        tables: dict[str, Columns] = {
            "branch": branch_table(grid, state, loading, number),
            "bus": bus_table(grid, state, p, q, number),
        }
        found.append(Solution({**outcome(states, number), **summary, "duration_ms": share}, tables))
    return found


def state_of(grid: Grid, states: States, given: Injections, dc: bool) -> State:
    """The solved states with the demand that they serve."""
    joined_pd, joined_qd = given.joined_pd, given.joined_qd * (not dc)
    if grid.joined is not None and grid.case.beyond.shares and not dc:
        at = grid.joined.at
        active, reactive, _, _ = followed(grid.shares[at], states.vm[:, at])
        joined_pd, joined_qd = joined_pd * active, joined_qd * reactive
    return State(
        states.vm, states.va, states.pf, states.qf, states.pt, states.qt, states.pg, states.qg,
        states.pd, states.qd, joined_pd, joined_qd,
    )  # fmt: skip


def outcome(states: States, number: int) -> dict[str, Json]:
    """How the solver came to row `number`."""
    found: dict[str, Json] = {"iterations": int(states.iterations[number]), "converged": True}
    if states.flat[number]:
        found["fallback"] = "flat start"
    return found


def not_converged(grid: Grid, dc: bool) -> Fault:
    if dc:
        return Fault("not_converged", "the DC equations have no single solution")
    return Fault(
        "not_converged",
        f"the power flow did not converge in {MOST_ITERATIONS} iterations, from the case's voltages or a flat start",
    )
