"""The interior point of PYPOWER (PIPS, the port of MATPOWER's MIPS) on an optimal power flow."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.solving.network.grid import Floats
from batchtui.domains.power.solving.optimal.opf_balances import Balances, Cost
from batchtui.domains.power.solving.optimal.opf_problem import FAR, Problem
from batchtui.model import Json

_BALANCED: Final = 1e-8
"""What may be left over, by the largest variable: MATPOWER's 5e-6 leaves kW at the buses of some grids, and prices
that are 1e-3 out; a step or two more does away with both."""
_COST_SCALE: Final = {True: 1.0, False: 1e-4}  # DC, AC: as MATPOWER scales them


@dataclass(slots=True)
class Optimum:
    """What PIPS found: x and the multipliers as PIPS names them."""

    found: bool
    x: Floats
    multipliers: dict[str, Floats]
    steps: int


def start_of(problem: Problem) -> Floats:
    """A point within the limits, as MATPOWER takes it: the middle, or 1 within where there is one limit only."""
    low, high = problem.least, problem.most
    bounded, above = low > -FAR, high < FAR
    x = np.where(bounded & above, (np.clip(low, -FAR, FAR) + np.clip(high, -FAR, FAR)) / 2, 0.0)
    x = np.where(bounded & ~above, low + 1, x)
    x = np.where(~bounded & above, high - 1, x)
    held = problem.part.bus[problem.part.bus[:, idx.BUS_TYPE] == idx.REF, idx.VA]
    x[problem.columns("Va")] = np.radians(held[0])
    if problem.costs.pieces:
        dearest = max(float(points[-1, 1]) for points in problem.costs.pieces)
        x[-len(problem.costs.pieces) :] = (dearest + 0.1 * abs(dearest)) / problem.costs.unit
    return x


def solve(problem: Problem, *, step_control: bool = False) -> Optimum:
    """PIPS from `start_of`."""
    from pypower.pips import pips

    options = problem.options
    tolerances = {
        "feastol": _BALANCED,
        "gradtol": options["PDIPM_GRADTOL"],
        "comptol": options["PDIPM_COMPTOL"],
        "costtol": options["PDIPM_COSTTOL"],
        "max_it": options["PDIPM_MAX_IT"],
        "max_red": options["SCPDIPM_RED_IT"],
        "step_control": step_control,
        "cost_mult": _COST_SCALE[problem.dc],
        "verbose": 0,
    }
    grid = None if problem.dc else Balances(problem, _cost(problem))
    x = start_of(problem)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = pips(
                _cost(problem), x, problem.rows, problem.low, problem.high, problem.least, problem.most,
                grid and grid.constraints, grid and grid.hessian, tolerances,
            )  # fmt: skip
        except (np.linalg.LinAlgError, RuntimeError):  # a matrix that has no inverse
            return Optimum(False, x, {}, 0)
    last = found["output"]["hist"][-1]
    enough = last["feascond"] < options["OPF_VIOLATION"] and all(
        last[f"{name}cond"] < tolerances[f"{name}tol"] for name in ("grad", "comp", "cost")
    )  # where MATPOWER ends, should the rest not be had
    solved = enough and bool(np.isfinite(found["x"]).all())
    return Optimum(solved, found["x"], found["lmbda"], int(found["output"]["iterations"]))


def _cost(problem: Problem) -> Cost:
    costs, width = problem.costs, len(problem.least)
    at, extra, unit = costs.polynomial_at, len(costs.pieces), costs.unit

    def cost(x: Floats, return_hessian: bool = False) -> tuple[Json, ...]:
        slope = np.zeros(width)
        slope[at] = costs.polynomials(x, 1)
        value = float(costs.polynomials(x).sum())
        if extra:
            slope[-extra:] = unit
            value += unit * float(x[-extra:].sum())
        if not return_hessian:
            return value, slope
        return value, slope, sparse.csr_matrix((costs.polynomials(x, 2), (at, at)), shape=(width, width))

    return cost
