"""The first answer of a batch that has ended, told at once: a newcomer need not know yet how results are read."""

from __future__ import annotations

import shlex

from batchtui.cli.shared.phrases import is_over
from batchtui.cli.shared.session import Session
from batchtui.model import JobState
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

_LONGEST = 200
"""Characters of the answer."""


def tell_first_answer(session: Session, folder: BatchFolder) -> None:
    """A line, and the command that reads all; nothing where no job completed, or data is what was asked for."""
    from batchtui.results.reading.query import answer

    done = folder.progress.numbers(JobState.COMPLETED)
    if session.console.json or session.console.quiet or not done or not is_over(folder.status()):
        return
    first = folder.result(done[0])
    words = cell((answer(first) or "").strip(), _LONGEST)
    session.console.note(f"{cell(first.job_id, 60)}: {words or 'no words'}")
    what = (
        f"show {folder.id} {shlex.quote(cell(first.job_id, 60))}"
        if len(folder.jobs) == 1
        else f"results {folder.id}"
    )
    session.console.note(f"`batchtui {what}` reads {'it' if len(folder.jobs) == 1 else 'them all'}")
