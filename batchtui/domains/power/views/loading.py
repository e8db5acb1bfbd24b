"""Loading of branches over the scenarios: the worst branches as a field, or their flows where nothing has a rating."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from statistics import fmean

from batchtui.amounts import counted
from batchtui.domains.power.views.source import Grid
from batchtui.domains.power.views.tabled import quantile, table
from batchtui.results.views.figures import is_figure
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Cell, Heat, View

MOST_BRANCHES, MOST_COLUMNS = 30, 48
STEPS = (50.0, 80.0, 90.0, 100.0)
_SHARES = tuple(at / 20 for at in range(21))
NO_RATINGS = "no branch has a rating: ranked by how far a flow is from its mean over the scenarios"


@dataclass(slots=True)
class _Branch:
    """`loadings` and `flows` by scenario, in the order of `scenarios`; a loading is NaN where there is no rating."""

    ends: str
    scenarios: list[str] = field(default_factory=list)
    loadings: array[float] = field(default_factory=lambda: array("d"))
    flows: array[float] = field(default_factory=lambda: array("d"))

    @property
    def rated(self) -> list[int]:
        """Places that have a loading."""
        return [at for at, value in enumerate(self.loadings) if value == value]


def loading(grid: Grid, options: Options) -> View:
    """A row a branch, worst first, and the worst 30 as a field of branch over scenario.

    Of many scenarios the columns are quantiles of each branch's own values.
    """
    branches = _read(grid)
    rated = {branch: held for branch, held in branches.items() if held.rated}
    loads = {branch: [held.loadings[at] for at in held.rated] for branch, held in rated.items()}
    note = "" if branches else grid.without("branch")
    if branches and not rated:
        return _flows(branches)
    order = sorted(rated, key=lambda branch: -max(loads[branch]))
    rows: list[tuple[Cell, ...]] = []
    jobs = []
    for branch in order:
        held = rated[branch]
        top = max(loads[branch])
        at = held.loadings.index(top)
        over = sum(1 for value in loads[branch] if value > 100)
        rows.append((branch, held.ends, top, fmean(loads[branch]), over, held.scenarios[at], held.flows[at]))
        jobs.append(held.scenarios[at])
    names = (
        "branch_id",
        "between",
        "loading_max_pct",
        "loading_mean_pct",
        "overloads",
        "scenario_id",
        "flow_mw",
    )
    unrated = len(branches) - len(rated)
    notes = (
        note,
        f"{counted(unrated, 'branch', 'branches')} without a rating {'is' if unrated == 1 else 'are'} left out"
        if unrated
        else "",
    )
    kept = {branch: rated[branch] for branch in order[:MOST_BRANCHES]}
    known = {b: [v if v == v else None for v in held.loadings] for b, held in kept.items()}
    picture = _field(kept, known, STEPS, "% rate A")
    over = sum(1 for branch in order if max(loads[branch]) > 100)
    facts = (("branches", len(order)), ("overloaded in any", over), ("scenarios", _scenarios(branches)))
    return View("loading", "Loading of branches", table(names, rows, *notes), picture, tuple(jobs), facts)


def _flows(branches: dict[int, _Branch]) -> View:
    means = {branch: fmean(held.flows) for branch, held in branches.items()}
    away = {branch: [abs(f - means[branch]) for f in held.flows] for branch, held in branches.items()}
    order = sorted(branches, key=lambda branch: -max(away[branch]))
    rows: list[tuple[Cell, ...]] = []
    jobs = []
    for branch in order:
        held, top = branches[branch], max(away[branch])
        at = away[branch].index(top)
        rows.append((branch, held.ends, top, means[branch], held.scenarios[at], held.flows[at]))
        jobs.append(held.scenarios[at])
    kept = {branch: branches[branch] for branch in order[:MOST_BRANCHES]}
    every = sorted(value for branch in kept for value in away[branch])
    steps = tuple(dict.fromkeys(quantile(every, share) for share in (0.5, 0.75, 0.9, 0.97))) if every else ()
    names = ("branch_id", "between", "change_mw", "mean_mw", "scenario_id", "flow_mw")
    picture = _field(
        kept,
        {b: away[b] for b in kept},
        tuple(round(step, 3) for step in steps if step > 0),
        "MW from mean",
    )
    facts = (("branches", len(order)), ("scenarios", _scenarios(branches)))
    return View("loading", "Flows of branches", table(names, rows, NO_RATINGS), picture, tuple(jobs), facts)


def _read(grid: Grid) -> dict[int, _Branch]:
    branches: dict[int, _Branch] = {}
    names = ("branch_id", "from_bus", "to_bus", "flow_mw", "loading_pct")
    for chunk in grid.chunks("branch", names):
        lists = (chunk[name] for name in ("scenario_id", *names))
        for scenario, branch, start, end, flow, percent in zip(*lists, strict=True):
            if branch is None or not is_figure(flow):
                continue
            held = branches.get(branch)
            if held is None:
                held = branches[branch] = _Branch(f"{start}-{end}")
            held.loadings.append(percent if is_figure(percent) else nan)
            held.flows.append(flow)
            held.scenarios.append(scenario)
    return branches


def _scenarios(branches: dict[int, _Branch]) -> int:
    return max((len(held.scenarios) for held in branches.values()), default=0)


def _field(
    kept: dict[int, _Branch],
    values: Mapping[int, Sequence[float | None]],
    steps: tuple[float, ...],
    unit: str,
) -> Heat | None:
    if not kept:
        return None
    rows = [f"{branch} {held.ends}" for branch, held in kept.items()]
    columns = list(dict.fromkeys(s for held in kept.values() for s in held.scenarios))
    if len(columns) > MOST_COLUMNS:
        ordered = [sorted(value for value in values[branch] if value is not None) for branch in kept]
        shown = [[quantile(one, share) for share in _SHARES] for one in ordered]
        return Heat(
            rows,
            [f"{100 * share:.0f}%" for share in _SHARES],
            list(map(_cells, shown)),
            steps,
            f"{unit}: quantiles",
        )
    by_scenario = [dict(zip(held.scenarios, values[branch], strict=True)) for branch, held in kept.items()]
    return Heat(rows, columns, [[held.get(s) for s in columns] for held in by_scenario], steps, unit)


def _cells(values: Iterable[float]) -> list[float | None]:
    return list(values)
