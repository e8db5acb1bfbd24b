"""`rm`: delete a batch and its results from this machine."""

from __future__ import annotations

import argparse
import time

from batchtui.cli.control.act import act
from batchtui.cli.shared.arguments import batch_id
from batchtui.cli.shared.drive import drive
from batchtui.cli.shared.phrases import SOME_FAILED, counts, is_over, label
from batchtui.cli.shared.progress import ProgressLine
from batchtui.cli.shared.session import Session
from batchtui.engine.manage.discarding import discard, leftovers
from batchtui.errors import BadInput, ConfigError, Locked, StoreDamaged
from batchtui.model import BatchStatus
from batchtui.store.files.inbox import Command
from batchtui.store.files.lock import holder, is_held
from batchtui.store.folder import BatchFolder

LET_GO_SECONDS = 5.0
LOOK_SECONDS = 0.2


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--cancel", action="store_true", help="cancel a live batch, wait for its end, then delete it"
    )
    group.add_argument(
        "--forget",
        action="store_true",
        help="delete a live batch as it is; what runs remotely runs on, unseen",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    console = session.console
    try:
        folder = session.library.find(args.id)
        status = folder.status()
    except StoreDamaged as fault:
        return _forget_damaged(args, session, fault)
    live = not is_over(status)
    if live and not (args.cancel or args.forget):
        raise BadInput(
            f"{label(status)} is {status.status}: `batchtui rm {folder.id} --cancel` ends it first, "
            f"`batchtui rm {folder.id} --forget` lets it go unseen"
        )
    if not args.yes and not console.can_ask:
        raise BadInput(
            f"rm deletes {label(status)} with its results for good; where nobody can be asked it needs --yes"
        )
    if not args.yes:
        question = f"Delete {label(status)} with its results ({counts(status)})? There is no way back."
        if not console.ask(question):
            console.note("nothing was deleted")
            return SOME_FAILED
    if live and args.cancel and not _cancel(folder, session):
        console.error(f"{label(status)}: the cancel was asked for but has not ended it yet; try again later")
        return SOME_FAILED
    try:
        left = leftovers(folder, session.backends)
    except ConfigError:  # no reason to keep the batch
        left = []
    _remove(folder, session)
    for words in discard(left):
        console.note(words)
    if console.json:
        console.document({"id": status.id, "name": status.name, "deleted": True})
    console.note(f"{label(status)} is deleted")
    return 0


def _forget_damaged(args: argparse.Namespace, session: Session, fault: StoreDamaged) -> int:
    """A batch whose header cannot be read can only be let go, and only by its whole id."""
    if not args.forget or args.id not in session.library.ids():
        raise StoreDamaged(
            f"{fault}; `batchtui rm ID --forget` with its whole id deletes it all the same"
        ) from None
    if not args.yes and not (session.console.can_ask and session.console.ask(f"Delete {args.id} for good?")):
        raise BadInput(f"rm deletes {args.id} for good; where nobody can be asked it needs --yes")
    session.library.remove(args.id)
    if session.console.json:
        session.console.document({"id": args.id, "name": None, "deleted": True})
    session.console.note(f"{args.id} is deleted")
    return 0


def _cancel(folder: BatchFolder, session: Session) -> bool:
    """Cancel and see it through; whether it has ended."""
    cancel = Command(command="cancel")
    if holder(folder.path):
        act(session, folder, cancel)
        with ProgressLine(session.console) as line:
            while holder(folder.path) and not is_over(status := _fresh(folder)):
                line.show(f"cancelling: {label(status)}: {counts(status)}")
                time.sleep(LOOK_SECONDS)
    if not is_over(folder.status()):
        folder, _ = drive(session, folder, prepare=lambda worker: worker.command(folder.id, cancel))
    return is_over(_fresh(folder))


def _fresh(folder: BatchFolder) -> BatchStatus:
    folder.refresh()
    return folder.status()


def _remove(folder: BatchFolder, session: Session) -> None:
    """Raises Locked where another process still writes there."""
    end = time.monotonic() + LET_GO_SECONDS
    while is_held(folder.path):
        if time.monotonic() > end:
            who = holder(folder.path) or "another process"
            raise Locked(f"batch {folder.id} is driven by {who}; quit that first, or use rm --cancel")
        time.sleep(LOOK_SECONDS)
    session.library.remove(folder.id)
