"""Whether a dispatch is an optimum, from the case's tables alone: the conditions of Karush, Kuhn and Tucker.

At an optimum the slope of the cost is held by the slopes of the limits that are reached, each pushing one way only.
Multipliers are sought by a linear programme, with none of the solver's own; so `optimality` knows nothing of how the
dispatch was found. For the DC model, which is convex where costs are, this is the least cost of all. Source of the model:
MATPOWER User's Manual, chapters 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from batchtui.domains.power.grids import case as idx
from batchtui.domains.power.grids.case import Case, bus_rows
from batchtui.model import Json

Floats = NDArray[np.float64]
Phasors = NDArray[np.complex128]
REACHED = 1e-2
"""pu (or radians) from a limit within which it may push; what it pushes counts by its distance."""


@dataclass(slots=True)
class Optimality:
    """How far a dispatch is from an optimum; all near 0 at one."""

    broken: float  # the most by which a balance or a limit is broken, pu
    slope: float  # of the cost, what no reached limit holds, as a part of the dearest price
    gap: float  # what multipliers and distances from limits come to, as a part of the cost
    cost: float


class _Net:
    """The case's arrays of what is in service."""

    def __init__(self, case: Case, *, dc: bool, powermodels: bool) -> None:
        bus = np.array(case.bus)
        rows = bus_rows(case)
        self.on = np.flatnonzero(bus[:, idx.BUS_TYPE] != idx.ISOLATED)
        place = {int(row): n for n, row in enumerate(self.on)}
        self.bus, self.base, self.dc = bus[self.on], case.baseMVA, dc
        self.gens = [
            n
            for n, row in enumerate(case.gen)
            if row[idx.GEN_STATUS] > 0 and rows.get(int(row[idx.GEN_BUS]), -1) in place
        ]
        self.gen = np.array([case.gen[n] for n in self.gens])
        self.gen_at = np.array([place[rows[int(row[idx.GEN_BUS])]] for row in self.gen])
        live = [
            row
            for row in case.branch
            if row[idx.BR_STATUS] > 0 and all(rows.get(int(row[end]), -1) in place for end in (0, 1))
        ]
        self.branch = np.array(live).reshape(-1, 13)
        self.ends = np.array([[place[rows[int(row[end])]] for end in (0, 1)] for row in live]).reshape(-1, 2)
        self.powermodels = powermodels


def optimality(case: Case, tables: dict[str, Json], *, dc: bool, powermodels: bool = False) -> Optimality:
    """Judge the dispatch in the tables of a solved scenario."""
    net = _Net(case, dc=dc, powermodels=powermodels)
    bus, gen = tables["bus"], tables["gen"]
    va = np.radians(np.array(bus["va_deg"], dtype=float)[net.on])
    vm = np.array(bus["vm_pu"], dtype=float)[net.on]
    pg = np.array(gen["p_mw"], dtype=float)[net.gens] / net.base
    qg = np.array(gen["q_mvar"], dtype=float)[net.gens] / net.base
    nb, ng = len(va), len(pg)
    balance, balances = _dc_balance(net, va, pg) if dc else _ac_balance(net, va, vm, pg, qg)
    limits = [
        *_generator_limits(net, pg, qg, nb),
        *_angle_limits(net, va, ng),
        *_flow_limits(net, va, vm, ng),
    ]
    if not dc:
        limits += [
            (sign * (vm[n] - net.bus[n, column]), _unit(2 * nb + 2 * ng, nb + n, sign))
            for n in range(nb)
            for column, sign in ((idx.VMAX, 1.0), (idx.VMIN, -1.0))
        ]
    cost, slope, pieces = _costs(case, net, pg, qg, nb)
    return _judged(net, cost, slope, pieces, (balance, balances), limits)


def _judged(
    net: _Net,
    cost: float,
    slope: Floats,
    pieces: list[list[tuple[float, Floats]]],
    equal: tuple[Floats, Floats],
    limits: list[tuple[float, Floats]],
) -> Optimality:
    """`pieces`: of each cost of pieces its lines, as what lies below the highest and the slope."""
    width, extra = len(slope), len(pieces)
    reached = [(over, np.pad(row, (0, extra))) for over, row in limits if over > -REACHED]
    for n, lines in enumerate(pieces):
        reached += [(-below, np.concatenate((row, _unit(extra, n, -1.0)))) for below, row in lines]
    held = net.bus[:, idx.BUS_TYPE] == idx.REF
    free = np.flatnonzero(~np.concatenate((held, np.zeros(width + extra - len(held), dtype=bool))))
    wanted = -np.concatenate((slope, np.ones(extra)))[free]
    balance, balances = equal
    force = np.vstack([np.pad(balances, ((0, 0), (0, extra))), *[row[None, :] for _, row in reached]])[
        :, free
    ].T
    size = max(1.0, float(np.abs(wanted).max()))
    apart = np.abs(np.array([over for over, _ in reached]))
    left, pushed = _held(force, wanted / size, apart)
    gap = float((pushed * size * apart).sum()) / max(1.0, abs(cost))
    worst = max([float(np.abs(balance).max()), *(over for over, _ in limits)])
    return Optimality(worst, left, gap, cost)


def _held(force: Floats, wanted: Floats, apart: Floats) -> tuple[float, Floats]:
    """The least that is left of `wanted`, and the multipliers of the limits, which are the last columns of `force`."""
    rows, columns = force.shape
    free = columns - len(apart)
    sizes = np.abs(force).max(axis=0)
    sizes[sizes == 0] = 1.0
    force = force / sizes
    worst = np.ones((rows, 1))
    found = linprog(
        np.concatenate((np.zeros(free), apart / sizes[free:], [1.0])),
        A_ub=sparse.csr_matrix(np.block([[force, -worst], [-force, -worst]])),
        b_ub=np.concatenate((wanted, -wanted)),
        bounds=[(None, None)] * free + [(0, None)] * (columns - free + 1),
    )
    assert found.success, found.message
    return float(found.x[-1]), found.x[free:-1] / sizes[free:]


def _unit(width: int, at: int, value: float) -> Floats:
    row = np.zeros(width)
    row[at] = value
    return row


def _costs(
    case: Case, net: _Net, pg: Floats, qg: Floats, nb: int
) -> tuple[float, Floats, list[list[tuple[float, Floats]]]]:
    """The cost, its slope by each variable, and the lines of each cost of pieces."""
    ng = len(pg)
    width = nb + ng if net.dc else 2 * (nb + ng)
    first = nb if net.dc else 2 * nb
    total, slope, pieces = 0.0, np.zeros(width), []
    powers = [(n, row, pg[n]) for n, row in enumerate(net.gens)]
    if not net.dc and len(case.gencost) == 2 * len(case.gen):
        powers += [(ng + n, len(case.gen) + row, qg[n]) for n, row in enumerate(net.gens)]
    for n, row, power in powers:
        given = case.gencost[row]
        count, mega = int(given[idx.NCOST]), power * net.base
        if given[idx.MODEL] == 2:
            polynomial = np.array(given[idx.COST : idx.COST + count])
            total += float(np.polyval(polynomial, mega))
            slope[first + n] = float(np.polyval(np.polyder(polynomial), mega)) * net.base
            continue
        points = np.array(given[idx.COST : idx.COST + 2 * count]).reshape(-1, 2)
        steep = np.diff(points[:, 1]) / np.diff(points[:, 0])
        lines = points[:-1, 1] + steep * (mega - points[:-1, 0])
        total += float(lines.max())
        near = REACHED * max(net.base * float(np.abs(steep).max()), float(np.abs(lines).max()))
        pieces.append(
            [
                (float(lines.max() - line), _unit(width, first + n, rise * net.base))
                for line, rise in zip(lines, steep, strict=True)
                if lines.max() - line <= near
            ]
        )
    return total, slope, pieces


def _generator_limits(net: _Net, pg: Floats, qg: Floats, nb: int) -> list[tuple[float, Floats]]:
    ng = len(pg)
    blocks = [(nb if net.dc else 2 * nb, pg, idx.PMAX, idx.PMIN)]
    if not net.dc:
        blocks.append((2 * nb + ng, qg, idx.QMAX, idx.QMIN))
    width = nb + ng if net.dc else 2 * (nb + ng)
    return [
        (sign * (power - net.gen[n, column] / net.base), _unit(width, begin + n, sign))
        for begin, powers, most, least in blocks
        for n, power in enumerate(powers)
        for column, sign in ((most, 1.0), (least, -1.0))
        if np.isfinite(net.gen[n, column])
    ]


def _angle_limits(net: _Net, va: Floats, ng: int) -> list[tuple[float, Floats]]:
    found = []
    width = len(va) + ng if net.dc else 2 * (len(va) + ng)
    for row, (one, other) in zip(net.branch, net.ends, strict=True):
        if row[idx.ANGMIN] == row[idx.ANGMAX] == 0:
            continue
        for column, sign in ((idx.ANGMAX, 1.0), (idx.ANGMIN, -1.0)):
            if abs(row[column]) < 360:
                line = _unit(width, one, sign) + _unit(width, other, -sign)
                found.append((sign * (va[one] - va[other] - np.radians(row[column])), line))
    return found


def _susceptances(net: _Net) -> tuple[Floats, Floats]:
    """Of the DC model, and the shifts that it takes."""
    r, x = net.branch[:, idx.BR_R], net.branch[:, idx.BR_X]
    if net.powermodels:
        return x / (r**2 + x**2), np.zeros(len(x))
    tap = np.where(net.branch[:, idx.TAP] == 0, 1.0, net.branch[:, idx.TAP])
    return 1 / (x * tap), np.radians(net.branch[:, idx.SHIFT])


def _dc_balance(net: _Net, va: Floats, pg: Floats) -> tuple[Floats, Floats]:
    nb, ng = len(va), len(pg)
    susceptance, shift = _susceptances(net)
    one, other = net.ends.T
    left = -(net.bus[:, idx.PD] + net.bus[:, idx.GS]) / net.base
    np.add.at(left, net.gen_at, pg)
    flow = susceptance * (va[one] - va[other] - shift)
    np.add.at(left, one, -flow)
    np.add.at(left, other, flow)
    slopes = np.zeros((nb, nb + ng))
    slopes[net.gen_at, nb + np.arange(ng)] = 1
    for bus, sign in ((one, -1), (other, 1)):
        np.add.at(slopes, (bus, one), sign * susceptance)
        np.add.at(slopes, (bus, other), -sign * susceptance)
    return left, slopes


def _admittances(net: _Net) -> tuple[Phasors, Phasors, Phasors]:
    """Of the buses, and of the branches' from and to ends."""
    nb, lines = len(net.bus), np.arange(len(net.branch))
    one, other = net.ends.T
    ratio = np.where(net.branch[:, idx.TAP] == 0, 1.0, net.branch[:, idx.TAP])
    tap = ratio * np.exp(1j * np.radians(net.branch[:, idx.SHIFT]))
    series = 1 / (net.branch[:, idx.BR_R] + 1j * net.branch[:, idx.BR_X])
    own = series + 0.5j * net.branch[:, idx.BR_B]
    begin, end = np.zeros((2, len(lines), nb), dtype=complex)
    begin[lines, one], begin[lines, other] = own / ratio**2, -series / np.conj(tap)
    end[lines, other], end[lines, one] = own, -series / tap
    whole = np.diag((net.bus[:, idx.GS] + 1j * net.bus[:, idx.BS]) / net.base)
    np.add.at(whole, one, begin)
    np.add.at(whole, other, end)
    return whole, begin, end


def _power(at: Phasors, matrix: Phasors, v: Phasors) -> tuple[Phasors, Phasors]:
    """The power at*v·conj(matrix·v), `at` picking the buses, and its slopes by angles and magnitudes."""
    here, current = at @ v, matrix @ v
    turn, unit = np.diag(v), np.diag(v / np.abs(v))
    by_angle = 1j * (np.conj(current)[:, None] * (at @ turn) - here[:, None] * np.conj(matrix @ turn))
    by_size = here[:, None] * np.conj(matrix @ unit) + np.conj(current)[:, None] * (at @ unit)
    return here * np.conj(current), np.hstack([by_angle, by_size])


def _ac_balance(net: _Net, va: Floats, vm: Floats, pg: Floats, qg: Floats) -> tuple[Floats, Floats]:
    nb, ng = len(va), len(pg)
    whole, _, _ = _admittances(net)
    power, slopes = _power(np.eye(nb, dtype=complex), whole, vm * np.exp(1j * va))
    left = -(net.bus[:, idx.PD] + 1j * net.bus[:, idx.QD]) / net.base - power
    np.add.at(left, net.gen_at, pg + 1j * qg)
    feeds = np.zeros((nb, ng))
    feeds[net.gen_at, np.arange(ng)] = 1
    none = np.zeros_like(feeds)
    rows = np.vstack([np.hstack([-slopes.real, feeds, none]), np.hstack([-slopes.imag, none, feeds])])
    return np.concatenate((left.real, left.imag)), rows


def _flow_limits(net: _Net, va: Floats, vm: Floats, ng: int) -> list[tuple[float, Floats]]:
    rating = net.branch[:, idx.RATE_A] / net.base
    rated = np.flatnonzero((rating > 0) & (net.branch[:, idx.RATE_A] < 1e10))
    nb = len(va)
    found = []
    if net.dc:
        susceptance, shift = _susceptances(net)
        for line in rated:
            one, other = net.ends[line]
            flow = susceptance[line] * (va[one] - va[other] - shift[line])
            row = _unit(nb + ng, one, susceptance[line]) + _unit(nb + ng, other, -susceptance[line])
            found += [(flow - rating[line], row), (-flow - rating[line], -row)]
        return found
    _, *matrices = _admittances(net)
    v = vm * np.exp(1j * va)
    for end, matrix in enumerate(matrices):
        at = np.zeros((len(rated), nb), dtype=complex)
        at[np.arange(len(rated)), net.ends[rated, end]] = 1
        power, slopes = _power(at, matrix[rated], v)
        size = np.maximum(np.abs(power), 1e-12)
        rows = np.hstack(
            [(np.conj(power)[:, None] * slopes).real / size[:, None], np.zeros((len(rated), 2 * ng))]
        )
        found += list(zip((size - rating[rated]).tolist(), rows, strict=True))
    return found
