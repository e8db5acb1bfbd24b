"""`run`: submit a batch, follow it, write its results."""

from __future__ import annotations

import argparse
import sys

from batchtui.amounts import counted
from batchtui.causes import verdict
from batchtui.cli.shared import loading
from batchtui.cli.shared.drive import drive, report
from batchtui.cli.shared.first_answer import tell_first_answer
from batchtui.cli.shared.phrases import OK, UNREACHABLE, exit_code, is_over, label
from batchtui.cli.shared.progress import ProgressLine
from batchtui.cli.shared.session import Session
from batchtui.cli.submit import trust
from batchtui.cli.submit.canary import offer_release
from batchtui.cli.submit.check import print_problems
from batchtui.engine.manage.waiting import Patience, all_submitted
from batchtui.errors import BadInput, BatchtuiError, ConfigError
from batchtui.model import JobState, Problem
from batchtui.preflight import Preflight
from batchtui.store.folder import BatchFolder
from batchtui.text import cell


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    loading.arguments(parser)
    parser.add_argument(
        "--detach",
        action="store_true",
        help="return once everything is submitted, and print the id (remote kinds)",
    )
    parser.add_argument(
        "--out", metavar="PATH", help="write the results here at the end: .jsonl .json .csv .parquet"
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    folder = _create(args, session)
    name, wanted = folder.header.name, folder.header.spec.name
    if wanted and wanted != name:
        session.console.note(f'an earlier batch is named "{wanted}", so this one is "{name}"')
    session.console.note(f"{label(folder.status())}: {_jobs(folder)} on {', '.join(folder.header.backends)}")
    if folder.header.own_folder:
        session.console.note(f"its tables go to {cell(folder.header.spec.output.dir, 300)}")
    if args.detach:
        return _detach(folder, session)
    patience = Patience()
    folder, reason = drive(session, folder, until=patience.is_over)
    if patience.reason:
        return _nothing_taken(folder, patience.reason, session)
    folder, reason = offer_release(session, folder, reason)
    if args.out:
        _write(folder, args.out, session)
    code = report(session, folder, reason)
    if not args.out:
        tell_first_answer(session, folder)
    return code


def _jobs(folder: BatchFolder) -> str:
    """How many there are, as far as that is known before they are born."""
    seeds, total = len(folder.header.seeds), folder.header.total
    if not seeds:
        return counted(total, "job")
    what = "jobs as they show" if seeds == 1 else f"jobs of {seeds:,} submissions as they show"
    return f"{counted(total, 'job')}, and {what}" if total else what


def _create(args: argparse.Namespace, session: Session) -> BatchFolder:
    """Raises BadInput where a problem stops the batch; its problems were then printed."""
    from batchtui.engine.plan.planning import create, plan

    loaded = loading.load(args)
    reach = trust.reach_of(args, loaded, session)
    if args.out and args.out != "-":
        from batchtui.results.export.file import format_of

        format_of(args.out)
    draft = session.library.draft()
    try:
        with ProgressLine(session.console) as line:
            planned = plan(
                loaded.spec, loaded.base, session.backends, draft=draft, stdin=loaded.stdin, where=loaded.where,
                files=loaded.files,
                tick=lambda rows: line.show(f"checking: {rows:,} rows") if rows else None,
                reach=reach, library=session.library,
            )  # fmt: skip
        flight = planned.preflight
        refused = None if flight.stopped else _refused(args, flight, session)
        print_problems(session.console, [one for one in flight.problems if one is not refused])
        if flight.stopped:
            raise _stopped(session, flight)(
                f"{args.file}: nothing was sent: {verdict(flight.problems)} to settle first"
            )
        for backend in planned.backends:
            if args.detach and not backend.remote:
                raise BadInput(
                    f"--detach: jobs of kind {backend.kind} run here, so somebody has to stay; leave it out"
                )
        trust.agree(args.file, reach, session, trusted=args.trust)
        _agree_to_pay_again(args, flight, session)
        return create(planned, draft, unpriced_agreed=_agreed_on_cost(args, flight, session))
    except BaseException:
        draft.discard()
        raise


def _stopped(session: Session, flight: Preflight) -> type[BatchtuiError]:
    """A backend that cannot be built, or has no table yet, is a fault of the configuration, all else of the input."""
    only = flight.backend or session.config.defaults.backend
    for name in [share.backend for share in flight.backends] or ([only] if only else []):
        if session.backends.lacks_table(name):
            return ConfigError
        try:
            if name in session.backends.names():
                session.backends.get(name)
        except ConfigError:
            return ConfigError
    return BadInput


def _refused(args: argparse.Namespace, flight: Preflight, session: Session) -> Problem | None:
    """What stops it where nobody can be asked: the refusal tells it, and nothing else does."""
    if session.console.can_ask:
        return None
    return (None if args.again else _first(flight, "again")) or (None if args.yes else _first(flight, "cost"))


def _first(flight: Preflight, asks: str) -> Problem | None:
    return next((problem for problem in flight.problems if problem.asks == asks), None)


def _agreed_on_cost(args: argparse.Namespace, flight: Preflight, session: Session) -> bool:
    """Whether a person said to send what no limit can be kept for. Raises BadInput where nobody did."""
    doubt = _first(flight, "cost")
    if doubt is None or args.yes:
        return bool(args.yes)
    if not session.console.can_ask:
        raise BadInput(f"{doubt}; --yes sends it all the same")
    if not session.console.ask("Send it all the same?"):
        raise BadInput("nothing was sent")
    return True


def _agree_to_pay_again(args: argparse.Namespace, flight: Preflight, session: Session) -> None:
    """Raises BadInput where nobody said that paid work is to be sent once more."""
    known = _first(flight, "again")
    if known is None or args.again:
        return
    if not session.console.can_ask:
        raise BadInput(f"{known}; nothing was sent, --again sends them all the same")
    if not session.console.ask("Send and pay for them again?"):
        raise BadInput("nothing was sent")


def _detach(folder: BatchFolder, session: Session) -> int:
    patience = Patience()
    folder, reason = drive(
        session, folder, until=lambda current: all_submitted(current) or patience.is_over(current)
    )
    if patience.reason:
        return _nothing_taken(folder, patience.reason, session)
    console = session.console
    if console.json:
        console.document({"id": folder.id})
    else:
        print(folder.id)
    if reason or not (all_submitted(folder) or is_over(folder.status())):
        if reason:
            console.error(f"it cannot go on by itself: {reason}; `batchtui status {folder.id}` shows more")
        return exit_code(folder)
    what = "the canary" if folder.progress.count(JobState.PENDING) else "everything"
    console.note(f"{what} is submitted; `batchtui resume {folder.id}` collects the results")
    return OK


def _write(folder: BatchFolder, path: str, session: Session) -> None:
    from batchtui.results.export.file import export_batch, write
    from batchtui.results.reading.select import select

    if path == "-":
        write(sys.stdout, select(folder), format="jsonl")
        return
    count = export_batch(folder, path)
    session.console.note(f"{counted(count, 'result')} written to {path}")


def _nothing_taken(folder: BatchFolder, reason: str, session: Session) -> int:
    session.console.error(
        f"{folder.header.backend} has taken nothing for a minute: {reason}; `batchtui resume {folder.id}` tries again"
    )
    if session.console.json:
        session.console.document(folder.status(submissions=True))
    return UNREACHABLE
