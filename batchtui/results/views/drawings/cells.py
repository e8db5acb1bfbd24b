"""Text of an exact width in cells of a terminal, wide characters included."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from batchtui import text


def fit(value: str, width: int, *, right: bool = False) -> str:
    """Clean, and exactly `width` cells: cut with an ellipsis, or filled with blanks."""
    line = text.cell(value)
    size = cell_len(line)
    if size > width:
        return set_cell_size(set_cell_size(line, max(0, width - 1)) + "…", width) if width > 0 else ""
    return " " * (width - size) + line if right else line + " " * (width - size)


def widest(values: list[str], most: int) -> int:
    """Cells of the widest of them, at most `most`."""
    return min(most, max((cell_len(text.cell(value)) for value in values), default=0))
