"""Admittance matrices of what is in service, and Newton's method on them."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.solving.network.demand import Demand
from batchtui.domains.power.solving.network.grid import Floats, Ints, Voltages
from batchtui.domains.power.solving.network.in_service import InService

_RX: Final = slice(0, 2)
_GB: Final = slice(2, 4)


def admittances(base: float, part: InService) -> tuple[sparse.csr_matrix, ...]:
    """Of the buses, and of the branches' from and to ends: as PYPOWER's makeYbus, with what is `Beyond` its tables."""
    branch, count, buses = part.branch, len(part.branch), len(part.bus)
    series, charging = branch[:, [idx.BR_R, idx.BR_X]], np.stack((part.conductance, branch[:, idx.BR_B]), 1)
    near, far = (1 / _complex(values) for values in (series, series + part.unlike[:, _RX]))
    here, there = (_complex(values) / 2 for values in (charging, charging + part.unlike[:, _GB]))
    ratio = np.where(branch[:, idx.TAP] == 0, 1.0, branch[:, idx.TAP])
    tap = ratio * np.exp(1j * np.radians(branch[:, idx.SHIFT]))
    ends = branch[:, [idx.F_BUS, idx.T_BUS]].astype(np.int64)
    rows = np.arange(count)

    def lines(at_from: Voltages, at_to: Voltages) -> sparse.csr_matrix:
        where = (np.concatenate((rows, rows)), np.concatenate((ends[:, 0], ends[:, 1])))
        return sparse.csr_matrix((np.concatenate((at_from, at_to)), where), shape=(count, buses))

    begin = lines((near + here) / ratio**2, -near / np.conj(tap))
    end = lines(-far / tap, far + there)
    shunts = (part.bus[:, idx.GS] + 1j * part.bus[:, idx.BS]) / base
    meets = [
        sparse.csr_matrix((np.ones(count), (ends[:, side], rows)), shape=(buses, count)) for side in (0, 1)
    ]
    whole = meets[0] @ begin + meets[1] @ end + sparse.diags(shunts)
    return sparse.csr_matrix(whole), begin, end


def _complex(pairs: Floats) -> Voltages:
    found: Voltages = pairs[:, 0] + 1j * pairs[:, 1]
    return found


def newton(
    whole: sparse.csr_matrix,
    made: Voltages,
    demand: Demand,
    start: Voltages,
    pv: Ints,
    pq: Ints,
    tolerance: float,
    most: int,
) -> tuple[Voltages, int | None]:
    """The voltages at which no bus is left with power, and the steps taken; None where there were more than `most`.

    The buses that are neither pv nor pq hold their voltages. Raises RuntimeError or LinAlgError.
    """  # fmt: skip
    from pypower.dSbus_dV import dSbus_dV

    found, free = start.copy(), np.concatenate((pv, pq))
    for step in range(most + 1):
        size = np.abs(found)
        left = found * np.conj(whole @ found) + demand.at(size) - made
        rest = np.concatenate((left[free].real, left[pq].imag))
        if not np.isfinite(rest).all():
            return found, None
        if not rest.size or np.abs(rest).max() < tolerance:
            return found, step
        if step == most:
            break
        by_size, by_angle = dSbus_dV(whole, found)
        by_size = sparse.csr_matrix(by_size + sparse.diags(demand.slope(size)))
        by_angle = sparse.csr_matrix(by_angle)
        slopes = sparse.bmat(
            [
                [by_angle[free][:, free].real, by_size[free][:, pq].real],
                [by_angle[pq][:, free].imag, by_size[pq][:, pq].imag],
            ]
        )
        move = spsolve(slopes.tocsc(), -rest)
        turn = np.angle(found)
        turn[free] += move[: len(free)]
        size[pq] += move[len(free) :]
        found = size * np.exp(1j * turn)
    return found, None
