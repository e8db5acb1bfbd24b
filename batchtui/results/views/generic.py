"""What any batch can be looked at as: its figures as a table, one of them over another, and how one is spread."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from batchtui.errors import NotFound, nearest
from batchtui.results.views import answers_of_two, compare, side_by_side
from batchtui.results.views.batch_figures import BatchFigures, batch_figures
from batchtui.results.views.fields import OF_A_JOB
from batchtui.results.views.figures import differ, number, ticks
from batchtui.results.views.options import Options
from batchtui.results.views.sample import MOST
from batchtui.results.views.shapes import Bars, Cell, Column, Lines, Series, Table, View
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

TITLES = {
    "table": "Table",
    "plot": "Plot",
    "histogram": "Histogram",
    "duration": "Duration curve",
}
BINS = 20
MOST_MISSING = 5
"""Columns of which it is told that some results lack them."""


def names(folder: BatchFolder) -> list[tuple[str, str]]:
    """The same for every batch."""
    return list(TITLES.items())


def build(folder: BatchFolder, name: str, options: Options) -> View:
    """Raises NotFound for an unknown view, BadInput for a column that is none."""
    if name not in TITLES:
        raise NotFound(f'no view "{cell(name, 60)}"{nearest(name, TITLES)}')
    if name == "table" and options.jobs:
        return side_by_side.fields(folder, *options.jobs[:2])
    return _BUILD[name](batch_figures(folder, options.among), options)


def names_of_two(first: BatchFolder, second: BatchFolder) -> list[tuple[str, str]]:
    """The same for any two batches."""
    found = [("differences", "Differences")]
    return (
        [(answers_of_two.NAME, answers_of_two.TITLE), *found]
        if answers_of_two.offered(first, second)
        else found
    )


def build_of_two(first: BatchFolder, second: BatchFolder, name: str, options: Options) -> View:
    """Raises BadInput where the two have no job in common, or for a field that is none."""
    if name == answers_of_two.NAME:
        return answers_of_two.view(first, second)
    return compare.view(compare.batches(first, second, wanted=options.y or options.x, most=MOST))


def _table(data: BatchFigures, options: Options) -> View:
    columns = (Column("job"), *map(Column, data.named))
    held = [data.cells(name) for name in data.named]
    rows = list(zip(data.ids, *held, strict=True))
    note = data.note if held else "no result has a number or a word in it"
    lacks = (
        (name, sum(value is None for value in cells)) for name, cells in zip(data.named, held, strict=True)
    )
    missing = tuple((f"no {name}", count) for name, count in lacks if count)
    facts = (("jobs", len(rows)), *missing[:MOST_MISSING]) if missing else ()
    return View("table", TITLES["table"], Table(columns, rows, note), None, tuple(data.ids), facts)


def _plot(data: BatchFigures, options: Options) -> View:
    """`y` over `x`: a line where x only grows and each place is there once, else points."""
    first = next(iter(data.columns), None)
    y = data.column(options.y, first)
    x = data.column(options.x, None)
    if y is None:
        return _nothing("plot", data)
    ys = data.columns[y]
    xs: Sequence[float] = data.columns[x] if x else array("d", range(1, len(ys) + 1))
    places = [n for n, (a, b) in enumerate(zip(xs, ys, strict=True)) if a == a and b == b]
    if x:
        places.sort(key=lambda n: xs[n])
    points = not x or not _regular([xs[n] for n in places])
    series = Series(y, [xs[n] for n in places], [ys[n] for n in places])
    named = [name for name in (x, y) if name]
    cells = [data.cells(name) for name in named]
    rows: list[tuple[Cell, ...]] = [(data.ids[n], *(column[n] for column in cells)) for n in places]
    table = Table((Column("job"), *map(Column, named)), rows, data.note)
    picture = Lines((series,), x or "place in the batch", y, points=points)
    jobs = tuple(data.ids[n] for n in places)
    return View("plot", f"{y} over {x or 'jobs'}", table, picture, jobs, (), tuple(data.columns), (x, y))


def _regular(xs: Sequence[float]) -> bool:
    """Whether the places are as far apart as those of a sweep, so that a line between them says something."""
    steps = [after - before for before, after in pairwise(xs)]
    return not steps or 0 < max(steps) <= 3 * min(steps)


def _one_column(
    name: str, draw: Callable[[BatchFigures, str, list[int]], tuple[Table, Bars | Lines, tuple[str, ...]]]
) -> Callable[[BatchFigures, Options], View]:
    def view(data: BatchFigures, options: Options) -> View:
        y = data.column(options.y or options.x, next(iter(data.columns), None))
        if y is None:
            return _nothing(name, data)
        held = data.columns[y]
        places = sorted((n for n in range(len(held)) if held[n] == held[n]), key=lambda n: -held[n])
        table, picture, jobs = draw(data, y, places)
        values = [held[n] for n in places]
        facts = (("jobs", len(values)), ("least", values[-1]), ("median", _median(values)), ("mean", sum(values) / len(values)),
                 ("largest", values[0])) if values else ()  # fmt: skip
        if lacks := len(held) - len(values):
            facts = (*facts, ("missing", lacks))
        return View(
            name, f"{TITLES[name]} of {y}", table, picture, jobs, facts, tuple(data.columns), (None, y)
        )

    return view


def _spread(data: BatchFigures, options: Options) -> View:
    """How a column is spread: numbers by steps, words by what they are."""
    kinds, wanted = data.kinds(), options.y or options.x
    none_came_back = frozenset(OF_A_JOB).issuperset(data.columns)
    name = data.paths.get(wanted, wanted) if wanted else next(iter(kinds), None) if none_came_back else None
    if name in kinds:
        return _counted(data, name, kinds)
    view = _one_column("histogram", _histogram)(data, options)
    return replace(view, choices=(*view.choices, *kinds))


def _counted(data: BatchFigures, name: str, kinds: list[str]) -> View:
    """How many jobs say what, the most said first."""
    said = data.words[name]
    counted = Counter(word for word in said if word is not None).most_common()
    total = sum(count for _, count in counted)
    rows: list[tuple[Cell, ...]] = [(word, count, 100 * count / total) for word, count in counted]
    table = Table((Column(name), Column("jobs"), Column("share of jobs", "%", 1)), rows, data.note)
    picture = Bars([word for word, _ in counted], [float(count) for _, count in counted], f"jobs by {name}")
    facts: tuple[tuple[str, Cell], ...] = (("jobs", total), ("different", len(counted)))
    if lacks := len(said) - total:
        facts = (*facts, ("missing", lacks))
    title = f"{TITLES['histogram']} of {name}"
    return View("histogram", title, table, picture, (), facts, (*data.columns, *kinds), (None, name))


def _histogram(data: BatchFigures, y: str, places: list[int]) -> tuple[Table, Bars, tuple[str, ...]]:
    values = [data.columns[y][n] for n in places]
    unit = f"jobs by {y}"
    if data.whole[y] and max(values, default=0) - min(values, default=0) < BINS:
        counted = Counter(int(value) for value in values)
        bins = range(min(counted, default=0), max(counted, default=0) + 1)
        table = Table((Column(y), Column("jobs")), [(value, counted[value]) for value in bins], data.note)
        return (
            table,
            Bars([str(value) for value in bins], [float(counted[value]) for value in bins], unit),
            (),
        )
    bounds = _bounds(values)
    counts = [0] * (len(bounds) - 1)
    for value in values:
        counts[min(len(counts) - 1, max(0, bisect_right(bounds, value) - 1))] += 1
    spans = list(pairwise(bounds))
    rows: list[tuple[Cell, ...]] = [
        (low, high, count) for (low, high), count in zip(spans, counts, strict=True)
    ]
    table = Table((Column("from"), Column("to"), Column("jobs")), rows, data.note)
    named = [f"{number(low)} to {number(high)}" for low, high in spans]
    return table, Bars(named, [float(count) for count in counts], unit), ()


def _bounds(values: list[float]) -> list[float]:
    """Round bounds of at most BINS steps from the least to the largest value, each step as wide."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if not differ(low, high):
        margin = max(0.5, 1e-6 * abs(low))
        return [low - margin, low + margin]
    inner = ticks(low, high, BINS)
    step = inner[1] - inner[0]
    first = inner[0] if inner[0] <= low else inner[0] - step
    count = 1
    while first + count * step < high:
        count += 1
    return [float(f"{first + at * step:.12g}") for at in range(count + 1)]


def _duration(data: BatchFigures, y: str, places: list[int]) -> tuple[Table, Lines, tuple[str, ...]]:
    """The values from the largest to the least, over the share of jobs that have at least as much."""
    held, cells = data.columns[y], data.cells(y)
    shares = [100 * (at + 1) / len(places) for at in range(len(places))]
    rows: list[tuple[Cell, ...]] = [
        (data.ids[n], cells[n], share) for n, share in zip(places, shares, strict=True)
    ]
    table = Table((Column("job"), Column(y), Column("share of jobs", "%", 1)), rows, data.note)
    picture = Lines((Series(y, shares, [held[n] for n in places]),), "% of jobs", y)
    return table, picture, tuple(data.ids[n] for n in places)


def _median(values: list[float]) -> float:
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _nothing(name: str, data: BatchFigures) -> View:
    note = data.note or ("no result has a number in it" if data.ids else "no job has completed yet")
    return View(name, TITLES[name], Table((Column("job"),), [], note))


_BUILD: dict[str, Callable[[BatchFigures, Options], View]] = {
    "table": _table,
    "plot": _plot,
    "histogram": _spread,
    "duration": _one_column("duration", _duration),
}
