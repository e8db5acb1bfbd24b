"""What the screens do to batches: each asks where it cannot be undone, and always answers with a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchtui import outcome
from batchtui.amounts import counted
from batchtui.engine.collect.homing import fetchable
from batchtui.engine.manage.discarding import discard_aside, leftovers
from batchtui.model import UNSUCCESSFUL_JOB_STATES, BatchStatus, SubmissionState
from batchtui.tui.actions.job_actions import NOT_ALONE, cost_words
from batchtui.tui.look import states
from batchtui.tui.screens.asking.dialogs import Ask, Confirm

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


def _statuses(app: BaseApp, ids: Sequence[str]) -> list[BatchStatus]:
    return [status for batch_id in ids if (status := app.link.status(batch_id))]


def _named(found: Sequence[BatchStatus]) -> str:
    return f'"{found[0].name}"' if len(found) == 1 else counted(len(found), "batch", "batches")


def _are(found: Sequence[BatchStatus]) -> str:
    return "is" if len(found) == 1 else "are"


def _ended(app: BaseApp, verb: str, ids: Sequence[str]) -> None:
    """Nothing can be done to these, or none was meant."""
    if ids:
        app.say(f"nothing to {verb}: {'it has' if len(ids) == 1 else 'they have'} ended")
    else:
        app.say_none()


def cancel(app: BaseApp, ids: Sequence[str]) -> None:
    """Ask, then cancel whole batches."""
    found = [status for status in _statuses(app, ids) if states.live(status)]
    if not found:
        _ended(app, "cancel", ids)
        return
    left = sum(status.pending + status.processing for status in found)

    def answered(yes: bool | None) -> None:
        if not yes:
            return
        for status in found:
            app.link.command(status.id, "cancel")
        app.say(f"cancelling {_named(found)}; results that still come are kept")

    app.ask(
        Confirm(
            f"Cancel {_named(found)}?",
            f"{counted(left, 'unfinished job')} {'ends' if left == 1 else 'end'} without a result. What has ended stays, "
            "and what the backend has already done may still be charged.",
            yes="Cancel the jobs", no="Keep running",
        ),
        answered,
    )  # fmt: skip


def pause(app: BaseApp, ids: Sequence[str]) -> None:
    """Pause what runs; where all of it is paused, resume."""
    found = [status for status in _statuses(app, ids) if states.live(status)]
    if not found:
        _ended(app, "pause", ids)
        return
    running = [status for status in found if not status.paused]
    for status in running or found:
        app.link.command(status.id, "pause" if running else "resume")
    if running:
        app.say(
            f"paused {_named(running)}: what the backend holds keeps running; {app.key('batch.pause')} again resumes"
        )
    else:
        app.say(f"resumed {_named(found)}")


def retry(app: BaseApp, ids: Sequence[str]) -> None:
    """Put every job without a good answer back to pending."""
    found = [status for status in _statuses(app, ids) if _to_retry(status)]
    if not found:
        app.say("nothing to retry: no job failed" if ids else "no batch is selected")
        return
    if kept := [status for status in found if _all_born(app, status.id)]:
        app.say(NOT_ALONE, "warning")
        found = [status for status in found if status not in kept]
    if not found:
        return
    count = sum(_to_retry(status) for status in found)
    jobs = counted(count, "job")

    def send() -> None:
        for status in found:
            app.link.command(status.id, "retry")
        app.say(f"{jobs} of {_named(found)} {'goes' if count == 1 else 'go'} back to pending")

    def answered(yes: bool | None) -> None:
        if yes:
            send()

    price = _price(app, found)
    if price:
        words = "; ".join(f"{status.name}: {outcome.told(status)}" for status in found[:8])
        ask = Confirm(f"Retry {jobs} of {_named(found)}?", f"{words}. {price.capitalize()}.",
                      yes="Retry", no="Keep")  # fmt: skip
        app.ask(ask, answered)
    else:
        send()


def _price(app: BaseApp, found: Sequence[BatchStatus]) -> str:
    """What sending their jobs without a good answer again would cost, in words; empty where it costs nothing."""
    folders = [folder for status in found if (folder := app.link.folder(status.id))]
    return cost_words(app, [(one, one.progress.numbers(*UNSUCCESSFUL_JOB_STATES)) for one in folders])


def _to_retry(status: BatchStatus) -> int:
    return outcome.without_answer(status)


def _all_born(app: BaseApp, batch_id: str) -> bool:
    """Whether no job of it can be sent again by itself."""
    folder = app.link.folder(batch_id)
    return folder is not None and len(folder.born) == len(folder.jobs) > 0


def collect(app: BaseApp, ids: Sequence[str]) -> None:
    """Ask for answers that are not here, at no cost."""
    found = _statuses(app, ids)
    wanted = [status for status in found if _is_incomplete(app, status.id)]
    if not wanted:
        app.say(
            "nothing to collect: every answer that a backend gave is here" if ids else "no batch is selected"
        )
        return
    for status in wanted:
        app.link.command(status.id, "collect")
    app.say(f"{_named(wanted)}: asking once more for what is not here")


def _is_incomplete(app: BaseApp, batch_id: str) -> bool:
    """Whether a submission of it is not home, or left jobs without an answer."""
    folder = app.link.folder(batch_id)
    if folder is None:
        return False
    coming = any(one.state is SubmissionState.ENDED for one in folder.progress.submissions.values())
    return coming or bool(fetchable(folder))


def archive(app: BaseApp, ids: Sequence[str]) -> None:
    """Hide, or bring back where all of them are hidden."""
    found = _statuses(app, ids)
    if not found:
        app.say_none()
        return
    hide = not all(status.archived for status in found)
    for status in found:
        app.link.command(status.id, "archive", on=hide)
    app.say(
        f"archived {_named(found)}; {app.key('batch.archived')} shows archived batches"
        if hide
        else f"{_named(found)} {_are(found)} back in the list"
    )


def tag(app: BaseApp, ids: Sequence[str]) -> None:
    """Ask for tags to add, and those to take away with a `!` before them."""
    found = _statuses(app, ids)
    if not found:
        app.say_none()
        return

    def answered(line: str | None) -> None:
        words = (line or "").replace(",", " ").split()
        away = [word[1:] for word in words if word.startswith("!") and len(word) > 1]
        add = [word for word in words if not word.startswith("!")]
        if not add and not away:
            return
        for status in found:
            app.link.command(status.id, "tag", add=add, remove=away)
        told = [f"tagged {' '.join(add)}"] if add else []
        told += [f"no longer tagged {' '.join(away)}"] if away else []
        app.say(f"{_named(found)}: {', '.join(told)}")

    now = sorted({name for status in found for name in status.tags})
    body = "Tags, with a space between; !tag takes one away. The filter tag:x finds them."
    if now:
        body += f"\nNow: {' '.join(now)}"
    app.ask(Ask(f"Tag {_named(found)}", body, hint="reviewed !draft"), answered)


def remove(app: BaseApp, ids: Sequence[str]) -> None:
    """Ask, then delete from the disk; not while something runs."""
    found = _statuses(app, ids)
    running = [status for status in found if states.live(status)]
    if not found or running:
        if running:
            runs, it = ("still runs", "it") if len(running) == 1 else ("still run", "them")
            app.say(f"{_named(running)} {runs}: cancel {it} first, by {app.key('batch.cancel')}", "warning")
        else:
            app.say_none()
        return

    def answered(yes: bool | None) -> None:
        if not yes:
            return
        for status in found:
            folder = app.link.folder(status.id)
            left = leftovers(folder, app.backends) if folder else []
            try:
                app.link.remove(status.id)
            except OSError as fault:
                app.say(
                    f"batch {status.id} cannot be removed from {fault.filename or app.data_dir}: {fault.strerror}",
                    "error",
                )
                return
            discard_aside(left)
        app.say(f"removed {_named(found)}")
        app.tell({status.id for status in found} | {""})

    app.ask(
        Confirm(f"Remove {_named(found)} from the disk?", "Jobs, results and what the backend said are deleted. "
                f"{app.key('batch.archive')} archives instead and keeps everything.", yes="Remove", no="Keep"),
        answered,
    )  # fmt: skip


def errors(app: BaseApp, batch_id: str | None) -> None:
    """Show why jobs of a batch failed."""
    if batch_id and app.link.folder(batch_id):
        app.show_errors(batch_id)
    else:
        app.say_none()


def info(app: BaseApp, batch_id: str | None) -> None:
    """Show all there is to know about a batch."""
    if batch_id and app.link.folder(batch_id):
        app.show_info(batch_id)
    else:
        app.say_none()
