"""The reader's title and its line of views, as text."""

from __future__ import annotations

from textual.content import Content

from batchtui.model import Result
from batchtui.store.folder import BatchFolder
from batchtui.tui.look.states import Glyphs
from batchtui.tui.screens.reading.result_views import VIEWS
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import TAB, TAB_HERE


def title_of(folder: BatchFolder, result: Result | None, at: int, total: int, glyphs: Glyphs) -> Content:
    """The batch, the job, what was said of it, its state, and where it stands in the list that is walked through."""
    header = folder.header
    parts = [shown(header.name or header.id, limit=40), Content.styled(" > ", "dim")]
    state = Content()
    if result:
        glyph, style = glyphs.job(result.status)
        parts.append(shown(result.job_id, "bold", limit=60))
        state = Content.styled(f"{glyph} {result.status}", style)
    said = folder.labels().of_jobs.get(result.job_id) if result else None
    if said:
        told = ": ".join(part for part in (said.label, said.note) if part)
        parts += [Content("  "), shown(told, "$text-accent", limit=60)]
    parts += [Content("  "), state, Content.styled(f"   {at + 1:,} of {total:,}", "not bold")]
    return Content.assemble(*parts)


def tabs_of(view: str, result: Result | None, part: int, parts: int, width: int) -> Content:
    """The views with their keys, the one in front apart; to the right the part of a long text."""
    tabs = []
    for number, name in enumerate(VIEWS, 1):
        if name != "attempts" or (result and result.attempts > 1):
            word = name.capitalize() if name != "json" else "JSON"
            title = f" {number} {word}{f' {result.attempts}' if result and name == 'attempts' else ''} "
            tabs.append(Content.styled(title, TAB_HERE if name == view else TAB))
    where = f"part {part + 1} of {parts}  < >" if parts > 1 else ""
    return _apart(Content(" ").join(tabs), Content.styled(where, "dim"), width)


def _apart(left: Content, right: Content, width: int) -> Content:
    """Left and right ends of a line; the right one gives way."""
    room = width - left.cell_length - right.cell_length
    return Content.assemble(left, " " * room, right) if room > 0 else Content.assemble(left, "  ", right)
