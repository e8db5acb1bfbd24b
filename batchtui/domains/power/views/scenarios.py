"""A row a scenario, how the batch went as a whole, what failed, and how a figure is spread over the scenarios."""

from __future__ import annotations

from statistics import fmean

from batchtui.domains.power.views.source import Grid
from batchtui.domains.power.views.tabled import figure, quantile, table, worst
from batchtui.errors import BadInput, nearest
from batchtui.model import Json
from batchtui.results.scenarios.columns import AGGREGATED
from batchtui.results.views.figures import is_figure, number
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Lines, Series, View

Rows = list[dict[str, Json]]
_RANKED = ("loading_max_pct", "objective", "loss_mw", "load_mw")
"""What scenarios are ranked by: the first that any of them has."""
_LEFT_OUT = ("error", "input_hash")
_BESIDE = ("task", "status", "error_kind", "attempts", "converged")
"""Shown where they differ; the header says the rest."""
_FIGURES = (
    "loading_max_pct", "n_overloads", "loss_mw", "slack_mw", "load_mw", "gen_mw", "vm_min", "vm_max", "n_vm_violations",
    "objective", "iterations", "duration_ms",
)  # fmt: skip


def scenarios(grid: Grid, options: Options) -> View:
    """The aggregated table, worst first, those that failed before all."""
    rows, note = grid.scenarios()
    ranked = ranked_by(rows)
    rows.sort(key=lambda row: (row["status"] == "ok", *worst(lambda r: figure(r.get(ranked)))(row)))
    names = _told(rows, ranked)
    cells = ([row.get(name) for name in names] for row in rows)
    rates = "" if any(is_figure(row.get("loading_max_pct")) for row in rows) else NO_RATINGS
    view = duration(grid, options, rows)
    return View(
        "scenarios", "Scenarios", table(names, cells, note, rates), view.picture, jobs_of(rows), summary(rows),
        view.choices, view.axes,
    )  # fmt: skip


NO_RATINGS = "no branch has a rating, so there is no loading"


def _told(rows: Rows, ranked: str) -> list[str]:
    """The columns that tell scenarios apart, the one they are ranked by first."""
    held = [n for n in AGGREGATED if n not in _LEFT_OUT and any(row.get(n) is not None for row in rows)]
    same = {n for n in _BESIDE if len({str(row.get(n)) for row in rows}) < 2}
    first = [name for name in ("scenario_id", ranked) if name in held]
    return first + [name for name in held if name not in same and name not in first]


def ranked_by(rows: Rows) -> str:
    return next((name for name in _RANKED if any(is_figure(row.get(name)) for row in rows)), "loss_mw")


def jobs_of(rows: Rows) -> tuple[str, ...]:
    return tuple(str(row["scenario_id"]) for row in rows)


def summary(rows: Rows) -> tuple[tuple[str, Json], ...]:
    """Counts, times and how many tries it took."""
    ok = [row for row in rows if row["status"] == "ok"]
    times = sorted(float(row["duration_ms"]) for row in ok if is_figure(row.get("duration_ms")))
    facts: list[tuple[str, Json]] = [("ok", len(ok)), ("error", len(rows) - len(ok))]
    if times:
        parts = times[0], fmean(times), quantile(times, 0.5), quantile(times, 0.95)
        facts.append(("ms min/mean/median/p95", " / ".join(number(part, 1) for part in parts)))
        if total := sum(times):
            facts.append(("a second", round(1000 * len(times) / total, 1)))
    tried = [row for row in rows if row.get("converged") is not None]
    if tried:
        facts.append(
            ("converged", f"{100 * sum(bool(row['converged']) for row in tried) / len(tried):.0f} %")
        )
    facts.append(("retries", sum(max(0, (row.get("attempts") or 1) - 1) for row in rows)))
    return tuple(facts)


def duration(grid: Grid, options: Options, rows: Rows | None = None) -> View:
    """A figure of every scenario from the largest to the least, over the share of scenarios that have at least as much."""
    note = ""
    if rows is None:
        rows, note = grid.scenarios()
    choices = tuple(name for name in _FIGURES if any(is_figure(row.get(name)) for row in rows))
    wanted = options.y or next(iter(choices), None)
    if wanted is not None and wanted not in choices:
        raise BadInput(
            f'no figure "{wanted}" of scenarios{nearest(wanted, choices) or "; there is " + ", ".join(choices)}'
        )
    held = [(float(value), row) for row in rows if wanted and is_figure(value := row.get(wanted))]
    held.sort(key=lambda pair: -pair[0])
    shares = [100 * (at + 1) / len(held) for at in range(len(held))]
    cells = [(row["scenario_id"], value, share) for (value, row), share in zip(held, shares, strict=True)]
    picture = (
        Lines((Series(wanted, shares, [value for value, _ in held]),), "% of scenarios", wanted)
        if wanted
        else None
    )
    return View(
        "duration", f"Duration curve of {wanted}" if wanted else "Duration curve",
        table(("scenario_id", wanted or "value", "share_pct"), cells, note), picture,
        jobs_of([row for _, row in held]), summary(rows), choices, (None, wanted),
    )  # fmt: skip


def failures(grid: Grid, options: Options) -> View:
    """What failed, by kind; `batchtui retry` takes those that another try may help."""
    rows, note = grid.scenarios()
    failed = sorted(
        (row for row in rows if row["status"] != "ok"), key=lambda row: str(row.get("error_kind"))
    )
    cells = [
        (
            row["scenario_id"],
            row.get("error_kind"),
            row.get("attempts"),
            str(row.get("error") or "").split("\n")[0],
        )
        for row in failed
    ]
    kinds: dict[str, int] = {}
    for row in failed:
        kinds[str(row.get("error_kind"))] = kinds.get(str(row.get("error_kind")), 0) + 1
    shown = table(
        ("scenario_id", "error_kind", "attempts", "error"),
        cells,
        note,
        "" if failed else "no scenario failed",
    )
    return View("failures", "Failures", shown, None, jobs_of(failed), tuple(kinds.items()))
