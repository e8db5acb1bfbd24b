"""A heat map: a cell a value, in five steps whose characters grow darker, so that colour only adds to them."""

from __future__ import annotations

from bisect import bisect_right

from rich.cells import cell_len
from rich.text import Text

from batchtui.amounts import counted
from batchtui.results.views.drawings.cells import fit, widest
from batchtui.results.views.figures import is_figure, number
from batchtui.results.views.shapes import Heat

SHADES, LETTERS = "·░▒▓█", ".-+*#"
STYLES = ("dim", "cyan", "green", "yellow", "bold red")
_WIDEST_CELL = 6


def height(heat: Heat) -> int:
    return len(heat.rows) + 2 + bool(heat.unit or heat.steps)


def draw(heat: Heat, width: int, height: int, ascii_only: bool) -> list[Text]:
    """Rows that have no room are left out; columns are taken together, each cell the largest of its group."""
    if not heat.rows or not heat.columns:
        return [Text("nothing to draw", style="dim")]
    marks = LETTERS if ascii_only else SHADES
    room = height - 2
    count = len(heat.rows) if len(heat.rows) <= room else room - 1
    name_width = widest(heat.rows[:count], max(6, width // 4))
    space = width - name_width - 1
    together = -(-len(heat.columns) // space)
    groups = -(-len(heat.columns) // together)
    size = max(1, min(_WIDEST_CELL, space // groups))
    lines = [_legend(heat, marks, together, width)]
    for name, values in zip(heat.rows[:count], heat.values, strict=False):
        line = Text(f"{fit(name, name_width)} ")
        for at in range(groups):
            held = [value for value in values[at * together : (at + 1) * together] if is_figure(value)]
            step = bisect_right(heat.steps, max(held)) if held else -1
            line.append(marks[step] * size if step >= 0 else " " * size, STYLES[step] if step >= 0 else "")
        lines.append(line)
    if count < len(heat.rows):
        lines.append(Text(f"… and {counted(len(heat.rows) - count, 'more row')}", style="dim"))
    lines.append(Text(" " * (name_width + 1) + _below(heat, groups, size, together), style="dim"))
    return lines


def _below(heat: Heat, groups: int, size: int, together: int) -> str:
    """Names of columns where they have room: all, or the first and the last."""
    named = [heat.columns[at * together] for at in range(groups)]
    if size > 1 and widest(named, size) < size:
        return "".join(fit(name, size) for name in named).rstrip()
    space = groups * size
    if groups == 1:
        return fit(heat.columns[0], space).rstrip()
    first = fit(heat.columns[0], space // 2).rstrip()
    return first + fit(heat.columns[-1], space - cell_len(first), right=True)


def _legend(heat: Heat, marks: str, together: int, width: int) -> Text:
    """`· <50  ░ 50  ▒ 80  ▓ 90  █ 100 %`; what a cell is where columns were taken together."""
    legend = Text()
    for step, mark in enumerate(marks[: len(heat.steps) + 1]):
        bound = number(heat.steps[step - 1]) if step else f"<{number(heat.steps[0])}" if heat.steps else "all"
        legend.append(mark * 2, STYLES[step]).append(f" {bound}  ")
    legend.append(fit(heat.unit, min(len(heat.unit), 20)), "dim")
    if together > 1:
        legend.append(f"  largest of {together}", "dim")
    legend.truncate(width, overflow="ellipsis")
    return legend
