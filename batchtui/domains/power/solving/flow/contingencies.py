"""Task `n1`: the loss of each branch in turn, from a scenario's own state.

The AC equations are solved, or with `dc_model` the linear ones. Branches whose loss splits the grid are found by
search and not solved. Tables: `contingency`, one row a branch in service, in the case's order; `contingency_flows`,
what every branch then carries; `branch` and `bus`, the state before. The summary's figures are of the state before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.scenarios.outages import bridges
from batchtui.domains.power.scenarios.scenario import Scenario
from batchtui.domains.power.solution import (
    FULL,
    Solution,
    State,
    branch_table,
    bus_table,
    loadings,
    net,
    summaries,
)
from batchtui.domains.power.solving.flow.flows import not_converged, outcome, state_of
from batchtui.domains.power.solving.flow.sweep import solve
from batchtui.domains.power.solving.network.grid import (
    Bools,
    Floats,
    Grid,
    Injections,
    Ints,
    grid_of,
    injections_of,
)
from batchtui.model import Json

AT_ONCE: Final = 256
"""Outages in one call, so that memory stays bounded on large grids."""
MOST_FLOWS: Final = 1_000_000
"""Rows of `contingency_flows`; on grids with more, only the branches loaded most after each outage are kept."""
EXPONENT: Final = 2
"""n of the performance index: the sum over rated branches of (flow / rating)^(2n), Ejebe and Wollenberg 1979."""


def solve_contingencies(scenarios: Sequence[Scenario]) -> Iterator[Solution | Fault]:
    """Solve the scenarios one by one; one whose own state does not converge gives a Fault (not_converged)."""
    first = scenarios[0]
    dc = first.options.is_linear
    grid = grid_of(first.case, first.roots, first.options.dc_model)
    for scenario in scenarios:
        yield _solved(grid, scenario, dc)


def _solved(grid: Grid, scenario: Scenario, dc: bool) -> Solution | Fault:
    given = injections_of(grid, [scenario])
    states = solve(grid, given, dc=dc)
    if not states.converged[0]:
        return not_converged(grid, dc)
    before = state_of(grid, states, given, dc)
    loading = loadings(grid, before.pf, before.qf, before.pt, before.qt)
    p, q = net(grid, before.pg, before.pd), net(grid, before.qg, before.qd)
    islands = bridges(scenario.case, scenario.outages.branches, grid.roots)
    table = _Contingencies(grid, scenario, before, islands)
    start = np.where(grid.bus_on, states.voltages[0], 1.0)
    rows = np.array([row for row in table.outages.tolist() if row not in islands], dtype=np.int64)
    for begin in range(0, len(rows), AT_ONCE):
        chunk = rows[begin : begin + AT_ONCE]
        lost = _without(given, chunk)
        after = solve(grid, lost, dc=dc, start=start)
        table.add(chunk, after.converged, state_of(grid, after, lost, dc), dc)
    return Solution(
        {**outcome(states, 0), **summaries(grid, before, loading, dc=dc)[0]},
        {
            "branch": branch_table(grid, before, loading, 0),
            "bus": bus_table(grid, before, p, q * (not dc), 0),
            "contingency": table.contingency(),
            "contingency_flows": table.flows(),
        },
    )


def _without(given: Injections, branches: Ints) -> Injections:
    """The one scenario's injections, once for the loss of each branch."""
    count = len(branches)
    found = Injections(
        **{name: np.repeat(getattr(given, name), count, axis=0) for name in Injections.__slots__}
    )
    found.branch_out[np.arange(count), branches] = True
    return found


class _Contingencies:
    """The outcome of each outage, filled in chunk by chunk; what is not known stays nan."""

    def __init__(self, grid: Grid, scenario: Scenario, before: State, islands: dict[int, list[int]]) -> None:
        self._grid = grid
        self._before = before
        gone = set(scenario.outages.branches)
        self.outages = np.array(
            [r for r in np.flatnonzero(grid.branch_on).tolist() if r not in gone], dtype=np.int64
        )
        self._place = {row: place for place, row in enumerate(self.outages.tolist())}
        self._status = ["islanded" if row in islands else "diverged" for row in self.outages.tolist()]
        self._figures: dict[str, list[Json]] = {
            name: [None] * len(self.outages)
            for name in (
                "worst_branch_id", "worst_loading_pct", "n_overloads", "islanded_mw", "vm_min", "vm_min_bus",
                "performance_index", "max_flow_change_mw", "loss_mw",
            )
        }  # fmt: skip
        for row, lost in islands.items():
            if row in self._place:
                self._figures["islanded_mw"][self._place[row]] = float(before.pd[0, lost].sum())
        branches = max(1, len(grid.branch_on))
        self._kept = max(1, min(branches, MOST_FLOWS // max(1, len(self.outages))))
        self._flows: list[tuple[Ints, Ints, Floats, Floats]] = []

    def add(self, rows: Ints, converged: Bools, after: State, dc: bool) -> None:
        """The states after the loss of each of these branches."""
        grid, figures = self._grid, self._figures
        loading = loadings(grid, after.pf, after.qf, after.pt, after.qt)
        change = np.abs(np.nan_to_num(after.pf) - np.nan_to_num(self._before.pf[0]))
        change[np.arange(len(rows)), rows] = 0.0  # of the branch itself: always all that it carried
        seen = np.nan_to_num(loading, nan=-math.inf)
        worst = seen.argmax(axis=1)
        index = np.nansum((loading / 100.0) ** (2 * EXPONENT), axis=1)
        losses = np.nansum(after.pf + after.pt, axis=1)
        for number in np.flatnonzero(converged).tolist():
            place = self._place[int(rows[number])]
            self._status[place] = "ok"
            figures["max_flow_change_mw"][place] = float(change[number].max())
            figures["loss_mw"][place] = float(losses[number])
            if seen[number, worst[number]] >= 0:
                figures["worst_branch_id"][place] = int(worst[number]) + 1
                figures["worst_loading_pct"][place] = float(seen[number, worst[number]])
                figures["n_overloads"][place] = int((seen[number] > FULL).sum())
                figures["performance_index"][place] = float(index[number])
            if not dc:
                seen_vm = np.where(grid.inside, np.nan, after.vm[number])
                low = int(np.nanargmin(np.round(seen_vm, 9)))
                figures["vm_min"][place] = float(after.vm[number, low])
                figures["vm_min_bus"][place] = int(grid.bus_id[low])
        self._keep_flows(rows[converged], after.pf[converged], loading[converged])

    def _keep_flows(self, rows: Ints, pf: Floats, loading: Floats) -> None:
        count, branches = pf.shape
        if self._kept >= branches:
            which = np.broadcast_to(np.arange(branches), (count, branches))
        else:
            weight = np.where(np.isnan(loading), np.abs(np.nan_to_num(pf)) * 1e-6, loading)
            which = np.sort(np.argpartition(-weight, self._kept - 1, axis=1)[:, : self._kept], axis=1)
        outage = np.repeat(rows + 1, which.shape[1])
        picked = np.take_along_axis(pf, which, axis=1), np.take_along_axis(loading, which, axis=1)
        self._flows.append((outage, which.reshape(-1) + 1, picked[0].reshape(-1), picked[1].reshape(-1)))

    def contingency(self) -> dict[str, Json]:
        return {
            "outage_branch_id": self.outages + 1,
            "from_bus": self._grid.from_bus[self.outages],
            "to_bus": self._grid.to_bus[self.outages],
            "status": self._status,
            **self._figures,
        }

    def flows(self) -> dict[str, Json]:
        names = ("outage_branch_id", "branch_id", "flow_mw", "loading_pct")
        if not self._flows:
            return {name: [] for name in names}
        return {
            name: np.concatenate(parts)
            for name, parts in zip(names, zip(*self._flows, strict=True), strict=True)
        }
