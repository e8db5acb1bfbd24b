"""Power flow of what a sweep of lightsim2grid cannot hold, one scenario after the other, some 10 ms each.

- Several buses that hold their angle, in parts of a grid that are not joined, or in one part: as in MATPOWER each
  reference bus keeps its voltage and its angle, and its first generator takes the rest.
- Demand that follows the voltage, and branches whose ends differ (`Beyond`).

Newton's method (`admittances`) and PYPOWER's linear model.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.solving.network.admittances import admittances, newton
from batchtui.domains.power.solving.network.demand import Demand
from batchtui.domains.power.solving.network.grid import Floats, Grid, Injections, Ints, Voltages
from batchtui.domains.power.solving.network.in_service import InService, in_service
from batchtui.domains.power.solving.network.states import MOST_ITERATIONS, TOLERANCE, States

_FLOWS: Final = ("pf", "qf", "pt", "qt")


def solve_singly(grid: Grid, given: Injections, dc: bool, start: Voltages) -> States:
    """Solve all rows from `start`. As `sweep.solve`, without its second try."""
    count, nb, ng, nl = len(given.pd), len(grid.bus), len(grid.gen), len(grid.branch)
    states = States(
        converged=np.zeros(count, dtype=bool),
        iterations=np.zeros(count, dtype=np.int64),
        flat=np.zeros(count, dtype=bool),
        vm=np.full((count, nb), np.nan),
        va=np.full((count, nb), np.nan),
        voltages=np.full((count, nb), np.nan, dtype=complex),
        pg=np.zeros((count, ng)),
        qg=np.zeros((count, ng)),
        pd=given.pd.copy(),
        qd=given.qd.copy(),
        **{name: np.full((count, nl), np.nan) for name in _FLOWS},
    )
    begin = start * np.exp(1j * np.radians(grid.angle))
    for number in range(count):
        one = _one(grid, given, number, begin)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            (_linear if dc else _newton)(grid, one, states, number)
    return states


@dataclass(slots=True)
class _One:
    """One scenario on what is in service; powers in pu."""

    part: InService
    made: Voltages  # at each bus
    demand: Demand
    given: Voltages  # by each generator
    start: Voltages
    ref: Ints
    pv: Ints
    pq: Ints


def _one(grid: Grid, given: Injections, row: int, start: Voltages) -> _One:
    part = in_service(grid, given.branch_out[row], given.gen_out[row])
    bus, gen_bus, base = part.bus, part.gen_bus, grid.case.baseMVA
    fed = np.isin(np.arange(len(bus)), gen_bus)
    kind = np.where(fed, bus[:, idx.BUS_TYPE], idx.PQ)
    made = (given.pg[row, part.at_gen] + 1j * given.qg[row, part.at_gen]) / base
    demand = Demand((given.pd[row, part.at_bus] + 1j * given.qd[row, part.at_bus]) / base, part.shares)
    power = np.zeros(len(bus), dtype=complex)
    np.add.at(power, gen_bus, made)
    size = np.abs(start[part.at_bus])
    held = np.flatnonzero(kind[gen_bus] != idx.PQ)
    size[gen_bus[held]] = part.gen[held, idx.VG]
    turn = np.where(kind == idx.REF, np.radians(bus[:, idx.VA]), np.angle(start[part.at_bus]))
    ref, pv, pq = (np.flatnonzero(kind == wanted) for wanted in (idx.REF, idx.PV, idx.PQ))
    return _One(part, power, demand, made, size * np.exp(1j * turn), ref, pv, pq)


def _newton(grid: Grid, one: _One, states: States, row: int) -> None:
    base, at_bus = grid.case.baseMVA, one.part.at_bus
    whole, from_end, to_end = admittances(base, one.part)
    try:
        found, steps = newton(
            whole, one.made, one.demand, one.start, one.pv, one.pq, TOLERANCE, MOST_ITERATIONS
        )
    except (np.linalg.LinAlgError, RuntimeError):  # a matrix that has no inverse
        return
    states.iterations[row] = MOST_ITERATIONS if steps is None else steps
    states.converged[row] = steps is not None and bool(np.isfinite(found).all())
    for name, admittance, end in (("f", from_end, idx.F_BUS), ("t", to_end, idx.T_BUS)):
        flow = found[one.part.branch[:, end].astype(int)] * np.conj(admittance @ found) * base
        getattr(states, f"p{name}")[row, one.part.at_branch] = flow.real
        getattr(states, f"q{name}")[row, one.part.at_branch] = flow.imag
    used = one.demand.at(np.abs(found))
    states.pd[row, at_bus], states.qd[row, at_bus] = used.real * base, used.imag * base
    injected = found * np.conj(whole @ found) + used
    _keep(grid, one, states, row, found, injected, np.abs(found))


def _linear(grid: Grid, one: _One, states: States, row: int) -> None:
    from pypower.api import dcpf, makeBdc

    base = grid.case.baseMVA
    whole, ends, shifted, shifts = makeBdc(base, one.part.bus, one.part.branch)
    shunts = one.part.bus[:, idx.GS] / base
    power = one.made.real - one.demand.power.real
    try:
        angles = dcpf(whole, power - shifted - shunts, np.angle(one.start), one.ref, one.pv, one.pq)
    except (np.linalg.LinAlgError, RuntimeError):
        return
    states.iterations[row] = 1
    states.converged[row] = bool(np.isfinite(angles).all())
    flow = (ends * angles + shifts) * base
    states.pf[row, one.part.at_branch], states.pt[row, one.part.at_branch] = flow, -flow
    states.qf[row, one.part.at_branch] = states.qt[row, one.part.at_branch] = 0.0
    injected = whole * angles + shifted + shunts + one.demand.power.real + 1j * one.made.imag
    _keep(grid, one, states, row, np.exp(1j * angles), injected, np.ones(len(angles)))


def _keep(
    grid: Grid, one: _One, states: States, row: int, found: Voltages, injected: Voltages, vm: Floats
) -> None:
    """Fill in voltages, and what generators give; `injected`: what they have to give together at each bus."""
    turned = found * np.exp(-1j * np.radians(grid.angle))
    states.voltages[row, one.part.at_bus] = turned
    states.vm[row, one.part.at_bus] = vm
    states.va[row, one.part.at_bus] = np.degrees(np.angle(turned)) + grid.angle
    made = one.given.copy()
    rest = injected - one.made
    for bus in np.concatenate((one.ref, one.pv)).tolist():
        here = np.flatnonzero(one.part.gen_bus == bus)
        if bus in one.ref:
            made[here[0]] += rest[bus].real
        made[here] += 1j * rest[bus].imag * _shares(one.part.gen[here])
    states.pg[row, one.part.at_gen] = made.real * grid.case.baseMVA
    states.qg[row, one.part.at_gen] = made.imag * grid.case.baseMVA


def _shares(gen: Floats) -> Floats:
    """How generators of one bus share its reactive power: by their ranges, or alike where these do not tell."""
    span = gen[:, idx.QMAX] - gen[:, idx.QMIN]
    if not np.isfinite(span).all() or span.sum() <= 0 or (span < 0).any():
        return np.full(len(gen), 1 / len(gen))
    found: Floats = span / span.sum()
    return found
