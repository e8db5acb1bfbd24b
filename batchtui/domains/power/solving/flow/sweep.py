"""Power flow of many injections and outages on one grid in one call of lightsim2grid.

What lightsim2grid does not hold is solved singly instead (`one_by_one`).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from batchtui.domains.power.solving.network.grid import Bools, Floats, Grid, Injections, Ints, Voltages
from batchtui.domains.power.solving.network.states import MOST_ITERATIONS, TOLERANCE, States
from batchtui.model import Json


def solve(grid: Grid, given: Injections, *, dc: bool, start: Voltages | None = None) -> States:
    """Solve all rows: Newton's method from `start` (nb; the case's voltages), once more from flat where it fails.

    dc: MATPOWER's linear model instead, susceptance 1/(x·tap), shifts as injections, Gs as load.
    """
    begin = grid.start if start is None else start
    states = _solved(grid, given, dc, begin)
    flat = np.ones_like(begin)
    again = np.flatnonzero(~states.converged)
    if dc or not again.size or np.array_equal(begin, flat):
        return states
    second = _solved(grid, _rows(given, again), dc, flat)
    for name in States.__slots__:
        getattr(states, name)[again] = getattr(second, name)
    states.flat[again] = second.converged
    return states


def _rows(given: Injections, rows: Ints) -> Injections:
    return replace(given, **{name: getattr(given, name)[rows] for name in Injections.__slots__})


def _solved(grid: Grid, given: Injections, dc: bool, start: Voltages) -> States:
    if grid.model is None:
        from batchtui.domains.power.solving.flow.one_by_one import solve_singly

        return solve_singly(grid, given, dc, start)
    pd, qd = given.pd.copy(), given.qd.copy()  # less what is generated at PQ buses
    for gen in np.flatnonzero(grid.gen_fixed):
        pd[:, grid.gen_row[gen]] -= given.pg[:, gen]
        qd[:, grid.gen_row[gen]] -= given.qg[:, gen]
    sweep = _swept(grid, replace(given, pd=pd, qd=qd), dc, start, grid.model)
    if not sweep.nb_solved():
        # Nothing was tried, since the idle grid has no solution: that of the first row may have one.
        sweep = _swept(
            grid, replace(given, pd=pd, qd=qd), dc, start, _loaded(grid, pd[0], qd[0], given.pg[0])
        )
    pf, qf, pt, qt = _flows(sweep, dc, given.branch_out | ~grid.branch_on)
    made = sweep.get_gen_results().copy()
    made[:, grid.gen_fixed, 0] = given.pg[:, grid.gen_fixed]
    made[:, grid.gen_fixed, 1] = given.qg[:, grid.gen_fixed]
    voltages = sweep.get_voltages().copy()
    voltages[:, ~grid.bus_on] = math.nan
    converged = np.array(sweep.converged_mask(), dtype=bool)
    return States(
        converged=converged,
        iterations=sweep.get_row_nb_iter().astype(np.int64).reshape(-1),
        flat=np.zeros_like(converged),
        vm=np.ones(voltages.shape) * np.where(grid.bus_on, 1.0, math.nan) if dc else np.abs(voltages),
        va=np.degrees(np.angle(voltages)) + grid.angle,
        pf=pf,
        qf=qf,
        pt=pt,
        qt=qt,
        pg=made[..., 0],
        qg=made[..., 1],
        pd=given.pd.copy(),
        qd=given.qd.copy(),
        voltages=voltages,
    )


def _swept(grid: Grid, given: Injections, dc: bool, start: Voltages, model: Json) -> Json:
    """The sweep of lightsim2grid after its run. What it gives back as arrays may be memory of its own."""
    from lightsim2grid.algorithm import AlgorithmType
    from lightsim2grid.lightsim2grid_cpp import ScenarioSweepCPP

    sweep = ScenarioSweepCPP(model)
    if dc:
        there = AlgorithmType.DC_KLU in sweep.available_default_algorithms()
        sweep.change_algorithm(AlgorithmType.DC_KLU if there else AlgorithmType.DC_SparseLU)
    sweep.modify_load_p(np.ascontiguousarray(given.pd))
    sweep.modify_load_q(np.ascontiguousarray(given.qd))
    sweep.modify_gen_p(np.ascontiguousarray(given.pg))
    if given.branch_out.any():
        sweep.set_contingency_trafos(np.ascontiguousarray(given.branch_out))
    if given.gen_out.any():
        sweep.set_contingency_gens(np.ascontiguousarray(given.gen_out & grid.gen_on & ~grid.gen_fixed))
    sweep.compute_gen_results = True
    sweep.compute(start.copy(), MOST_ITERATIONS, TOLERANCE)
    return sweep


def _loaded(grid: Grid, pd: Floats, qd: Floats, pg: Floats) -> Json:
    """The grid's model with these injections as its own state."""
    model = grid.model.copy()
    for bus in np.flatnonzero(grid.bus_on).tolist():
        model.change_p_load(bus, float(pd[bus]))
        model.change_q_load(bus, float(qd[bus]))
    for gen in np.flatnonzero(grid.gen_on & ~grid.gen_fixed).tolist():
        model.change_p_gen(gen, float(pg[gen]))
    return model


def _flows(sweep: Json, dc: bool, out: Bools) -> tuple[Floats, Floats, Floats, Floats]:
    """Active and reactive power at the from end, then at the to end, each (n, nl)."""
    if dc:  # a quarter of the memory, which is what takes the time
        sweep.compute_power_flows()
        pf: Floats = sweep.get_power_flows().copy()  # it is the sweep's own memory
        pf[out] = math.nan
        zero = pf * 0.0
        return pf, zero, -pf, zero
    flows: Floats = sweep.compute_branch_results()
    flows[out] = math.nan
    return flows[..., 0], flows[..., 1], flows[..., 2], flows[..., 3]
