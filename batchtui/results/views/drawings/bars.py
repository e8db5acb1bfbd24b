"""Bars: one a line with its name and value, from a zero line that all share.

Drawn here and not by plotext, which counts characters for cells, so that a wide one pushes its bar out of line, and
which has no place for the values.
"""

from __future__ import annotations

import math

from rich.text import Text

from batchtui.results.views.drawings.cells import fit, widest
from batchtui.results.views.figures import is_figure, number
from batchtui.results.views.shapes import Bars

_EIGHTHS = "▏▎▍▌▋▊▉"
_STYLE, _BELOW = "bright_blue", "bright_red"


def height(bars: Bars) -> int:
    return len(bars.names) + bool(bars.unit)


def draw(bars: Bars, width: int, height: int, ascii_only: bool) -> list[Text]:
    """At most `height` lines of at most `width` cells."""
    if not bars.names:
        return [Text("nothing to draw", style="dim")]
    head = [Text(fit(bars.unit, width).rstrip(), style="dim")] if bars.unit else []
    room = height - len(head)
    count = len(bars.names) if len(bars.names) <= room else room - 1
    values = [float(value) if is_figure(value) else math.nan for value in bars.values[:count]]
    words = ["-" if math.isnan(value) else number(value) for value in values]
    name_width = widest(bars.names[:count], max(6, width // 3))
    word_width = max(map(len, words), default=1)
    space = max(4, width - name_width - word_width - 3)
    low = min(0.0, *(value for value in values if value == value), 0.0)
    high = max(0.0, *(value for value in values if value == value), 0.0)
    lines = [
        Text.assemble(
            f"{fit(name, name_width)} ", *_bar(value, low, high, space, ascii_only), f" {word:>{word_width}}"
        )
        for name, value, word in zip(bars.names, values, words, strict=False)
    ]
    more = len(bars.names) - count
    foot = [Text(f"… and {more:,} more", style="dim")] if more else []
    return [*head, *lines, *foot]


def _bar(value: float, low: float, high: float, space: int, ascii_only: bool) -> list[tuple[str, str]]:
    """Exactly `space` + 1 cells: the part below zero, the zero line, the part above."""
    whole = high - low
    left = (
        0
        if low == 0 or not whole
        else min(space - 1, max(1, round(space * -low / whole)))
        if high > 0
        else space
    )
    right = space - left
    axis = ("|" if ascii_only else "│", "dim")
    if math.isnan(value) or not whole:
        return [(" " * left, ""), axis, (" " * right, "")]
    if value < 0:
        cells = min(left, round(left * value / low))
        return [
            (" " * (left - cells), ""),
            (("-" if ascii_only else "█") * cells, _BELOW),
            axis,
            (" " * right, ""),
        ]
    eighths = round(8 * right * value / high) if high else 0
    full, part = divmod(eighths, 8)
    if ascii_only:
        full, part = full + (part >= 4), 0
    drawn = ("#" if ascii_only else "█") * full + (_EIGHTHS[part - 1] if part else "")
    return [(" " * left, ""), axis, (drawn, _STYLE), (" " * (right - len(drawn)), "")]
