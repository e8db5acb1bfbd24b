"""Views of energy models: a batch's runs, one run, or two side by side.

Over a whole batch a table has one row a run, over one run or two it has their figures. Differences are the second
run's less the first's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from batchtui.catalog import card_of
from batchtui.domains.energy.views.sections import (
    MOST_RUNS,
    Run,
    cell_at,
    is_number,
    pair_of,
    run_of,
    runs_of,
)
from batchtui.domains.energy.views.series import (
    HOURLY,
    LINES_AT_ONCE,
    MONTHLY,
    Sort,
    by_month,
    drawn_column,
    in_short,
    lines,
    table_of,
    table_of_two,
)
from batchtui.domains.energy.views.tables import (
    BARS_AT_ONCE,
    Figures,
    Named,
    bars,
    changes,
    chosen,
    column,
    row_a_figure,
    row_a_run,
    varying,
)
from batchtui.errors import NotFound, nearest
from batchtui.model import JOB_STATES, JobState, Json
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Bars, Cell, Column, Table, View
from batchtui.store.folder import BatchFolder

FAMILY = "energy"
TITLES = {
    "summary": "Energy yield",
    "monthly": "Months",
    "hourly": "Hours",
    "losses": "Losses",
    "blocks": "Blocks",
}
_SECTIONS = {
    "monthly": MONTHLY.section,
    "hourly": HOURLY.section,
    "losses": "losses",
    "blocks": "blockSummary",
}
MOST_SERIES = 200
"""Runs whose hours are read for a view over a batch."""


def names(folder: BatchFolder) -> list[tuple[str, str]]:
    """The views that the first completed run has something for; all of them while none has completed."""
    card = card_of(folder.header.kind)
    if card is None or FAMILY not in (*card.views, *card.views_if_found):
        return []
    if not folder.progress.counts()[JobState.COMPLETED]:
        return list(TITLES.items()) if FAMILY in card.views else []
    first = next(runs_of(folder, 1), None)
    if first is None:
        return []
    return [pair for pair in TITLES.items() if pair[0] == "summary" or first.sections.get(_SECTIONS[pair[0]])]


def build(folder: BatchFolder, name: str, options: Options) -> View:
    """One view; blocks while it reads. Raises NotFound for an unknown view or job, BadInput for a column that is none."""
    if name not in TITLES:
        raise NotFound(f'no view "{name}"{nearest(name, TITLES)}')
    if not options.jobs:
        return _of_batch(folder, name, options.y, options.among)
    one, *others = options.jobs
    runs = pair_of(folder, one, others[0]) if others else (run_of(folder, one),)
    return _of_runs(name, runs, options.y)


# ---- a whole batch


def _of_batch(folder: BatchFolder, name: str, wanted: str | None, among: frozenset[str] | None) -> View:
    most = MOST_SERIES if name == "hourly" else MOST_RUNS
    runs = runs_of(folder, most, among)
    match name:
        case "monthly":
            return _series_of_batch(folder, name, MONTHLY, by_month, runs, wanted, most)
        case "hourly":
            return _series_of_batch(folder, name, HOURLY, in_short, runs, wanted, most)
        case "blocks":
            table, jobs = _blocks(runs)
            return View(
                name, TITLES[name], Table(table.columns, table.rows, _missing(folder, most)), None, jobs
            )
    figures: list[tuple[str, Named]] = []
    for run in runs:
        held: Figures = run.figures() if name == "summary" else dict(run.losses())
        figures.append((run.job_id, (run.label, held)))
    table = row_a_run(figures, _missing(folder, most))
    jobs, named = tuple(job_id for job_id, _ in figures), [held for _, held in figures]
    choices = tuple(dict.fromkeys(key for _, held in named for key, v in held.items() if is_number(v)))
    if name == "losses" and wanted is None:
        facts = _facts(len(figures), "mean over the runs")
        return View(name, TITLES[name], table, _means(named, choices), jobs, facts, choices)
    drawn = chosen(wanted, choices, varying(named))
    facts = _facts(len(figures), drawn, BARS_AT_ONCE)
    return View(name, TITLES[name], table, _bars(named, drawn), jobs, facts, choices, (None, drawn))


def _means(runs: Sequence[Named], keys: Sequence[str]) -> Bars | None:
    """Each figure's mean over the runs that have it."""
    held = ((key, [float(v) for _, figures in runs if is_number(v := figures.get(key))]) for key in keys)
    pairs = [(key, sum(values) / len(values)) for key, values in held]
    return bars(pairs) if pairs else None


def _bars(runs: Sequence[Named], key: str | None) -> Bars | None:
    """One figure of every run."""
    pairs = [(label, float(v)) for label, figures in runs if is_number(v := figures.get(key or ""))]
    return bars(pairs) if pairs else None


def _facts(runs: int, drawn: str | None, most: int | None = None) -> tuple[tuple[str, Json], ...]:
    if not drawn:
        return (("runs", runs),)
    return ("runs", runs), ("drawn", f"{drawn}, the first {most} runs" if most and runs > most else drawn)


def _series_of_batch(
    folder: BatchFolder,
    name: str,
    sort: Sort,
    shortened: Callable[[Run, str], Figures],
    runs: Iterator[Run],
    wanted: str | None,
    most: int,
) -> View:
    """A row a run, and the lines of the first few. Only those few are held whole."""
    kept: list[Run] = []
    figures: list[tuple[str, Named]] = []
    drawn: str | None = None
    for run in runs:
        if len(kept) < LINES_AT_ONCE:
            kept.append(run)
        if drawn is None and sort.has(run):
            drawn = drawn_column(sort, [run], wanted)
        figures.append((run.job_id, (run.label, shortened(run, drawn or ""))))
    choices = sort.names(*kept)
    drawn = drawn or chosen(wanted, choices)
    table = row_a_run(figures, _missing(folder, most))
    picture = lines(sort, kept, drawn) if drawn else None
    facts = _facts(len(figures), drawn, LINES_AT_ONCE)
    jobs = tuple(job_id for job_id, _ in figures)
    return View(name, TITLES[name], table, picture, jobs, facts, choices, (None, drawn))


def _missing(folder: BatchFolder, most: int) -> str:
    """Why runs are not among the rows."""
    counts = folder.progress.counts()
    completed, parts = counts[JobState.COMPLETED], []
    if completed > most:
        parts.append(f"the first {most:,} of {completed:,} completed runs")
    others = [f"{counts[s]:,} {s.value}" for s in JOB_STATES if s is not JobState.COMPLETED and counts[s]]
    if others:
        parts.append(f"without a result: {', '.join(others)}")
    return "; ".join(parts)


# ---- one run or two


def _of_runs(name: str, runs: Sequence[Run], wanted: str | None) -> View:
    title = f"{TITLES[name]}: {' and '.join(run.label for run in runs)}"
    match name:
        case "monthly" | "hourly":
            return _series_of_runs(name, title, MONTHLY if name == "monthly" else HOURLY, runs, wanted)
        case "blocks":
            table, jobs = _blocks(runs)
            return View(name, title, table, None, jobs)
        case "losses":
            losses = [(run.label, run.losses()) for run in runs]
            table = row_a_figure("loss", [(label, dict(held)) for label, held in losses])
            return View(name, title, table, _bars_of_losses(losses))
    figures = [(run.label, run.figures()) for run in runs]
    picture = changes(figures[0][1], figures[1][1]) if len(figures) == 2 else None
    facts = (("drawn", f"{runs[1].label} over {runs[0].label}"),) if picture else ()
    return View(name, title, row_a_figure("figure", figures), picture, facts=facts)


def _series_of_runs(name: str, title: str, sort: Sort, runs: Sequence[Run], wanted: str | None) -> View:
    drawn = drawn_column(sort, runs, wanted)
    two = len(runs) == 2 and drawn is not None
    table = table_of_two(sort, (runs[0], runs[1]), drawn or "") if two else table_of(sort, runs[0])
    picture = lines(sort, runs, drawn) if drawn else None
    return View(name, title, table, picture, choices=sort.names(*runs), axes=(None, drawn))


def _bars_of_losses(losses: Sequence[tuple[str, dict[str, float]]]) -> Bars | None:
    """Of two runs the bars of one loss stand together."""
    keys = list(dict.fromkeys(key for _, held in losses for key in held))
    named = len(losses) == 2
    pairs = [
        (f"{key} {label}" if named else key, held[key])
        for key in keys
        for label, held in losses
        if key in held
    ]
    return bars(pairs) if pairs else None


def _blocks(runs: Iterator[Run] | Sequence[Run]) -> tuple[Table, tuple[str, ...]]:
    """A row a block, and the job of each row."""
    found: list[tuple[str, str, Figures]] = []
    for run in runs:
        columns = run.columns("blockSummary")
        for place in range(max(map(len, columns.values()), default=0)):
            cells = {key: cell_at(held, place) for key, held in columns.items()}
            found.append((run.job_id, run.label, {"block": place, **cells}))
    keys = list(dict.fromkeys(key for _, _, cells in found for key in cells if key != "index"))
    heads = [column(key, [cells.get(key) for _, _, cells in found]) for key in keys]
    rows: list[tuple[Cell, ...]] = [(label, *(cells.get(key) for key in keys)) for _, label, cells in found]
    return Table((Column("run"), *heads), rows), tuple(job_id for job_id, _, _ in found)
