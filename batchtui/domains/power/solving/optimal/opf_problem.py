"""An optimal power flow as a problem: variables, what they cost, linear constraints and limits.

PYPOWER gives the model of the grid: balances, limits of flows, angles and generators. Costs are our own (`opf_costs`):
PYPOWER's cannot be only of pieces, nor of reactive power, nor in the DC model above the second degree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.solving.network.grid import Floats, Ints
from batchtui.domains.power.solving.network.in_service import InService
from batchtui.domains.power.solving.optimal.opf_costs import Costs, Priced, costs_of
from batchtui.model import Json

FAR: Final = 1e10
"""What PIPS takes for no limit."""


@dataclass(slots=True)
class Problem:
    """The variables are angles, (magnitudes,) powers, (reactive powers,) and one for each cost of pieces."""

    part: InService
    base: float
    dc: bool
    costs: Costs
    model: Json  # PYPOWER's opf_model, with its case
    options: dict[str, Json]
    rows: sparse.csr_matrix  # l ≤ rows·x ≤ u
    low: Floats
    high: Floats
    least: Floats
    most: Floats
    rated: Ints  # branches with a limit

    def columns(self, name: str) -> slice:
        """Where Va, Vm, Pg, Qg stand in x."""
        variables = self.model.get_idx()[0]
        return slice(variables["i1"][name], variables["iN"][name])


def problem_of(
    part: InService, gencost: Sequence[Sequence[float]], generators: int, base: float, *, dc: bool
) -> Problem:
    """The problem; `generators`: rows of the case's gen table. Raises Fault (bad_input) for costs that do not do."""
    from pypower.api import ppoption
    from pypower.opf_setup import opf_setup

    options = {**ppoption(VERBOSE=0, OUT_ALL=0), "PF_DC": dc}
    free = np.tile([2.0, 0, 0, 2, 0, 0], (len(part.gen), 1))  # costs of 0: ours are added here
    width = {"bus": 17, "gen": 25, "branch": 21}  # with the columns of results that PYPOWER writes to
    tables = {
        name: np.pad(table, ((0, 0), (0, width[name] - table.shape[1])))
        for name, table in (("bus", part.bus), ("gen", part.gen), ("branch", part.branch))
    }
    model = opf_setup({"version": "2", "baseMVA": base, "gencost": free, **tables}, options)
    model.build_cost_params()
    variables = model.get_idx()[0]["i1"]
    _, least, most = model.getv()
    priced = [
        Priced(int(row) + block, begin + place, float(least[begin + place]), float(most[begin + place]))
        for block, begin in _blocks(len(gencost), generators, variables, dc)
        for place, row in enumerate(part.at_gen)
    ]
    costs = costs_of(gencost, priced, base)
    rows, low, high = model.linear_constraints()
    above, limit = costs.constraints(len(least))
    extra = len(costs.pieces)
    wide = sparse.csr_matrix(rows) if rows is not None else sparse.csr_matrix((0, len(least)))
    wide = sparse.hstack([wide, sparse.csr_matrix((wide.shape[0], extra))])
    endless = np.full(extra, np.inf)
    rating = part.branch[:, idx.RATE_A]
    return Problem(
        part, base, dc, costs, model, options,
        rows=sparse.vstack([wide, above]).tocsr(),
        low=np.concatenate((low, np.full(len(limit), -np.inf))),
        high=np.concatenate((high, limit)),
        least=np.concatenate((least, -endless)),
        most=np.concatenate((most, endless)),
        rated=np.flatnonzero((rating != 0) & (rating < FAR)),
    )  # fmt: skip


def _blocks(rows: int, generators: int, variables: Mapping[str, int], dc: bool) -> list[tuple[int, int]]:
    """The row at which each block of costs begins, and the column of its powers; DC knows no reactive power."""
    active = [(0, variables["Pg"])]
    return active if dc or rows == generators else [*active, (generators, variables["Qg"])]
