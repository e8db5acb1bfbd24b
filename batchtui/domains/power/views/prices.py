"""What an optimal power flow found: the objective, the prices at the buses, and the branches that bind."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from batchtui.domains.power.views.source import Grid
from batchtui.domains.power.views.tabled import bars, figure, table, worst
from batchtui.results.views.figures import is_figure
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Lines, Series, View

BINDS = 1e-4
"""Shadow prices below this, in currency per MWh, are the solver's noise."""


def objectives(grid: Grid, options: Options) -> View:
    """A row a scenario, the dearest first: objective, prices over its buses, binding branches."""
    prices = _by_scenario(grid)
    binding = _binding(grid)
    rows, note = grid.scenarios()
    found = []
    for row in rows:
        scenario = str(row["scenario_id"])
        if not is_figure(row.get("objective")):
            continue
        held, bound = prices.get(scenario) or [], binding.get(scenario) or {}
        top = max(bound, key=lambda b: bound[b], default=None)
        spread = (min(held), fmean(held), max(held)) if held else (None, None, None)
        found.append((scenario, row["objective"], *spread, len(bound), top, bound.get(top) if top else None))
    found.sort(key=worst(lambda row: figure(row[1])))
    names = (
        "scenario_id", "objective", "min_lmp", "mean_lmp", "max_lmp", "n_binding", "dearest_branch", "shadow_price",
    )  # fmt: skip
    objective = [float(row[1]) for row in found]
    shares = [100 * (at + 1) / len(found) for at in range(len(found))]
    picture = (
        Lines((Series("objective", shares, objective),), "% of scenarios", "objective") if found else None
    )
    facts = (("scenarios", len(found)), ("with binding branches", sum(row[5] > 0 for row in found)))
    empty = "" if found else grid.without("bus") or "no scenario has an objective"
    return View(
        "opf",
        "Optimal power flow",
        table(names, found, note, empty),
        picture,
        tuple(row[0] for row in found),
        facts,
    )


def prices(grid: Grid, options: Options) -> View:
    """A row a bus: its price over the scenarios, least, mean and largest; the largest spread first."""
    by_bus: dict[int, list[float]] = defaultdict(list)
    for chunk in grid.chunks("bus", ("bus_id", "lmp")):
        for bus, lmp in zip(chunk["bus_id"], chunk["lmp"], strict=True):
            if bus is not None and is_figure(lmp):
                by_bus[bus].append(lmp)
    rows = [(bus, min(held), fmean(held), max(held)) for bus, held in by_bus.items()]
    places = [float(bus) for bus in by_bus]
    picture = None
    if rows:
        parts = zip(("least", "mean", "largest"), (1, 2, 3), strict=True)
        series = tuple(Series(name, places, [float(row[at]) for row in rows]) for name, at in parts)
        picture = Lines(
            series[1:2] if len(next(iter(by_bus.values()))) == 1 else series, "bus", "price per MWh"
        )
    rows.sort(key=worst(lambda row: row[3]))
    names = ("bus_id", "min_lmp", "mean_lmp", "max_lmp")
    return View(
        "prices",
        "Prices at the buses",
        table(names, rows, "" if rows else grid.without("bus") or "no bus has a price"),
        picture,
    )


def binding(grid: Grid, options: Options) -> View:
    """A row a branch that binds in any scenario: in how many, and its shadow price."""
    held: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for scenario, bound in _binding(grid).items():
        for branch, price in bound.items():
            held[branch].append((price, scenario))
    rows = [(b, len(found), fmean(p for p, _ in found), *max(found)) for b, found in held.items()]
    rows.sort(key=worst(lambda row: row[3]))
    names = ("branch", "scenarios", "mean_shadow_price", "max_shadow_price", "scenario_id")
    picture = bars([(row[0], row[3]) for row in rows], "largest shadow price per MWh")
    shown = table(names, rows, "" if rows else grid.without("branch") or "no branch binds")
    return View("binding", "Binding branches", shown, picture, tuple(row[4] for row in rows))


def _by_scenario(grid: Grid) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for chunk in grid.chunks("bus", ("lmp",)):
        for scenario, lmp in zip(chunk["scenario_id"], chunk["lmp"], strict=True):
            if is_figure(lmp):
                found[scenario].append(lmp)
    return found


def _binding(grid: Grid) -> dict[str, dict[str, float]]:
    """By scenario: the branches that bind, each with the size of its shadow price."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    names = ("branch_id", "from_bus", "to_bus", "shadow_price")
    for chunk in grid.chunks("branch", names):
        for scenario, branch, start, end, price in zip(
            *(chunk[n] for n in ("scenario_id", *names)), strict=True
        ):
            if is_figure(price) and abs(price) > BINDS:
                found[scenario][f"{branch} {start}-{end}"] = abs(price)
    return found
