"""A grid made ready for lightsim2grid, once a worker process, and the injections of many scenarios on it.

lightsim2grid's own converter of MATPOWER tables is used; what it takes differently is put right before:

- every bus carries a load, so that a scenario may put one anywhere; next to nothing, as no generator gives
  anything: a sweep solves nothing where the model's own state has no solution;
- a branch without a tap ratio has ratio 1 (the same model): all branches are then of one sort, in the case's order;
- a branch's conductance is set beside its charging, which MATPOWER's tables do not hold;
- a generator at a PQ bus is a fixed injection, and generators of one bus hold one voltage, the last one's;
- nominal voltages are 1, so that voltages come back in per unit.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.grids.case import Case, bus_rows, named_rows
from batchtui.domains.power.scenarios.scenario import DcModel, Scenario
from batchtui.domains.power.solving.network.joined import Joined, joined_of
from batchtui.model import Json

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Voltages: TypeAlias = NDArray[np.complex128]
_IDLE: Final = 1e-9
"""MW and Mvar of a load that is only there to be changed."""
_ANY_Q: Final = 9999.0
"""Stands for a reactive limit that is not finite; limits are not enforced."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A case with its reference buses: arrays over its buses (nb), generators (ng) and branches (nl)."""

    case: Case
    roots: tuple[int, ...]
    model: Json  # lightsim2grid's LSGrid; None of a grid that it cannot hold (`one_by_one`)
    bus: Floats  # the case's tables, with these reference buses
    gen: Floats
    branch: Floats  # with the susceptances of the DC model asked for
    conductance: Floats  # as in `Beyond`, with zeros where that is empty
    unlike: Floats
    shares: Floats
    inside: Bools  # buses of the case that are none of the file
    joined: Joined | None
    ends: Ints  # the rows of each branch's buses
    bus_id: Ints
    from_bus: Ints  # bus numbers
    to_bus: Ints
    gen_row: Ints  # the row of each generator's bus
    gen_on: Bools
    gen_fixed: Bools  # in service at a PQ bus
    branch_on: Bools
    bus_on: Bools
    rating: Floats  # MVA; nan without one
    vmin: Floats
    vmax: Floats
    start: Voltages  # the case's voltages, the (first) reference bus at angle 0
    angle: float  # degrees there


@dataclass(frozen=True, slots=True)
class Injections:
    """What n scenarios put into the grid: one row each. Powers in MW and Mvar."""

    pd: Floats
    qd: Floats
    joined_pd: Floats  # of it, what joined buses take
    joined_qd: Floats
    pg: Floats  # of generators in service, else 0
    qg: Floats  # of those at PQ buses, else 0
    branch_out: Bools
    gen_out: Bools


@functools.lru_cache(maxsize=4)
def grid_of(case: Case, roots: tuple[int, ...], dc_model: DcModel | None = None) -> Grid:
    """The grid; the same one for the same case. Raises Fault (bad_input), or ImportError without the extra."""
    bus, gen, beyond = np.array(case.bus), np.array(case.gen), case.beyond
    branch = np.array(case.branch, dtype=float).reshape(-1, 13)
    if dc_model == "powermodels":
        branch = powermodels_branches(branch)
    bus[(bus[:, idx.BUS_TYPE] == idx.REF), idx.BUS_TYPE] = idx.PV
    bus[list(roots), idx.BUS_TYPE] = idx.REF
    rows = bus_rows(case)
    anywhere = roots[0]  # for what is out of service at a bus that is not there
    gen_row = np.array([rows.get(int(number), anywhere) for number in gen[:, idx.GEN_BUS]], dtype=np.int64)
    bus_on = bus[:, idx.BUS_TYPE] != idx.ISOLATED
    gen_on = (gen[:, idx.GEN_STATUS] > 0) & bus_on[gen_row]
    ends = np.array(
        [[rows.get(int(row[end]), anywhere) for end in (idx.F_BUS, idx.T_BUS)] for row in case.branch],
        dtype=np.int64,
    ).reshape(-1, 2)
    branch_on = (branch[:, idx.BR_STATUS] > 0) & bus_on[ends].all(axis=1)
    rating = branch[:, idx.RATE_A].copy()
    rating[(rating <= 0) | (rating >= idx.NO_RATING)] = math.nan
    angle = float(bus[roots[0], idx.VA])
    conductance = _table(beyond.conductance, len(branch), 1)[:, 0]
    model = None
    if len(roots) == 1 and not beyond.is_solved_singly:
        sound = _sound(branch, branch_on, bus)
        model = _model(case.baseMVA, bus, gen, sound, conductance * branch_on, gen_row, gen_on)
    return Grid(
        case=case,
        roots=roots,
        model=model,
        bus=bus,
        gen=gen,
        branch=branch,
        conductance=conductance,
        unlike=_table(beyond.unlike, len(branch), 4),
        shares=_table(beyond.shares, len(bus), 4),
        inside=np.isin(np.arange(len(bus)), beyond.inside),
        joined=joined_of(beyond, bus[:, idx.BUS_I].astype(np.int64)),
        ends=ends,
        bus_id=bus[:, idx.BUS_I].astype(np.int64),
        from_bus=branch[:, idx.F_BUS].astype(np.int64),
        to_bus=branch[:, idx.T_BUS].astype(np.int64),
        gen_row=gen_row,
        gen_on=gen_on,
        gen_fixed=gen_on & (bus[gen_row, idx.BUS_TYPE] == idx.PQ),
        branch_on=branch_on,
        bus_on=bus_on,
        rating=rating,
        vmin=bus[:, idx.VMIN].copy(),
        vmax=bus[:, idx.VMAX].copy(),
        start=bus[:, idx.VM] * np.exp(1j * np.radians(bus[:, idx.VA] - angle)),
        angle=angle,
    )


def _table(rows: Sequence[Json], count: int, width: int) -> Floats:
    return np.array(rows, dtype=float).reshape(-1, width) if rows else np.zeros((count, width))


def powermodels_branches(branch: Floats) -> Floats:
    """The branches with the susceptance of PowerModels' DC model, x/(r²+x²), without taps and shifts.

    As reactances that a solver of MATPOWER's model, 1/(x·tap), takes. Source: PowerModels.jl, DCPPowerModel.
    """
    found = branch.copy()
    found[:, idx.BR_X] = (branch[:, idx.BR_R] ** 2 + branch[:, idx.BR_X] ** 2) / np.where(
        branch[:, idx.BR_X], branch[:, idx.BR_X], math.nan
    )
    found[:, [idx.BR_R, idx.TAP, idx.SHIFT]] = 0
    return found


def _sound(branch: Floats, branch_on: Bools, bus: Floats) -> Floats:
    """The branches with what is out of service made so that it can be taken in, whatever it was."""
    found = branch.copy()
    off = ~branch_on
    found[off, idx.BR_STATUS] = 0
    found[off, idx.F_BUS], found[off, idx.T_BUS] = bus[0, idx.BUS_I], bus[-1, idx.BUS_I]
    found[off, idx.BR_R], found[off, idx.BR_X] = 0, 1
    return found


def _model(
    base: float, bus: Floats, gen: Floats, branch: Floats, conductance: Floats, gen_row: Ints, gen_on: Bools
) -> Json:
    from lightsim2grid.network import init_from_matpower

    bus, gen, branch = bus.copy(), gen.copy(), branch.copy()
    bus[:, [idx.PD, idx.QD]], bus[:, idx.BASE_KV] = _IDLE, 1
    gen[:, idx.PG] = 0
    branch[branch[:, idx.TAP] == 0, idx.TAP] = 1
    gen[:, idx.GEN_BUS] = bus[gen_row, idx.BUS_I]
    gen[~gen_on | (bus[gen_row, idx.BUS_TYPE] == idx.PQ), idx.GEN_STATUS] = 0
    for column, limit in ((idx.QMAX, _ANY_Q), (idx.QMIN, -_ANY_Q)):
        gen[~np.isfinite(gen[:, column]), column] = limit
    voltage = dict(zip(gen_row[gen_on].tolist(), gen[gen_on, idx.VG].tolist(), strict=True))
    gen[gen_on, idx.VG] = [voltage[row] for row in gen_row[gen_on].tolist()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = init_from_matpower({"bus": bus, "gen": gen, "branch": branch, "baseMVA": base})
    except RuntimeError as fault:
        raise Fault("bad_input", f"lightsim2grid does not take the grid ({fault})") from None
    if conductance.any():
        charging = conductance + 1j * branch[:, idx.BR_B]
        model.update_trafos_parameters(branch[:, idx.BR_R], branch[:, idx.BR_X], charging)
    return model


def injections_of(grid: Grid, scenarios: Sequence[Scenario]) -> Injections:
    """What these scenarios of the grid put into it.

    A loads row replaces the bus's demand; generators keep their power; the slack takes the rest.
    """
    count, case = len(scenarios), grid.case
    places, joined = named_rows(case), grid.joined
    pd, qd = (np.tile(np.array([row[column] for row in case.bus]), (count, 1)) for column in (idx.PD, idx.QD))
    pg, qg = (np.tile(np.array([row[column] for row in case.gen]), (count, 1)) for column in (idx.PG, idx.QG))
    none = np.zeros(0)
    own_pd, own_qd = (
        np.tile(own, (count, 1)) for own in ((joined.pd, joined.qd) if joined else (none, none))
    )
    branch_out = np.zeros((count, len(case.branch)), dtype=bool)
    gen_out = np.zeros((count, len(case.gen)), dtype=bool)
    for number, scenario in enumerate(scenarios):
        if scenario.loads:
            at = [places[bus] for bus in scenario.loads]
            demand = list(scenario.loads.values())
            for whole, own, column in ((pd, own_pd, 0), (qd, own_qd, 1)):
                wanted = np.array([row[column] for row in demand])
                if joined is None:
                    whole[number, at] = wanted
                else:
                    joined.replace(whole[number], own[number], list(scenario.loads), at, wanted)
        branch_out[number, list(scenario.outages.branches)] = True
        gen_out[number, list(scenario.outages.generators)] = True
    scale = np.array([[scenario.options.load_scale] for scenario in scenarios])
    pd, qd = pd * scale * grid.bus_on, qd * scale * grid.bus_on
    own_pd, own_qd = own_pd * scale, own_qd * scale
    there = grid.gen_on & ~gen_out
    pg = pg * there * np.array([[scenario.options.generation_scale] for scenario in scenarios])
    return Injections(
        pd, qd, own_pd, own_qd, pg, qg * (there & grid.gen_fixed), branch_out & grid.branch_on, gen_out
    )
