"""Lines and points over an axis, by plotext; legend, units and names of places are put around its canvas here."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from batchtui.results.views.drawings.cells import fit
from batchtui.results.views.figures import differ, is_figure, tick_words, ticks
from batchtui.results.views.shapes import Lines, Series
from batchtui.text import cell

MOST_SERIES = 8
_MARKS = "•+xo*#%@"
_MARKS_ASCII = ".+xo*#%@"
_COLOURS = ("blue+", "orange+", "green+", "magenta+", "cyan+", "red+", "white", "gray")
_STYLES = (
    "bright_blue",
    "bright_yellow",
    "bright_green",
    "bright_magenta",
    "bright_cyan",
    "bright_red",
    "",
    "dim",
)
_FRAME = str.maketrans("┌┐└┘─│┤├┬┴┼", "++++-|+++++")
_PLACE = re.compile("([\ue000-\uf8ff])\\1*")
_PLACES = 0xF8FF - 0xE000
_FEW = 200
"""Points that are worth a whole character each."""
_plotext = threading.Lock()
"""plotext draws on one figure that the whole process shares."""


def draw(lines: Lines, width: int, height: int, ascii_only: bool) -> list[Text]:
    """At most `height` lines of at most `width` cells; of many series the first MOST_SERIES."""
    series = [_finite(one) for one in lines.series[:MOST_SERIES]]
    if not any(one.xs for one in series):
        return [Text("nothing to draw", style="dim")]
    marks = _MARKS_ASCII if ascii_only else _MARKS
    head = _head(lines, marks, width)
    foot = [Text(cell(lines.x).center(width).rstrip(), style="dim")] if lines.x else []
    for line in foot:
        line.truncate(width, overflow="ellipsis")
    return [*head, *_canvas(lines, series, marks, width, height - len(head) - len(foot), ascii_only), *foot]


def _finite(series: Series) -> Series:
    """Without the places that have no value."""
    pairs = [(x, y) for x, y in zip(series.xs, series.ys, strict=False) if is_figure(x) and is_figure(y)]
    return Series(series.name, [x for x, _ in pairs], [y for _, y in pairs])


def _head(lines: Lines, marks: str, width: int) -> list[Text]:
    """The unit, and which mark is whose; at most three lines."""
    unit = Text(cell(lines.y), style="dim")
    if len(lines.series) == 1 and cell(lines.series[0].name) in ("", unit.plain):
        return [_cut(unit, width)] if unit.plain else []
    entries = [
        Text.assemble((f"{marks[at]} ", _STYLES[at]), fit(one.name, min(30, cell_len(cell(one.name)))))
        for at, one in enumerate(lines.series[:MOST_SERIES])
    ]
    if more := len(lines.series) - MOST_SERIES:
        entries += [Text(f"and {more} more", style="dim")] if more > 0 else []
    rows = [unit] if unit.plain else []
    for entry in entries:
        if rows and rows[-1].cell_len + entry.cell_len + 3 <= width:
            rows[-1] = Text.assemble(rows[-1], "   ", entry)
        elif len(rows) < 3:
            rows.append(entry)
    return [_cut(row, width) for row in rows]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def _canvas(
    lines: Lines, series: Sequence[Series], marks: str, width: int, height: int, ascii_only: bool
) -> list[Text]:
    """plotext's frame with the series in it: numbers, frame and marks, no word from outside."""
    xs, ys = [x for one in series for x in one.xs], [y for one in series for y in one.ys]
    (left, right), (low, high) = _span(xs), _span(ys)
    y_ticks = ticks(low, high, max(2, height // 3))
    names = _names(lines.x_names, width)
    x_ticks = (
        [float(at) for at in names if left <= at <= right]
        if names
        else ticks(left, right, max(2, width // 14))
    )
    x_words = [names[int(at)] for at in x_ticks] if names else tick_words(x_ticks)
    import plotext

    with _plotext:
        plotext.clear_figure()
        plotext.limit_size(False, False)
        plotext.plotsize(width, height)
        plotext.theme("clear")
        plotext.xlim(left, right)
        plotext.ylim(low, high)
        plotext.yticks(y_ticks, tick_words(y_ticks))
        plotext.xticks(x_ticks, x_words)
        for at, one in enumerate(series):
            if not one.xs:
                continue
            scattered = lines.points or len(one.xs) == 1
            fine = len(series) == 1 and not ascii_only and (not scattered or len(one.xs) > _FEW)
            mark = "hd" if fine else marks[at]  # quarter blocks; few fonts have the dots of braille
            kept = _thinned(one, 2 * width, 2 * height, (left, right), (low, high), scattered)
            do = plotext.scatter if scattered else plotext.plot
            do(kept.xs, kept.ys, marker=mark, color=_COLOURS[at])
        built = plotext.build()
        plotext.clear_figure()
    drawn = Text.from_ansi(built.translate(_FRAME) if ascii_only else built).split("\n")
    return [_named(line, lines.x_names, width) for line in drawn][:height]


def _span(values: Sequence[float]) -> tuple[float, float]:
    """From the least to the largest, never nothing wide."""
    low, high = min(values), max(values)
    if differ(low, high):
        return low, high
    margin = abs(low) * 0.1 or 1.0
    return low - margin, high + margin


def _names(x_names: Sequence[str], width: int) -> dict[int, str]:
    """Stand-ins for the names of places, as wide as they are: plotext counts characters, and cleans nothing."""
    if not x_names:
        return {}
    most = max(1, width // (2 + max(min(12, cell_len(cell(name))) for name in x_names)))
    step = -(-len(x_names) // most)
    return {
        at: chr(0xE000 + at) * max(1, min(12, cell_len(cell(x_names[at]))))
        for at in range(0, min(len(x_names), _PLACES), step)
    }


def _named(line: Text, x_names: Sequence[str], width: int) -> Text:
    """The line with the names where their stand-ins are."""
    if x_names and (found := list(_PLACE.finditer(line.plain))):
        parts, end = [], 0
        for match in found:
            name = cell(x_names[ord(match[1]) - 0xE000])
            room = len(match[0])
            parts += [line.plain[end : match.start()], fit(name, room)]
            end = match.end()
        line = Text("".join([*parts, line.plain[end:]]))
    return line if line.cell_len <= width else Text(set_cell_size(line.plain, width))


def _thinned(
    series: Series,
    columns: int,
    rows: int,
    across: tuple[float, float],
    up: tuple[float, float],
    scattered: bool,
) -> Series:
    """No more points than dots can tell: of points one a dot, of a line the least and the largest of each column."""
    if len(series.xs) <= 2 * columns:
        return series
    x0, y0 = across[0], up[0]
    by_x, by_y = columns / (across[1] - x0), rows / (up[1] - y0)
    if scattered:
        dots = {
            (int((x - x0) * by_x), int((y - y0) * by_y)): (x, y)
            for x, y in zip(series.xs, series.ys, strict=True)
        }
        return Series(series.name, [x for x, _ in dots.values()], [y for _, y in dots.values()])
    kept: list[tuple[float, float]] = []
    column, held = -1, list[tuple[float, float]]()
    for pair in [*zip(series.xs, series.ys, strict=True), (math.inf, 0.0)]:
        at = int((pair[0] - x0) * by_x) if pair[0] < math.inf else -2
        if at != column and held:
            least, most = min(held, key=lambda p: p[1]), max(held, key=lambda p: p[1])
            kept += list(dict.fromkeys(sorted((least, most))))
            held = []
        column = at
        held.append(pair)
    return Series(series.name, [x for x, _ in kept], [y for _, y in kept])
