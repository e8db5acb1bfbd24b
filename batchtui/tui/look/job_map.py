"""A batch at a glance: one cell for so many jobs, in source order, coloured by what matters most in it."""

from __future__ import annotations

from itertools import groupby

from textual.content import Content

from batchtui.model import JOB_STATES, JobState
from batchtui.tui.look.states import STYLES, Glyphs

_URGENCY = tuple(
    JOB_STATES.index(JobState(name))
    for name in ("failed", "invalid", "expired", "processing", "pending", "cancelled", "completed")
)


def job_map(codes: bytes, glyphs: Glyphs, width: int, height: int) -> tuple[int, list[Content]]:
    """(jobs a cell, lines) of the states in `codes` on at most width x height cells."""
    cells = max(1, width * height)
    per_cell = max(1, -(-len(codes) // cells))
    shown = [_of(codes[at : at + per_cell]) for at in range(0, len(codes), per_cell)]
    lines = []
    for at in range(0, len(shown), width):
        parts = []
        for code, run in groupby(shown[at : at + width]):
            name = JOB_STATES[code].value
            glyph = glyphs.cell if name == "completed" else glyphs.states[name]
            parts.append((glyph * len(list(run)), STYLES[name]))
        lines.append(Content.assemble(*parts))
    return per_cell, lines


def _of(codes: bytes) -> int:
    return next((code for code in _URGENCY if code in codes), 0)
