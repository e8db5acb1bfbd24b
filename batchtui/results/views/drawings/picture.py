"""A picture as lines of text for a terminal of any size: told apart without colour, nothing outside reaches it raw."""

from __future__ import annotations

from rich.text import Text

from batchtui.results.views.drawings import bars, heat, lines
from batchtui.results.views.shapes import Bars, Heat, Picture

LEAST_WIDTH, LEAST_HEIGHT = 20, 5


def draw(picture: Picture, width: int, height: int, *, ascii_only: bool = False) -> Text:
    """The picture in at most `width` cells by `height` lines.

    What has no room is left out and counted in the last line; `natural_height` says how much room all of it takes.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Text("no room for the picture"[: max(0, width)], style="dim", no_wrap=True)
    if isinstance(picture, Bars):
        drawn = bars.draw(picture, width, height, ascii_only)
    elif isinstance(picture, Heat):
        drawn = heat.draw(picture, width, height, ascii_only)
    else:
        drawn = lines.draw(picture, width, height, ascii_only)
    whole = Text("\n", no_wrap=True, end="").join(drawn)
    whole.no_wrap = True
    return whole


def natural_height(picture: Picture, otherwise: int) -> int:
    """Lines that all of the picture takes; `otherwise` for one that fits any height."""
    if isinstance(picture, Bars):
        return max(LEAST_HEIGHT, bars.height(picture))
    if isinstance(picture, Heat):
        return max(LEAST_HEIGHT, heat.height(picture))
    return max(LEAST_HEIGHT, otherwise)
