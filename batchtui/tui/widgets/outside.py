"""The one way for outside text into a widget: cleaned, and never as markup."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content
from textual.widgets import Static

from batchtui import text


def shown(value: object, style: str = "", *, limit: int = text.CELL_LIMIT) -> Content:
    """One clean line for a label, a title or a message. `style` is ours, never outside text."""
    return Content.styled(text.cell(value, limit), style) if style else Content(text.cell(value, limit))


def shown_page(value: str, style: str = "") -> Content:
    """A clean screenful of lines for a viewer, with a note of what was cut."""
    return Content.styled(text.page(value), style) if style else Content(text.page(value))


def put(widget: Static, content: Content, *, layout: bool = True) -> None:
    """Have it show this; what it shows already costs nothing, and sends nothing to the terminal."""
    before = widget.content
    if not (isinstance(before, Content) and before.is_same(content)):
        widget.update(content, layout=layout)


def cell(value: object, style: str = "", *, limit: int = text.CELL_LIMIT, justify: str = "left") -> Text:
    """One clean line for a table cell, which takes Rich's text."""
    line = Text(text.cell(value, limit), style=style, no_wrap=True, overflow="ellipsis", end="")
    line.justify = "right" if justify == "right" else "left"
    return line
