"""A new batch from one that is there: its batch file in the editor, or its jobs as they are, marked or shown or all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.errors import BatchtuiError
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import exporting
from batchtui.tui.actions.job_actions import jobs
from batchtui.tui.actions.scope import Scope, scope_of
from batchtui.tui.models.compose_model import rebased
from batchtui.tui.screens.asking.dialogs import Choose, Confirm

if TYPE_CHECKING:
    from batchtui.engine.manage.cloning import Clone
    from batchtui.tui.base_app import BaseApp

    Wanted = Sequence[tuple[BatchFolder, list[int] | None]]

EDIT = "edit"
_WAITS = "It waits, paused, and nothing of it is sent before you resume it."


def clone_batches(app: BaseApp, ids: Sequence[str]) -> None:
    """One batch: edited, or its jobs as they are; of several marked ones a new batch each."""
    folders = [folder for batch_id in ids if (folder := app.link.folder(batch_id))]
    if not folders:
        app.say_none()
        return
    if len(folders) == 1:
        clone_jobs(app, folders[0].id, scope_of(len(folders[0].jobs), range(len(folders[0].jobs)), set()))
        return

    def answered(yes: bool | None) -> None:
        if yes:
            _start(app, [(folder, None) for folder in folders])

    title = f"Make a new batch of each of {len(folders)}?"
    body = "Their jobs as they are. They wait, paused, and nothing of them is sent before you resume them."
    app.ask(Confirm(title, body, yes="Clone", no="Leave it"), answered)


def clone_jobs(app: BaseApp, batch_id: str, scope: Scope) -> None:
    """Ask whether its batch file is to be edited, or which of its jobs make a new batch as they are."""
    folder = app.link.folder(batch_id)
    if folder is None:
        app.say("this batch is not there any more: it was removed meanwhile", "warning")
        return
    found = exporting.choices(scope, len(folder.jobs))
    options = [(str(at), f"A new batch of {one.label} jobs, as they are") for at, one in enumerate(found)]
    edit = (EDIT, "Edit it first: its batch file opens in the editor")
    options = [*options, edit] if scope.marked or scope.hides else [edit, *options]

    def answered(choice: str | None) -> None:
        if choice == EDIT:
            _edit(app, folder)
        elif choice is not None:
            numbers = found[int(choice)].numbers
            _start(app, [(folder, None if numbers is None else sorted(numbers))])

    app.ask(Choose(f'Clone "{folder.header.name}"', _WAITS, options=options), answered)


def _edit(app: BaseApp, folder: BatchFolder) -> None:
    header = folder.header
    base = Path(header.files or header.base)
    app.compose_batch(spec=rebased(header.asked, Path(header.base), base), base=base)


def _start(app: BaseApp, wanted: Wanted) -> None:
    """Look at the jobs in a thread, then ask where paid work would be paid for again."""

    def work() -> None:
        from batchtui.engine.manage.cloning import clone

        made: list[Clone] = []
        try:
            for folder, numbers in wanted:
                made.append(clone(folder, numbers, app.link.library, app.backends))
        except (BatchtuiError, OSError) as fault:
            for one in made:
                one.discard()
            app.call_later(app.say, f"not cloned: {fault}", "error")
        else:
            app.call_later(_looked_at, app, made)

    app.run_worker(work, thread=True, exit_on_error=False, group="clone")
    app.say("looking at the jobs …")


def _looked_at(app: BaseApp, made: Sequence[Clone]) -> None:
    again = [one.again.message for one in made if one.again]
    if not again:
        _keep(app, made)
        return

    def answered(yes: bool | None) -> None:
        if yes:
            _keep(app, made)
            return
        for one in made:
            one.discard()
        app.say("nothing was made")

    body = "\n".join([*again, _WAITS])
    app.ask(
        Confirm("Take work along that is paid for again?", body, yes="Take it along", no="Leave it"), answered
    )


def _keep(app: BaseApp, made: Sequence[Clone]) -> None:
    try:
        folders = [one.keep() for one in made]
    except (BatchtuiError, OSError) as fault:
        for one in made:
            one.discard()
        app.say(f"not cloned: {fault}", "error")
        return
    for folder in folders:
        app.started_batch(folder.id)
    named = f'"{folders[0].header.name}"' if len(folders) == 1 else counted(len(folders), "batch", "batches")
    app.say(
        f"{named}: {jobs(sum(one.jobs for one in made))}, not sent yet; {app.key('batch.pause')} (resume) sends them"
    )
