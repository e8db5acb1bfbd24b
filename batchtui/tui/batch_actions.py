"""What the screens do to batches: each asks where it cannot be undone, and always answers with a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.engine.discarding import discard_aside, leftovers
from batchtui.errors import BatchtuiError
from batchtui.model import BatchStatus
from batchtui.tui import figures, states
from batchtui.tui.screens.dialogs import Ask, Confirm

if TYPE_CHECKING:
    from batchtui.tui.app import BatchtuiApp

RETRIED = ("failed", "invalid", "expired", "cancelled")


def _statuses(app: BatchtuiApp, ids: Sequence[str]) -> list[BatchStatus]:
    return [status for batch_id in ids if (status := app.link.status(batch_id))]


def _named(found: Sequence[BatchStatus]) -> str:
    return f'"{found[0].name}"' if len(found) == 1 else f"{len(found)} batches"


def cancel(app: BatchtuiApp, ids: Sequence[str]) -> None:
    """Ask, then cancel whole batches."""
    found = [status for status in _statuses(app, ids) if states.live(status)]
    if not found:
        app.say("nothing to cancel: it has ended" if ids else "no batch is selected")
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
            f"{figures.count(left)} unfinished jobs end without a result. What has ended stays, and what the "
            "backend has already done may still be charged.",
            yes="Cancel the jobs", no="Keep running",
        ),
        answered,
    )  # fmt: skip


def cancel_jobs(app: BatchtuiApp, batch_id: str, job_ids: Sequence[str]) -> None:
    """Ask, then cancel some jobs of a batch."""

    def answered(yes: bool | None) -> None:
        if yes:
            app.link.command(batch_id, "cancel", jobs=list(job_ids))
            app.say(f"cancelling {len(job_ids)} jobs")

    what = f'job "{job_ids[0]}"' if len(job_ids) == 1 else f"{len(job_ids)} jobs"
    app.ask(
        Confirm(f"Cancel {what}?", "Jobs that have ended keep their result.", yes="Cancel", no="Keep"),
        answered,
    )


def pause(app: BatchtuiApp, ids: Sequence[str]) -> None:
    """Pause what runs; where all of it is paused, resume."""
    found = [status for status in _statuses(app, ids) if states.live(status)]
    if not found:
        app.say("nothing to pause: it has ended" if ids else "no batch is selected")
        return
    running = [status for status in found if not status.paused]
    for status in running or found:
        app.link.command(status.id, "pause" if running else "resume")
    if running:
        app.say(f"paused {_named(running)}: what the backend holds keeps running; p again to resume")
    else:
        app.say(f"resumed {_named(found)}")


NOT_ALONE = "jobs that were born at the backend cannot be sent again one by one: submit the batch file again"


def retry(app: BatchtuiApp, ids: Sequence[str]) -> None:
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
    jobs = sum(_to_retry(status) for status in found)
    for status in found:
        app.link.command(status.id, "retry", status=list(RETRIED))
    app.say(f"{figures.count(jobs)} jobs of {_named(found)} go back to pending")


def _to_retry(status: BatchStatus) -> int:
    return states.unsuccessful(status) + status.cancelled


def _all_born(app: BatchtuiApp, batch_id: str) -> bool:
    """Whether no job of it can be sent again by itself."""
    folder = app.link.folder(batch_id)
    return folder is not None and len(folder.born) == len(folder.jobs) > 0


def retry_jobs(app: BatchtuiApp, batch_id: str, job_ids: Sequence[str]) -> None:
    if _all_born(app, batch_id):
        app.say(NOT_ALONE, "warning")
        return
    app.link.command(batch_id, "retry", jobs=list(job_ids))
    app.say(f"{len(job_ids)} jobs go back to pending" if len(job_ids) > 1 else "the job goes back to pending")


def archive(app: BatchtuiApp, ids: Sequence[str]) -> None:
    """Hide, or bring back where all of them are hidden."""
    found = _statuses(app, ids)
    if not found:
        app.say("no batch is selected")
        return
    hide = not all(status.archived for status in found)
    for status in found:
        app.link.command(status.id, "archive", on=hide)
    app.say(
        f"archived {_named(found)}; Z shows archived batches"
        if hide
        else f"{_named(found)} is back in the list"
    )


def remove(app: BatchtuiApp, ids: Sequence[str]) -> None:
    """Ask, then delete from the disk; not while something runs."""
    found = _statuses(app, ids)
    running = [status for status in found if states.live(status)]
    if not found or running:
        app.say(
            f"{_named(running)} still runs: cancel it first" if running else "no batch is selected", "warning"
        )
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
                app.say(f"batch {status.id} cannot be removed: {fault.strerror}", "error")
                return
            discard_aside(left)
        app.say(f"removed {_named(found)}")
        app.tell({status.id for status in found} | {""})

    app.ask(
        Confirm(f"Remove {_named(found)} from the disk?", "Jobs, results and what the backend said are deleted. "
                "z archives instead and keeps everything.", yes="Remove", no="Keep"),
        answered,
    )  # fmt: skip


def info(app: BatchtuiApp, batch_id: str | None) -> None:
    """Show all there is to know about a batch."""
    from batchtui.tui.screens.info import InfoScreen

    if batch_id and app.link.folder(batch_id):
        app.push_screen(InfoScreen(batch_id))
    else:
        app.say("no batch is selected")


def clone(app: BatchtuiApp, batch_id: str | None) -> None:
    folder = app.link.folder(batch_id) if batch_id else None
    if folder is None:
        app.say("no batch is selected")
        return
    app.compose_batch(spec=folder.header.spec, base=Path(folder.header.base))


def export(app: BatchtuiApp, batch_id: str | None) -> None:
    """Ask for a path, then write the results in a thread."""
    folder = app.link.folder(batch_id) if batch_id else None
    if folder is None:
        app.say("no batch is selected")
        return

    def write(path: str) -> None:
        from batchtui.results.export import export_batch

        try:
            count = export_batch(folder, path)
        except (BatchtuiError, OSError, ValueError) as fault:
            app.call_later(app.say, f"not exported: {fault}", "error")
        else:
            app.call_later(app.say, f"wrote {count} results to {path}")

    def answered(path: str | None) -> None:
        if path and path.strip():
            target = str(Path(path.strip()).expanduser())
            app.run_worker(lambda: write(target), thread=True, exit_on_error=False, group="export")
            app.say("writing …")

    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in folder.header.name)[:60] or folder.id
    app.ask(
        Ask("Export results", "Where to; the ending decides the format: .jsonl .csv .json .parquet", value=f"{name}.jsonl"),
        answered,
    )  # fmt: skip
