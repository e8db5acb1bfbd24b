"""What a person thinks of results: a label by a key, a note in words. Kept in the batch's folder at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.store.files.labels import Label, add
from batchtui.store.folder import BatchFolder
from batchtui.tui.screens.asking.dialogs import Ask

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


def label(app: BaseApp, folder: BatchFolder, jobs: Sequence[str], word: str) -> None:
    """Call them that; where all are called that already, take it back. Notes stay."""
    if not jobs:
        app.say(f"no job is selected: {app.key('screen.back')} clears the filter that hides them")
        return
    known = folder.labels().of_jobs
    back = all(job in known and known[job].label == word for job in jobs)
    notes = {job: known[job].note for job in jobs if job in known}
    add(folder.path, [Label(job_id=job, label=None if back else word, note=notes.get(job)) for job in jobs])
    what = counted(len(jobs), "result") if len(jobs) > 1 else jobs[0]
    app.say(f"{what}: no longer {word}" if back else f"{what}: {word}; label:{word} in the filter finds it")


def note(app: BaseApp, folder: BatchFolder, job: str, done: Callable[[], None]) -> None:
    """Ask for a note on one result; an empty one takes it away."""
    known = folder.labels().of_jobs.get(job)

    def answered(words: str | None) -> None:
        if words is None:
            return
        add(
            folder.path, [Label(job_id=job, label=known.label if known else None, note=words.strip() or None)]
        )
        done()

    app.ask(
        Ask(
            "A note on this result", job, value=(known.note if known else None) or "", hint="what to remember"
        ),
        answered,
    )
