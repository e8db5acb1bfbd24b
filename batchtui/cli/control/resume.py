"""`resume`: drive batches that nobody drives, follow those that somebody does, until they end."""

from __future__ import annotations

import argparse

from batchtui.cli.shared.drive import TICK_SECONDS, drive, report, tell, working
from batchtui.cli.shared.first_answer import tell_first_answer
from batchtui.cli.shared.phrases import LIVE, OK, SOME_FAILED, counts, is_over, label, waits_for_budget
from batchtui.cli.shared.progress import ProgressLine
from batchtui.cli.shared.session import Session
from batchtui.engine.outputs.result_files import is_unwritten
from batchtui.store.files.inbox import Command
from batchtui.store.folder import BatchFolder


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", metavar="ID", nargs="?", help="one batch, also where it is paused; default: all"
    )
    parser.add_argument(
        "--no-wait",
        action="store_true",
        help="do not follow what another process drives: exit 6, still live, at once",
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    if args.id is None:
        return _resume_all(session, wait=not args.no_wait)
    return _resume(session.library.find(args.id), session, wait=not args.no_wait)


def _resume(folder: BatchFolder, session: Session, *, wait: bool) -> int:
    status = folder.status()
    if is_over(status) and not status.paused and not is_unwritten(folder):
        session.console.note(
            f"it has ended already, and nothing of it ran again; `batchtui results {folder.id}` reads it"
        )
        return report(session, folder)
    resumes = Command(command="resume")
    if not status.driver:
        folder, reason = drive(session, folder, prepare=lambda worker: worker.command(folder.id, resumes))
        code = report(session, folder, reason)
        tell_first_answer(session, folder)
        return code
    if status.paused or status.attention:
        from batchtui.cli.control.act import act

        act(session, folder, resumes)
    told = f"{label(status)} is driven by {status.driver}"
    if not wait:
        session.console.note(f"{told}; `batchtui watch {folder.id}` follows it")
        if session.console.json:
            folder.refresh()
            session.console.document(folder.status(submissions=True))
        return LIVE
    session.console.note(f"{told}: it is followed, and taken over should that one end before it has")
    folder, reason = drive(session, folder, until=waits_for_budget)
    if reason is None and not is_over(status := folder.status()):
        reason = "; ".join(item.text for item in status.attention) or None
    return report(session, folder, reason)


def _resume_all(session: Session, *, wait: bool) -> int:
    """Every unfinished batch; the worst of their exit codes."""
    live = [
        folder
        for folder in session.library.folders()
        if isinstance(folder, BatchFolder) and _is_unfinished(folder)
    ]
    elsewhere = [folder for folder in live if folder.status().driver]
    for folder in elsewhere:
        status = folder.status()
        what = "it is followed" if wait else "it is left to that one"
        session.console.note(f"{label(status)} is driven by {status.driver}: {what}")
    ids = [folder.id for folder in live if wait or folder not in elsewhere]
    if not ids:
        if not elsewhere:
            session.console.note("nothing to resume")
        return LIVE if elsewhere else OK
    reasons: dict[str, str | None] = {}
    folders: dict[str, BatchFolder] = {}
    with working(session, drive_all=True) as worker, ProgressLine(session.console) as line:
        for batch_id in ids:
            worker.drive(batch_id)
        told = 0
        while True:
            over = worker.wait(set(ids), timeout=TICK_SECONDS)
            told = tell(session, worker, set(ids), told)
            folders = {batch_id: found for batch_id in ids if (found := worker.folder(batch_id))}
            line.show(_together(list(folders.values())))
            if over:
                break
        reasons = {batch_id: worker.blocked(batch_id) for batch_id in ids}
        damaged = worker.damaged()
    for message in damaged:
        session.console.error(f"batchtui: {message}")
    codes = [report(session, folder, reasons[batch_id]) for batch_id, folder in folders.items()]
    left = LIVE if elsewhere and not wait else OK
    return max(SOME_FAILED if damaged else OK, *codes, left)


def _is_unfinished(folder: BatchFolder) -> bool:
    status = folder.status()
    cut_off = status.ended is None and is_unwritten(folder)
    return cut_off or not is_over(status)


def _together(folders: list[BatchFolder]) -> str:
    statuses = [folder.status() for folder in folders]
    live = [status for status in statuses if not is_over(status)]
    if len(live) == 1:
        return f"{label(live[0])}: {counts(live[0])}"
    return f"{len(live)} batches live, {sum(s.finished for s in live):,} of {sum(s.total or 0 for s in live):,} jobs done"
