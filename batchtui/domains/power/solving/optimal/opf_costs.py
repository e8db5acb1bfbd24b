"""What generators cost, as an optimal power flow minimises it: polynomials of any degree, and convex lines.

Costs of active and of reactive power, row by row of gencost. A cost of pieces takes one variable more, that stays
above every piece: MATPOWER's constrained cost variables, which are right where slopes grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import COST, MODEL, NCOST
from batchtui.domains.power.solving.network.grid import Floats, Ints
from batchtui.model import Json

_PIECES: Final = 1  # gencost's MODEL; 2 is a polynomial
_BENT: Final = 1e-5
"""By how much of the highest cost the lines may lie above a point: published tables are rounded."""
_SMALL: Final = 1e-9
_WIDE: Final = 1e3
"""pu, where a power has no limit."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of some columns of x, which are in per unit: each column has a polynomial, or pieces, or neither."""

    polynomial_at: Ints
    coefficients: Floats  # (columns, degree + 1), of the power of 0 first
    pieces_at: Ints
    pieces: tuple[Floats, ...]  # points (pu, $), one array a column
    not_convex: tuple[int, ...]
    """Rows of gencost (from 1) whose polynomial bends down within its generator's limits."""

    @property
    def unit(self) -> float:
        """$, in which the variables of pieces count: about what 1 pu costs, so that they weigh as much as others."""
        return max([1.0, *(float(np.abs(_lines(points)[0]).max()) for points in self.pieces)])

    def polynomials(self, x: Floats, derivative: int = 0) -> Floats:
        """The value of each polynomial, or of its first or second derivative."""
        table = self.coefficients
        for _ in range(derivative):
            table = table[:, 1:] * np.arange(1, table.shape[1])
        found = np.zeros(len(table))
        for column in table.T[::-1]:
            found = found * x[self.polynomial_at] + column
        return found

    def total(self, x: Floats) -> float:
        """What the powers in x cost; beyond its points a cost of pieces goes on as it came."""
        found = float(self.polynomials(x).sum())
        for at, points in zip(self.pieces_at, self.pieces, strict=True):
            slope, rest = _lines(points)
            found += float((slope * x[at] + rest).max())
        return found

    def constraints(self, width: int) -> tuple[sparse.csr_matrix, Floats]:
        """A and u of A·[x, y] ≤ u, for x of that width and one y (in `unit`) for each cost of pieces."""
        unit = self.unit
        rows: list[Json] = []
        most: list[float] = []
        for place, (at, points) in enumerate(zip(self.pieces_at, self.pieces, strict=True)):
            for slope, rest in zip(*_lines(points), strict=True):
                rows += [(len(most), at, slope / unit), (len(most), width + place, -1.0)]
                most.append(-rest / unit)
        line, column, value = zip(*rows, strict=True) if rows else ((), (), ())
        shape = (len(most), width + len(self.pieces))
        return sparse.csr_matrix((value, (line, column)), shape=shape), np.array(most)


@dataclass(frozen=True, slots=True)
class Priced:
    """A power that costs something: its row of gencost (from 0), its column of x, its limits (pu)."""

    row: int
    column: int
    least: float
    most: float


def costs_of(table: Sequence[Sequence[float]], priced: Sequence[Priced], base: float) -> Costs:
    """The costs of these powers. Raises Fault (bad_input) for pieces that are not convex, or not in order."""
    polynomials: list[tuple[int, Floats]] = []
    pieces: list[tuple[int, Floats]] = []
    bent: list[int] = []
    for power in priced:
        row = table[power.row]
        count = int(row[NCOST])
        if row[MODEL] == _PIECES:
            points = np.array(row[COST : COST + 2 * count]).reshape(-1, 2) / (base, 1.0)
            if fault := _unfit(points, power.row, base):
                raise fault
            if count > 2:
                pieces.append((power.column, points))
                continue
            (slope,), (rest,) = _lines(points)
            polynomials.append((power.column, np.array([rest, slope])))
            continue
        given = np.array(row[COST : COST + count][::-1]) * base ** np.arange(count)
        if _bends_down(given, power.least, power.most):
            bent.append(power.row + 1)
        polynomials.append((power.column, given))
    width = max((len(given) for _, given in polynomials), default=0)
    coefficients = np.zeros((len(polynomials), max(1, width)))
    for place, (_, given) in enumerate(polynomials):
        coefficients[place, : len(given)] = given
    return Costs(
        np.array([column for column, _ in polynomials], dtype=np.int64),
        coefficients,
        np.array([column for column, _ in pieces], dtype=np.int64),
        tuple(points for _, points in pieces),
        tuple(bent),
    )


def _lines(points: Floats) -> tuple[Floats, Floats]:
    """Slope and value at 0 of the line through each two points."""
    slope = np.diff(points[:, 1]) / np.diff(points[:, 0])
    return slope, points[:-1, 1] - slope * points[:-1, 0]


def _unfit(points: Floats, row: int, base: float) -> Fault | None:
    if (np.diff(points[:, 0]) <= 0).any():
        return Fault("bad_input", f"gencost row {row + 1}: the points of its pieces are not in rising order")
    slope, rest = _lines(points)
    above = (np.outer(points[:, 0], slope) + rest).max(axis=1) - points[:, 1]
    if above.max() <= _BENT * max(1.0, float(np.abs(points[:, 1]).max())):
        return None
    at = int(np.diff(slope).argmin())
    words = f"the slope falls from {slope[at] / base:.6g} to {slope[at + 1] / base:.6g}"
    return Fault(
        "bad_input",
        f"gencost row {row + 1}: pieces that are not convex cannot be minimised so ({words} at "
        f"{points[at + 1, 0] * base:.6g})",
    )


def _bends_down(given: Floats, least: float, most: float) -> bool:
    """Whether a polynomial's second derivative is below 0 somewhere between the limits."""
    second = np.polynomial.Polynomial(given).deriv(2) if len(given) > 2 else None
    if second is None or most < least:
        return False
    begin, end = max(least, -_WIDE), min(most, _WIDE)
    turns = [turn for turn in map(float, np.real(second.deriv().roots())) if begin < turn < end]
    return min(float(second(at)) for at in (begin, end, *turns)) < -_SMALL * float(np.abs(given).max())
