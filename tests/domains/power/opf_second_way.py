"""The cost of an optimal power flow by another way: plain formulas and scipy's SLSQP, nothing of the solver's own.

For small grids without shunts, taps or angle limits. Costs of pieces are minimised through one variable above all
their lines.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from batchtui.domains.power.grids.case import Case, bus_rows

Floats = NDArray[np.float64]


def least_cost(case: Case, *, dc: bool) -> float:
    """The least cost that SLSQP finds."""
    base, bus, gen = case.baseMVA, np.array(case.bus), np.array(case.gen)
    branch = np.array([row for row in case.branch if row[10] > 0])
    rows = bus_rows(case)
    nb, ng = len(bus), len(gen)
    at = np.array([rows[int(number)] for number in gen[:, 0]])
    ends = np.array([[rows[int(row[0])], rows[int(row[1])]] for row in branch])
    series = 1 / (branch[:, 2] + 1j * branch[:, 3])
    pieces = [
        (n, np.array(row[4 : 4 + 2 * int(row[3])]).reshape(-1, 2))
        for n, row in enumerate(case.gencost)
        if row[0] == 1 and not (dc and n >= ng)
    ]

    def split(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        return x[:nb], x[nb : 2 * nb], x[2 * nb : 2 * nb + ng], x[2 * nb + ng : 2 * nb + 2 * ng]

    def flows(x: Floats) -> NDArray[np.complex128]:
        """Power into each branch at both ends, MVA: (2, branches)."""
        va, vm, _, _ = split(x)
        if dc:
            forth = (va[ends[:, 0]] - va[ends[:, 1]]) / branch[:, 3] * base + 0j
            return np.array([forth, -forth])
        v = vm * np.exp(1j * va)
        one, other = v[ends[:, 0]], v[ends[:, 1]]
        charging = 0.5j * branch[:, 4]
        forth = one * np.conj(series * (one - other) + charging * one)
        back = other * np.conj(series * (other - one) + charging * other)
        return np.array([forth, back]) * base

    def balance(x: Floats) -> Floats:
        _, _, pg, qg = split(x)
        rest = -(bus[:, 2] + 1j * bus[:, 3])
        np.add.at(rest, at, pg + 1j * qg)
        for end, flow in enumerate(flows(x)):
            np.add.at(rest, ends[:, end], -flow)
        return (rest.real if dc else np.concatenate((rest.real, rest.imag))) / base

    def within(x: Floats) -> Floats:
        rated = branch[:, 5] > 0
        spare = (branch[rated, 5] ** 2 - np.abs(flows(x)[:, rated]) ** 2).ravel() / base**2
        above = [
            x[2 * nb + 2 * ng + place] - line
            for place, (n, points) in enumerate(pieces)
            for line in _lines(points, x[2 * nb + n])
        ]
        return np.concatenate((spare, np.array(above)))

    def cost(x: Floats) -> float:
        smooth = sum(
            float(np.polyval(row[4 : 4 + int(row[3])], x[2 * nb + n]))
            for n, row in enumerate(case.gencost)
            if row[0] == 2 and not (dc and n >= ng)
        )
        return smooth + float(x[2 * nb + 2 * ng :].sum())

    angle = np.where(bus[:, 1] == 3, np.radians(bus[:, 8]), np.inf)
    low = [
        np.where(np.isinf(angle), -np.pi, angle),
        bus[:, 12],
        gen[:, 9],
        gen[:, 4],
        np.full(len(pieces), -1e7),
    ]
    high = [
        np.where(np.isinf(angle), np.pi, angle),
        bus[:, 11],
        gen[:, 8],
        gen[:, 3],
        np.full(len(pieces), 1e7),
    ]
    start = np.concatenate(
        [(np.clip(a, -1e3, 1e3) + np.clip(b, -1e3, 1e3)) / 2 for a, b in zip(low, high, strict=True)]
    )
    start[2 * nb + 2 * ng :] = [points[-1, 1] for _, points in pieces]
    return _minimum(cost, start, Bounds(np.concatenate(low), np.concatenate(high)), balance, within)


def _lines(points: Floats, power: float) -> Floats:
    slope = np.diff(points[:, 1]) / np.diff(points[:, 0])
    found: Floats = points[:-1, 1] + slope * (power - points[:-1, 0])
    return found


def _minimum(
    cost: Callable[[Floats], float],
    start: Floats,
    bounds: Bounds,
    balance: Callable[[Floats], Floats],
    within: Callable[[Floats], Floats],
) -> float:
    """SLSQP, begun again where it ended until that gains nothing: at a kink of a cost it may stop short of the least."""
    size, least = max(1.0, abs(cost(start))), np.inf
    while True:
        found = minimize(
            lambda x: cost(x) / size,
            start,
            bounds=bounds,
            method="SLSQP",
            constraints=[{"type": "eq", "fun": balance}, {"type": "ineq", "fun": within}],
            options={"maxiter": 500, "ftol": 1e-12},
        )
        assert found.success, found.message
        assert np.abs(balance(found.x)).max() < 1e-6
        if cost(found.x) > least - 1e-7 * size:
            return min(cost(found.x), least)
        start, least = found.x, cost(found.x)
