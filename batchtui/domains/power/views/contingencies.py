"""Outages ranked by what they do, and the flows after one of them."""

from __future__ import annotations

from batchtui.domains.power.views.source import Columns, Grid
from batchtui.domains.power.views.tabled import bars, figure, table, worst
from batchtui.errors import BadInput, NotFound
from batchtui.model import Json
from batchtui.results.views.figures import is_figure
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import View
from batchtui.text import cell

MOST_ROWS = 20_000
_RANKING = (
    "outage_branch_id", "from_bus", "to_bus", "status", "worst_branch_id", "worst_loading_pct", "n_overloads",
    "islanded_mw", "vm_min", "vm_min_bus", "performance_index", "max_flow_change_mw", "loss_mw",
)  # fmt: skip
_FLOWS = ("outage_branch_id", "branch_id", "flow_mw", "loading_pct")
_BRANCHES = ("branch_id", "from_bus", "to_bus", "flow_mw")
NO_RATINGS = "no branch has a rating: ranked by the largest change of a flow"
Row = dict[str, Json]


def ranking(grid: Grid, options: Options) -> View:
    """A row an outage, worst first: by the worst loading, ties by the performance index; then those without a solution.

    Where no branch has a rating, by the largest change of a flow. Enter leads to the flows after the outage.
    """
    rows = _read(grid)
    rated = any(is_figure(row["worst_loading_pct"]) for row in rows)
    main, tie = ("worst_loading_pct", "performance_index") if rated else ("max_flow_change_mw", "loss_mw")
    rows.sort(key=lambda row: (worst(lambda r: figure(r[main]))(row), worst(lambda r: figure(r[tie]))(row)))
    several = len({row["scenario_id"] for row in rows}) > 1
    held = [name for name in _RANKING[3:] if name != main and any(row[name] is not None for row in rows)]
    names = ["outage", *(["scenario_id"] if several else []), main, *held]
    shown = rows[:MOST_ROWS]
    cells = [[_name(row) if n == "outage" else row.get(n) for n in names] for row in shown]
    notes = (
        "" if rows else grid.without("contingency"),
        NO_RATINGS if rows and not rated else "",
        f"the worst {MOST_ROWS:,} of {len(rows):,}" if len(rows) > MOST_ROWS else "",
    )
    unit = "% loading of the worst branch" if rated else "MW, largest change of a flow"
    pairs = [
        (f"{_name(row)} {row['scenario_id']}" if several else _name(row), figure(row[main])) for row in rows
    ]
    facts: list[tuple[str, Json]] = [("outages", len(rows))]
    for status in ("islanded", "diverged"):
        facts.append((status, sum(row["status"] == status for row in rows)))
    if rated:
        facts.append(("with overloads", sum((row["n_overloads"] or 0) > 0 for row in rows)))
    return View(
        "contingencies", "Contingencies", table(names, cells, *notes), bars(pairs, unit),
        tuple(str(row["scenario_id"]) for row in shown), tuple(facts),
        opens=tuple(("flows", f"{row['outage_branch_id']} {row['scenario_id']}") for row in shown),
    )  # fmt: skip


def flows(grid: Grid, options: Options) -> View:
    """The flows after one outage beside those before it, the most loaded first; of the worst outage where none is named.

    `options.row` is `<branch> <scenario>`.
    """
    outage, scenario = _asked(grid, options)
    after = _of_outage(grid.table(scenario, "contingency_flows", _FLOWS), outage)
    before = grid.table(scenario, "branch", _BRANCHES)
    base = dict(zip(before["branch_id"], before["flow_mw"], strict=True))
    ends = {
        b: f"{f}-{t}"
        for b, f, t in zip(before["branch_id"], before["from_bus"], before["to_bus"], strict=True)
    }
    rows = []
    for branch, flow, percent in zip(after["branch_id"], after["flow_mw"], after["loading_pct"], strict=True):
        was = base.get(branch)
        change = flow - was if is_figure(flow) and is_figure(was) else None
        rows.append((branch, ends.get(branch, ""), flow, was, change, percent))
    rated = any(is_figure(row[5]) for row in rows)
    rows.sort(key=worst(lambda row: figure(row[5]) if rated else None if row[4] is None else abs(row[4])))
    name = f"{outage} {ends.get(outage, '')}".strip()
    pairs = [(f"{row[0]} {row[1]}", figure(row[5] if rated else row[4])) for row in rows]
    names = ("branch_id", "between", "flow_mw", "before_mw", "change_mw", "loading_pct")
    note = "" if any(row[2] is not None for row in rows) else "this outage has no solution"
    return View(
        "flows", f"Flows after the outage of {name}", table(names, rows, note, "" if rated else "no branch has a rating"),
        bars(pairs, "% of the rating" if rated else "MW more or less than before"), (scenario,) * len(rows),
        (("outage", name), ("scenario", scenario)),
    )  # fmt: skip


def _asked(grid: Grid, options: Options) -> tuple[int, str]:
    if options.row is None:
        view = ranking(grid, Options())
        if not view.opens:
            raise NotFound(
                f"batch {grid.folder.id}: {grid.without('contingency') or 'there is no contingency'}"
            )
        return _asked(grid, Options(row=view.opens[0][1]))
    branch, _, scenario = options.row.partition(" ")
    if not branch.isdecimal():
        raise BadInput(
            f'"{cell(options.row, 60)}" is no outage; expected its branch and the scenario, such as "104 base"'
        )
    if not scenario:
        scenario = next(iter(_read(grid)), {}).get("scenario_id", "")
    return int(branch), scenario


def _of_outage(found: Columns, outage: int) -> Columns:
    places = [n for n, branch in enumerate(found["outage_branch_id"]) if branch == outage]
    if not places:
        raise NotFound(f"branch {outage} was not taken out, or its outage has no solution")
    return {name: [values[n] for n in places] for name, values in found.items()}


def _read(grid: Grid) -> list[Row]:
    rows: list[Row] = []
    for chunk in grid.chunks("contingency", _RANKING):
        names = list(chunk)
        rows += [dict(zip(names, values, strict=True)) for values in zip(*chunk.values(), strict=True)]
    return [row for row in rows if row["outage_branch_id"] is not None]


def _name(row: Row) -> str:
    return f"{row['outage_branch_id']} {row['from_bus']}-{row['to_bus']}"
