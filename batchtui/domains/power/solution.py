"""Solved states as tables and as the figures of a summary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from batchtui.domains.power.solving.network.grid import Floats, Grid
from batchtui.model import Json
from batchtui.results.scenarios.columns import Columns

VOLTAGE_SLACK: Final = 1e-6
"""pu by which a voltage may pass its limit: a generator holds a bus exactly there."""
FULL: Final = 100.0 + 1e-6
"""Percent above which a branch is overloaded."""


@dataclass(slots=True)
class Solution:
    """One solved scenario: figures by the columns of the aggregated results, tables by name."""

    summary: dict[str, Json]
    tables: dict[str, Columns] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """Solved states of n scenarios on a grid, or of one with the first axis left out. Units as `sweep.States`."""

    vm: Floats
    va: Floats
    pf: Floats
    qf: Floats
    pt: Floats
    qt: Floats
    pg: Floats
    qg: Floats
    pd: Floats
    qd: Floats
    joined_pd: Floats  # of it, what joined buses take
    joined_qd: Floats


def loadings(grid: Grid, pf: Floats, qf: Floats, pt: Floats, qt: Floats) -> Floats:
    """The larger apparent power of both ends over the rating, percent; nan without a rating or out of service."""
    found: Floats = np.sqrt(np.maximum(pf**2 + qf**2, pt**2 + qt**2)) * (100.0 / grid.rating)
    return found


def net(grid: Grid, made: Floats, used: Floats) -> Floats:
    """Generation less demand by bus, of arrays whose last axes are generators and buses."""
    found = -used
    for gen, row in enumerate(grid.gen_row.tolist()):
        found[..., row] += made[..., gen]
    return found


def branch_table(grid: Grid, state: State, loading: Floats, number: int) -> dict[str, Json]:
    """The branch table of row `number`."""
    pf, pt = state.pf[number], state.pt[number]
    return {
        "branch_id": np.arange(1, len(pf) + 1),
        "from_bus": grid.from_bus,
        "to_bus": grid.to_bus,
        "flow_mw": pf,
        "q_from_mvar": state.qf[number],
        "p_to_mw": pt,
        "q_to_mvar": state.qt[number],
        "loading_pct": loading[number],
        "loss_mw": pf + pt,
    }


def bus_table(grid: Grid, state: State, p: Floats, q: Floats, number: int, **more: Floats) -> dict[str, Json]:
    """The bus table of row `number`; p and q are the net injections. `more`: further columns, by row of the case."""
    found: dict[str, Json] = {
        "bus_id": grid.bus_id,
        "vm_pu": state.vm[number],
        "va_deg": state.va[number],
        "p_mw": p[number],
        "q_mvar": q[number],
        "vmin": grid.vmin,
        "vmax": grid.vmax,
        **more,
    }
    if grid.joined is not None:
        grid.joined.table(found, state.joined_pd[number], state.joined_qd[number])
    return found


def summaries(grid: Grid, state: State, loading: Floats, *, dc: bool) -> list[dict[str, Json]]:
    """The figures of each row; what DC does not know (voltages) is None."""
    at_root = np.isin(grid.gen_row, grid.roots) & grid.gen_on
    sums = {
        "load_mw": state.pd.sum(axis=1),
        "gen_mw": state.pg.sum(axis=1),
        "loss_mw": np.nansum(state.pf + state.pt, axis=1),
        "slack_mw": state.pg[:, at_root].sum(axis=1),
    }
    found: list[dict[str, Json]] = [
        dict(zip(sums, values, strict=True))
        for values in zip(*(column.tolist() for column in sums.values()), strict=True)
    ]
    if not dc:
        _add_voltages(grid, state.vm, found)
    _add_loadings(loading, found)
    return found


def _add_voltages(grid: Grid, vm: Floats, found: Sequence[dict[str, Json]]) -> None:
    vm = np.where(grid.inside, np.nan, vm)
    seen = np.round(vm, 9)  # so that of equal voltages the first is named
    low, high = np.nanargmin(seen, axis=1), np.nanargmax(seen, axis=1)
    outside = (vm < grid.vmin - VOLTAGE_SLACK) | (vm > grid.vmax + VOLTAGE_SLACK)
    for number, (summary, count) in enumerate(zip(found, outside.sum(axis=1).tolist(), strict=True)):
        summary["vm_min"] = float(vm[number, low[number]])
        summary["vm_min_bus"] = int(grid.bus_id[low[number]])
        summary["vm_max"] = float(vm[number, high[number]])
        summary["vm_max_bus"] = int(grid.bus_id[high[number]])
        summary["n_vm_violations"] = count


def _add_loadings(loading: Floats, found: Sequence[dict[str, Json]]) -> None:
    """Nothing is added where no branch has a rating."""
    known = np.nan_to_num(loading, nan=-math.inf)
    for number, summary in enumerate(found):
        worst = int(known[number].argmax()) if known.shape[1] else -1
        if worst >= 0 and known[number, worst] >= 0:
            summary["loading_max_pct"] = float(known[number, worst])
            summary["loading_max_branch"] = worst + 1
            summary["n_overloads"] = int((known[number] > FULL).sum())
