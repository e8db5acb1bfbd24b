"""The first answer of a batch that has ended, told at once: a newcomer need not know yet how results are read."""

from __future__ import annotations

import shlex

from batchtui.cli.shared.phrases import is_over
from batchtui.cli.shared.session import Session
from batchtui.errors import StoreDamaged
from batchtui.model import JobState
from batchtui.store.folder import BatchFolder
from batchtui.text import cell

_LONGEST, _ID = 200, 60
"""Characters of the answer, and of the id before it."""


def tell_first_answer(session: Session, folder: BatchFolder) -> None:
    """A line, and the command that reads all; nothing where no job completed, or data is what was asked for."""
    from batchtui.results.reading.query import answer

    done = folder.progress.numbers(JobState.COMPLETED)
    if session.console.json or session.console.quiet or not done or not is_over(folder.status()):
        return
    try:
        first = folder.result(done[0])
    except StoreDamaged:
        return  # the report has told how many are
    words = cell((answer(first) or "").strip(), _LONGEST)
    told = cell(first.job_id, _ID)
    session.console.note(f"{told}: {words or 'no words'}")
    as_it_is = told == first.job_id and not told.startswith("-")  # what is told is typed
    alone = len(folder.jobs) == 1 and as_it_is
    what = f"show {folder.id} {shlex.quote(told)}" if alone else f"results {folder.id}"
    session.console.note(f"`batchtui {what}` reads {'it' if len(folder.jobs) == 1 else 'them all'}")
