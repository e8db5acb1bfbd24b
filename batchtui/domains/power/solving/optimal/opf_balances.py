"""The AC equations and flow limits of an optimal power flow, with their derivatives by PYPOWER's functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from scipy import sparse

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.solving.network.admittances import admittances
from batchtui.domains.power.solving.network.grid import Floats, Voltages
from batchtui.domains.power.solving.optimal.opf_problem import Problem
from batchtui.model import Json

Cost: TypeAlias = Callable[..., tuple[Json, ...]]
"""Of x: the value and its slope, with `return_hessian` its second derivatives too."""


class Balances:
    """Constraints of x and their derivatives, in the form of PIPS; each branch is limited at both its ends."""

    def __init__(self, problem: Problem, cost: Cost) -> None:
        part, self._rated = problem.part, problem.rated
        self._problem, self._cost = problem, cost
        self._width = len(problem.least)
        self._whole, from_end, to_end = admittances(problem.base, part)
        self._from, self._to = from_end[self._rated], to_end[self._rated]
        self._branch = part.branch[self._rated]
        self._most = (self._branch[:, idx.RATE_A] / problem.base) ** 2
        count, buses = len(part.gen), len(part.bus)
        at = (part.gen_bus, np.arange(count))
        self._feeds = sparse.csr_matrix((np.ones(count), at), shape=(buses, count))
        self._used = (part.bus[:, idx.PD] + 1j * part.bus[:, idx.QD]) / problem.base

    def _voltages(self, x: Floats) -> Voltages:
        found: Voltages = x[self._problem.columns("Vm")] * np.exp(1j * x[self._problem.columns("Va")])
        return found

    def constraints(self, x: Floats) -> tuple[Json, ...]:
        """What may not be above 0, what must be 0, and their slopes, one column each."""
        from pypower.dSbus_dV import dSbus_dV

        v = self._voltages(x)
        made = x[self._problem.columns("Pg")] + 1j * x[self._problem.columns("Qg")]
        rest = v * np.conj(self._whole * v) + self._used - self._feeds @ made
        by_size, by_angle = dSbus_dV(self._whole, v)
        slopes = sparse.hstack([by_angle, by_size])
        none = sparse.csr_matrix(self._feeds.shape)
        powers = sparse.bmat([[-self._feeds, none], [none, -self._feeds]])
        balance = self._wide(sparse.hstack([sparse.vstack([slopes.real, slopes.imag]), powers]))
        over, over_by = self._flows(v)
        return over, np.concatenate((rest.real, rest.imag)), over_by, balance.T

    def _flows(self, v: Voltages) -> tuple[Floats, Json]:
        if not self._rated.size:
            return np.zeros(0), None
        from pypower.dAbr_dV import dAbr_dV
        from pypower.dSbr_dV import dSbr_dV

        *slopes, begin, end = dSbr_dV(self._branch, self._from, self._to, v)
        from_angle, from_size, to_angle, to_size = dAbr_dV(*slopes, begin, end)
        over = np.concatenate((np.abs(begin) ** 2 - self._most, np.abs(end) ** 2 - self._most))
        return over, self._wide(sparse.bmat([[from_angle, from_size], [to_angle, to_size]])).T

    def hessian(self, x: Floats, multipliers: Mapping[str, Floats], scale: float) -> Json:
        """Second derivatives of the Lagrangian, the cost of which counts by `scale`."""
        from pypower.d2ASbr_dV2 import d2ASbr_dV2
        from pypower.d2Sbus_dV2 import d2Sbus_dV2
        from pypower.dSbr_dV import dSbr_dV

        v = self._voltages(x)
        active, reactive = np.split(multipliers["eqnonlin"], 2)
        found = (
            _square(d2Sbus_dV2(self._whole, v, active)).real
            + _square(d2Sbus_dV2(self._whole, v, reactive)).imag
        )
        if self._rated.size:
            from_angle, from_size, to_angle, to_size, begin, end = dSbr_dV(
                self._branch, self._from, self._to, v
            )
            at_from, at_to = np.split(multipliers["ineqnonlin"], 2)
            for slopes, flow, column, matrix, weight in (
                ((from_angle, from_size), begin, idx.F_BUS, self._from, at_from),
                ((to_angle, to_size), end, idx.T_BUS, self._to, at_to),
            ):
                found = found + _square(d2ASbr_dV2(*slopes, flow, self._at(column), matrix, v, weight))
        size, width = found.shape[0], self._width
        return (
            sparse.csr_matrix(sparse.block_diag([found, sparse.csr_matrix((width - size, width - size))]))
            + scale * self._cost(x, True)[2]
        )

    def _at(self, end: int) -> sparse.csr_matrix:
        """Which bus each limited branch has at this end."""
        count = len(self._branch)
        where = (np.arange(count), self._branch[:, end].astype(np.int64))
        return sparse.csr_matrix((np.ones(count), where), shape=(count, len(self._used)))

    def _wide(self, matrix: Json) -> sparse.csr_matrix:
        """The matrix with columns for the rest of x."""
        lines, columns = matrix.shape
        return sparse.csr_matrix(sparse.hstack([matrix, sparse.csr_matrix((lines, self._width - columns))]))


def _square(blocks: tuple[Json, ...]) -> Json:
    angle, mixed, other, size = blocks
    return sparse.csr_matrix(sparse.bmat([[angle, mixed], [other, size]]))
