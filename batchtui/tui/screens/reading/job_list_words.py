"""What a list of jobs is called and what it says where it has nothing to show."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from batchtui.model import BatchStatus
from batchtui.results.reading.digest import Cause
from batchtui.tui.look import figures
from batchtui.tui.look.states import STYLES, Glyphs
from batchtui.tui.widgets.empty import Next
from batchtui.tui.widgets.outside import shown
from batchtui.tui.widgets.pane import heading


def title(status: BatchStatus | None, glyphs: Glyphs, listed: int, jobs: int) -> Content:
    """`eval-may  k7fq2m  ▸ processing   Jobs 14 of 344 shown`."""
    if status is None:
        return shown("this batch is not there any more", "bold")
    glyph, word, style = glyphs.batch(status)
    count = figures.count(jobs)
    return Content.assemble(
        shown(status.name, "bold", limit=60), "  ", (status.id, "not bold"), "  ",
        Content.styled(f"{glyph} {word}", style), "   ",
        heading("Jobs", count if listed == jobs else f"{figures.count(listed)} of {count} shown"),
    )  # fmt: skip


def chosen(failed_only: bool, cause: Cause | None, marked: int) -> list[Content]:
    """Which of them are shown, beside what is typed into the filter, and how many are marked."""
    told = [Content.styled("failed only", STYLES["failed"])] if failed_only else []
    if cause:
        kind, words = cause
        told.append(shown(f"{kind}: {words}" if words else kind, STYLES["failed"]))
    if marked:
        told.append(Content.styled(f"{marked:,} marked", "bold $text-accent"))
    return told


def nothing(jobs: int, query: str) -> tuple[str, Sequence[Next]]:
    if not jobs:
        return "No job is known yet: the backend tells them as they come", (
            ("app.refresh", "asks it now"),
            ("batch.info", "how its submission stands"),
        )
    if query:
        return (
            "The only job does not match the filter"
            if jobs == 1
            else f"None of the {jobs:,} jobs matches the filter",
            (
                ("screen.back", "clears it"),
                ("list.filter", "changes it"),
            ),
        )
    return "The only job has not failed" if jobs == 1 else f"None of the {jobs:,} jobs has failed", (
        ("list.failed", "shows all of them"),
    )
