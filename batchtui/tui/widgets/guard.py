"""The last filters before the terminal: what slipped past `text.clean` stops here, and colours under NO_COLOR."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from batchtui.plain import in_cells
from batchtui.text import clean


class Guard(LineFilter):
    """Replaces every character that could act on a terminal, in every segment of every line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isascii() and segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment
            if segment.control or (segment.text.isascii() and segment.text.isprintable())
            else Segment(_one_line(segment.text), segment.style)
            for segment in segments
        ]


def _one_line(text: str) -> str:
    return clean(text).replace("\t", " ").replace("\n", "\u240a")


class Plain(LineFilter):
    """Sends ASCII alone: the nearest to each character, in as many cells."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(
                in_cells(segment.text)[: segment.cell_length].ljust(segment.cell_length), segment.style
            )
            for segment in segments
        ]


class NoColour(LineFilter):
    """Sends no colour at all; what a background set apart is set apart by reverse video."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.style is None
            else Segment(segment.text, _plain(segment.style), segment.control)
            for segment in segments
        ]


@lru_cache(1024)
def _plain(style: Style) -> Style:
    set_apart = style.bgcolor is not None and not style.bgcolor.is_default
    return style.without_color + Style(reverse=True) if set_apart else style.without_color
