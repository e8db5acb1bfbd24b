"""`resume`: drive batches that nobody drives, until they end."""

from __future__ import annotations

import argparse

from batchtui.cli.drive import TICK_SECONDS, drive, report, working
from batchtui.cli.phrases import OK, SOME_FAILED, counts, is_over, label
from batchtui.cli.progress import ProgressLine
from batchtui.cli.session import Session
from batchtui.engine.outputs.result_files import is_unwritten
from batchtui.store.folder import BatchFolder
from batchtui.store.inbox import Command


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", metavar="ID", nargs="?", help="one batch, also where it is paused; default: all"
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    return _resume_all(session) if args.id is None else _resume(session.library.find(args.id), session)


def _resume(folder: BatchFolder, session: Session) -> int:
    status = folder.status()
    if is_over(status) and not status.paused and not is_unwritten(folder):
        session.console.note("it has ended already")
        return report(session, folder)
    if status.driver:
        from batchtui.cli.act import act

        if status.paused or status.attention:
            act(session, folder, Command(command="resume"))
        session.console.note(
            f"{label(status)} is driven by {status.driver}; `batchtui watch {folder.id}` follows it"
        )
        return OK
    folder, reason = drive(
        session, folder, prepare=lambda worker: worker.command(folder.id, Command(command="resume"))
    )
    return report(session, folder, reason)


def _resume_all(session: Session) -> int:
    """Every unfinished batch that nobody else drives; the worst of their exit codes."""
    ids = [
        folder.id
        for folder in session.library.folders()
        if isinstance(folder, BatchFolder) and _drivable(folder)
    ]
    if not ids:
        session.console.note("nothing to resume")
        return OK
    reasons: dict[str, str | None] = {}
    folders: dict[str, BatchFolder] = {}
    with working(session, drive_all=True) as worker, ProgressLine(session.console) as line:
        for batch_id in ids:
            worker.drive(batch_id)
        while True:
            over = worker.wait(set(ids), timeout=TICK_SECONDS)
            folders = {batch_id: found for batch_id in ids if (found := worker.folder(batch_id))}
            line.show(_together(list(folders.values())))
            if over:
                break
        reasons = {batch_id: worker.blocked(batch_id) for batch_id in ids}
        damaged = worker.damaged()
    for message in damaged:
        session.console.error(f"batchtui: {message}")
    codes = [report(session, folder, reasons[batch_id]) for batch_id, folder in folders.items()]
    return max(SOME_FAILED if damaged else OK, *codes, OK)


def _drivable(folder: BatchFolder) -> bool:
    status = folder.status()
    cut_off = status.ended is None and is_unwritten(folder)
    return (cut_off or not is_over(status)) and status.driver is None


def _together(folders: list[BatchFolder]) -> str:
    statuses = [folder.status() for folder in folders]
    live = [status for status in statuses if not is_over(status)]
    if len(live) == 1:
        return f"{label(live[0])}: {counts(live[0])}"
    return f"{len(live)} batches live, {sum(s.finished for s in live):,} of {sum(s.total or 0 for s in live):,} jobs done"
