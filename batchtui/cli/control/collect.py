"""`collect`: bring the answers of submissions home again, from raw/ or from the provider. Nothing is sent for it."""

from __future__ import annotations

import argparse

from batchtui.cli.control.act import act
from batchtui.cli.shared.arguments import batch_id
from batchtui.cli.shared.drive import drive, report
from batchtui.cli.shared.phrases import OK, label
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput
from batchtui.model import JobState, SubmissionState
from batchtui.store.files.inbox import Command, post
from batchtui.store.files.lock import holder
from batchtui.store.folder import BatchFolder


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    parser.add_argument("--submission", type=int, metavar="N", help="only this one; `status` numbers them")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    folder = session.library.find(args.id)
    if args.submission is not None and args.submission not in folder.progress.submissions:
        raise BadInput(
            f"batch {folder.id} has no submission {args.submission}; `batchtui status {folder.id}` lists them"
        )
    if not any(record.made for record in folder.progress.submissions.values()):
        raise BadInput(
            f"batch {folder.id} has nothing at a backend that could be collected; "
            f"`batchtui status {folder.id}` shows what it sent"
        )
    wish = Command(command="collect", args={} if args.submission is None else {"submission": args.submission})
    if holder(folder.path):
        return _ask_driver(folder, wish, session)
    done = folder.progress.count(JobState.COMPLETED)
    asked = post(folder.path, wish, folder.progress.inbox_end)
    folder, reason = drive(
        session,
        folder,
        until=lambda one: one.progress.inbox_end >= asked and not _coming(one, args.submission),
        sends=False,
    )
    came = folder.progress.count(JobState.COMPLETED) - done
    if came > 0:
        session.console.note("1 answer came home" if came == 1 else f"{came:,} answers came home")
    elif not _coming(folder, args.submission):
        session.console.note("no answer came that was not here")
    return report(session, folder, reason)


def _coming(folder: BatchFolder, only: int | None) -> bool:
    """Whether submissions are being brought home."""
    records = folder.progress.submissions.values()
    return any(one.state is SubmissionState.ENDED and only in (None, one.id) for one in records)


def _ask_driver(folder: BatchFolder, wish: Command, session: Session) -> int:
    """Have whoever drives the batch do it, and say how to follow that."""
    console = session.console
    obeyed = act(session, folder, wish)
    folder.refresh()
    status = folder.status(submissions=True)
    if console.json:
        console.document(status)
    how = "is asked for once more" if obeyed else "is noted, and done by whoever drives it"
    console.note(f"{label(status)}: what is not here {how}; `batchtui wait {folder.id}` follows it")
    return OK
