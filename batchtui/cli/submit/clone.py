"""`clone`: a new batch of a batch's jobs, or of some of them. It waits, paused, and nothing is sent before `resume`."""

from __future__ import annotations

import argparse

from batchtui.amounts import counted
from batchtui.cli.control.act import chosen
from batchtui.cli.shared.arguments import batch_id, words
from batchtui.cli.shared.phrases import OK, label
from batchtui.cli.shared.progress import ProgressLine
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput
from batchtui.model import JOB_STATES, JobState
from batchtui.store.folder import BatchFolder


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    parser.add_argument("--status", metavar="S", help="only jobs of these states, such as failed,expired")
    parser.add_argument("--where", metavar="Q", help="only jobs that match, such as error:timeout")
    parser.add_argument(
        "--job", action="append", default=[], metavar="JOB", help="only this job; may be repeated"
    )
    parser.add_argument("--name", metavar="NAME", default="", help="what to call the new batch")
    parser.add_argument(
        "--again",
        action="store_true",
        help="take paid work along that was sent before, and is paid for again",
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.manage.cloning import clone

    folder = session.library.find(args.id)
    numbers = _numbers(folder, args)
    with ProgressLine(session.console) as line:
        made = clone(
            folder, numbers, session.library, session.backends,
            lambda count: line.show(f"looking at the jobs: {count:,}") if count else None,
        )  # fmt: skip
    try:
        if made.again and not args.again:
            _agree(str(made.again.message), session)
        if args.name:
            made.header.name = args.name[:200]
        new = made.keep()
    except BaseException:
        made.discard()
        raise
    console = session.console
    if console.json:
        console.document({"id": new.id})
    else:
        print(new.id)
    jobs = counted(made.jobs, "job")
    console.note(
        f"{label(new.status())}: {jobs} of {folder.id}, not sent yet; `batchtui resume {new.id}` sends them"
    )
    if new.header.spec.output.dir:
        console.note(f"its results go to {new.header.spec.output.dir}")
    return OK


def _numbers(folder: BatchFolder, args: argparse.Namespace) -> list[int] | None:
    """The jobs that are meant; None: all. Raises BadInput where that is none, NotFound."""
    if not (args.status or args.where or args.job):
        return None
    states = (
        [JobState(word) for word in words(args.status, JOB_STATES, "status")] if args.status else JOB_STATES
    )
    found = chosen(folder, args, frozenset(states))
    if found is None:
        raise BadInput(f"no job of batch {folder.id} is meant by that; nothing was made")
    return [folder.number(job_id) for job_id in found["jobs"]]


def _agree(told: str, session: Session) -> None:
    """Raises BadInput where nobody said that paid work is to be sent once more."""
    if not session.console.can_ask:
        raise BadInput(f"{told}; nothing was made, --again takes them all the same")
    session.console.error(told)
    if not session.console.ask("Take them along, to be paid for again?"):
        raise BadInput("nothing was made")
