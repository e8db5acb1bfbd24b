"""The part of a grid that is in service in one scenario, numbered from 0: what PYPOWER's functions take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.solving.network.grid import Bools, Floats, Grid, Ints


@dataclass(slots=True)
class InService:
    """Rows of the case's tables, and copies of them with buses by their place among these."""

    at_bus: Ints
    at_gen: Ints
    at_branch: Ints
    bus: Floats
    gen: Floats
    branch: Floats
    conductance: Floats
    unlike: Floats
    shares: Floats

    @property
    def gen_bus(self) -> Ints:
        return self.gen[:, idx.GEN_BUS].astype(np.int64)


def in_service(grid: Grid, branch_out: Bools, gen_out: Bools) -> InService:
    """What is left of the grid without these branches and generators."""
    at_bus = np.flatnonzero(grid.bus_on)
    at_gen = np.flatnonzero(grid.gen_on & ~gen_out)
    at_branch = np.flatnonzero(grid.branch_on & ~branch_out)
    place = np.cumsum(grid.bus_on) - 1
    bus, gen, branch = grid.bus[at_bus].copy(), grid.gen[at_gen].copy(), grid.branch[at_branch].copy()
    bus[:, idx.BUS_I] = np.arange(len(at_bus))
    gen[:, idx.GEN_BUS] = place[grid.gen_row[at_gen]]
    branch[:, [idx.F_BUS, idx.T_BUS]] = place[grid.ends[at_branch]]
    return InService(
        at_bus,
        at_gen,
        at_branch,
        bus,
        gen,
        branch,
        grid.conductance[at_branch],
        grid.unlike[at_branch],
        grid.shares[at_bus],
    )
