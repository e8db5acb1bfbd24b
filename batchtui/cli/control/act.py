"""`cancel`, `pause`, `retry`, `limit`, `resolve`, `rename`, `archive`, `tag`: wishes, obeyed by whoever drives the batch."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import msgspec

from batchtui.cli.control.rather import rather_paid
from batchtui.cli.control.vain import NOBODY, why_vain
from batchtui.cli.shared.arguments import batch_id, words
from batchtui.cli.shared.phrases import OK, SOME_FAILED, end_words, is_over, label
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, StoreDamaged, nearest
from batchtui.limit_ranges import limit_problems
from batchtui.model import (
    LIVE_JOB_STATES,
    UNSUCCESSFUL_JOB_STATES,
    BatchStatus,
    JobState,
    Json,
    LimitsSpec,
    SubmissionState,
)
from batchtui.store.files.inbox import Command, post
from batchtui.store.files.lock import holder
from batchtui.store.folder import BatchFolder

OBEYED_SECONDS = 5.0
LOOK_SECONDS = 0.05
_GOES_ON = ("cancel", "retry", "limit", "resolve")
"""After these there may be something to do, for which nobody is there."""
RESOLUTIONS = ("resend", "adopt", "abandon", "collect", "release", "cancel", "take-over")


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    if command in ("cancel", "retry"):
        if command == "retry":
            parser.add_argument(
                "--status", metavar="S", help="only jobs of these states: failed,expired,invalid,cancelled"
            )
        parser.add_argument("--where", metavar="Q", help="only jobs that match, such as error:timeout")
        parser.add_argument(
            "-y",
            "--yes",
            action="store_true",
            help="do not ask about cost" if command == "retry" else argparse.SUPPRESS,
        )
        parser.add_argument(
            "--job", action="append", default=[], metavar="JOB", help="only this job; may be repeated"
        )
    elif command == "limit":
        parser.add_argument(
            "limits", nargs="+", metavar="KEY=VALUE", help="such as cost_usd=9; an empty value removes"
        )
    elif command == "resolve":
        parser.add_argument("--submission", type=int, metavar="N", help="which one, where there are several")
        parser.add_argument("action", choices=RESOLUTIONS, help="what to do")
        parser.add_argument(
            "remote_id", nargs="?", metavar="REMOTE_ID", help="adopt: the id that the backend gave it"
        )
    elif command == "rename":
        parser.add_argument("name", metavar="NAME", help="what it is called from now on")
    elif command == "archive":
        parser.add_argument("--undo", action="store_true", help="bring it back into the list")
    elif command == "tag":
        parser.add_argument(
            "tags", nargs="+", metavar="TAG", help="a tag to add; -TAG after -- or !TAG takes it away"
        )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    folder = session.library.find(args.id)
    if command == "rename":
        session.library.refuse_name(args.name, folder.id)
    wish = _wish(command, args, folder)
    status = folder.status(submissions=session.console.json)
    vain = why_vain(folder, status, wish) if wish else _no_wish(command)
    if wish is None or vain:
        if session.console.json:
            session.console.document(_document(status, vain))
        session.console.note(f"{label(status)}: {vain}; nothing to do")
        return OK
    if command == "retry" and not rather_paid(folder, wish, session, yes=args.yes):
        return SOME_FAILED
    told = _told(command, folder, wish)
    obeyed = act(session, folder, wish)
    folder.refresh()
    status = folder.status(submissions=session.console.json)
    if session.console.json:
        session.console.document(_document(status))
    if not obeyed:
        who = holder(folder.path) or "nobody yet"
        session.console.error(
            f"{label(status)}: {command}{told} is noted, and will be obeyed by whoever drives it ({who})"
        )
        return OK
    if command == "resolve" and (left := _undecided(folder, wish)):
        session.console.error(f"{label(status)}: {left}")
        return SOME_FAILED
    if command == "rename" and status.name != args.name:
        session.console.error(
            f"{label(status)}: whoever drives it did not take that name; `batchtui list` shows which are taken"
        )
        return SOME_FAILED
    session.console.note(f"{label(status)}: {command}{told} done; {end_words(status)}")
    if command == "limit" and is_over(status):
        session.console.note(
            f"it has ended: the limit holds for what `batchtui retry {folder.id}` sends again"
        )
    elif not is_over(status) and status.driver is None and not status.paused and command in _GOES_ON:
        session.console.note(
            f"`batchtui resume {folder.id}` " + ("collects the rest" if command == "cancel" else "carries on")
        )
    return OK


def _document(status: BatchStatus, vain: str | None = None) -> dict[str, Json]:
    """The batch as it is then, with why nothing was to be done where that was so."""
    told: dict[str, Json] = msgspec.to_builtins(status)
    return told | {"nothing_to_do": vain}


def _no_wish(command: str) -> str:
    return "it has that name" if command == "rename" else NOBODY


def _undecided(folder: BatchFolder, wish: Command) -> str:
    """Why what a person decided of a copy is not done yet; empty where it is."""
    header, action = folder.header, wish.args["action"]
    if header.taking_over or header.adopting:
        return f"that waits until its backends can tell; `batchtui resume {folder.id}` goes on with it"
    asked = folder.progress.attention.get(("copy", None))
    if action == "take-over" and header.follows and asked:
        return asked.text
    known = {record.remote_id for record in folder.progress.submissions.values()}
    if action == "adopt" and wish.args["remote_id"] not in known:
        return f"{wish.args['remote_id']}: none of its backends lists it, or it has no job of this batch"
    return ""


def act(session: Session, folder: BatchFolder, command: Command) -> bool:
    """Have the command obeyed by the batch's driver or, where there is none, by this process; whether it was."""
    offset = post(folder.path, command, folder.progress.inbox_end)
    if holder(folder.path) and _obeyed(folder, offset):
        return True
    return not holder(folder.path) and _obey_here(session, folder, command, offset)


def _obey_here(session: Session, folder: BatchFolder, command: Command, offset: int) -> bool:
    """A short-lived worker that obeys and sends nothing; it stays until a cancel has been asked for everywhere."""
    from batchtui.cli.shared.drive import working

    with working(session) as worker:
        worker.finish_direct()
        worker.drive(folder.id)
        end = time.monotonic() + OBEYED_SECONDS
        while time.monotonic() < end:
            folder.refresh()
            if folder.progress.inbox_end >= offset and _is_done(folder, command):
                break
            if damage := worker.damaged():
                raise StoreDamaged("; ".join(damage))
            time.sleep(LOOK_SECONDS)
    folder.refresh()
    return folder.progress.inbox_end >= offset


def _is_done(folder: BatchFolder, command: Command) -> bool:
    """Whether what follows from an obeyed command, which the worker is needed for, is done as well."""
    if folder.header.taking_over or folder.header.adopting:
        return False
    return command.command != "cancel" or _cancel_asked(folder)


def _cancel_asked(folder: BatchFolder) -> bool:
    """Whether nothing is left to ask: the batch has ended, or every submission that lives was asked to."""
    progress = folder.progress
    if not folder.header.cancelling:
        return True
    live = [sub for sub in progress.submissions.values() if sub.state is not SubmissionState.COLLECTED]
    return all(sub.cancel_asked for sub in live) and not progress.count(JobState.PENDING)


def _obeyed(folder: BatchFolder, offset: int) -> bool:
    """Whether the driver has read the inbox up to there in time; False at once where the driver is gone."""
    end = time.monotonic() + OBEYED_SECONDS
    while True:
        folder.refresh()
        if folder.progress.inbox_end >= offset:
            return True
        if time.monotonic() > end or not holder(folder.path):
            return False
        time.sleep(LOOK_SECONDS)


def _wish(command: str, args: argparse.Namespace, folder: BatchFolder) -> Command | None:
    """The command to post; None where it would do nothing. Raises BadInput, NotFound."""
    facts: dict[str, Json] | None = {}
    if command == "cancel":
        facts = chosen(folder, args, LIVE_JOB_STATES) if args.job or args.where else {}
    elif command == "retry":
        facts = _retry(folder, args)
    elif command == "limit":
        facts = parse_limits(args.limits)
    elif command == "resolve":
        facts = _resolution(folder, args)
    elif command == "rename":
        facts = {"name": args.name} if args.name != folder.header.name else None
    elif command == "archive":
        facts = {"on": not args.undo}
    elif command == "tag":
        away = [tag[1:] for tag in args.tags if tag[0] in "!-"]
        facts = {"add": [tag for tag in args.tags if tag[0] not in "!-"], "remove": away}
    return None if facts is None else Command(command=command, args=facts)


def chosen(
    folder: BatchFolder, args: argparse.Namespace, states: frozenset[JobState]
) -> dict[str, Json] | None:
    """The jobs that `--job` and `--where` leave of those in these states; None where that is none."""
    for job_id in args.job:
        folder.number(job_id)
    columns, ids = folder.columns(), folder.jobs.ids
    wanted = [n for n in range(len(ids)) if columns.state(n) in states]
    if args.job:
        named = set(args.job)
        wanted = [n for n in wanted if ids[n] in named]
    if args.where:
        from batchtui.results.reading.query import parse
        from batchtui.results.reading.select import select

        found = [result.job_id for result in select(folder, parse(args.where), numbers=wanted)]
    else:
        found = [ids[n] for n in wanted]
    return {"jobs": found} if found else None


def _retry(folder: BatchFolder, args: argparse.Namespace) -> dict[str, Json] | None:
    if len(folder.born) == len(folder.jobs) > 0:
        from batchtui.engine.collect.growing import NOT_ALONE

        raise BadInput(f"{folder.id}: {NOT_ALONE}")
    allowed = sorted(UNSUCCESSFUL_JOB_STATES)
    states = [JobState(word) for word in words(args.status, allowed, "status")] if args.status else allowed
    if args.job or args.where:
        return chosen(folder, args, frozenset(states))
    return {"status": [state.value for state in states]} if folder.progress.numbers(*states) else None


def _told(command: str, folder: BatchFolder, wish: Command) -> str:
    """`14 of 168 jobs without a good answer`: how much of the batch a command is about; empty where that is clear."""
    if command not in ("cancel", "retry") or "jobs" not in wish.args:
        return ""
    states = LIVE_JOB_STATES if command == "cancel" else UNSUCCESSFUL_JOB_STATES
    total = len(folder.progress.numbers(*states))
    what = "unfinished jobs" if command == "cancel" else "jobs without a good answer"
    return f" of {len(wish.args['jobs']):,} of {total:,} {what}"


def parse_limits(items: Sequence[str]) -> dict[str, Json]:
    """`cost_usd=9` … as limits; an empty value is None. Raises BadInput with the nearest key."""
    import tomllib

    from batchtui.decode import convert

    found: dict[str, Json] = {}
    for item in items:
        key, equals, text = item.partition("=")
        if key not in LimitsSpec.__struct_fields__:
            known = ", ".join(LimitsSpec.__struct_fields__)
            raise BadInput(
                f'unknown limit "{key}"{nearest(key, LimitsSpec.__struct_fields__) or f"; limits are {known}"}'
            )
        if not equals:
            raise BadInput(f"{key}: expected {key}=VALUE; {key}= removes it")
        try:
            found[key] = tomllib.loads(f"value = {text}")["value"] if text else None
        except tomllib.TOMLDecodeError:
            found[key] = text
    spec = convert(
        {key: value for key, value in found.items() if value is not None}, LimitsSpec, where="limit"
    )
    for problem in limit_problems(spec, None, "limit"):
        raise BadInput(str(problem))
    return found


def _resolution(folder: BatchFolder, args: argparse.Namespace) -> dict[str, Json]:
    if (args.action == "adopt") != (args.remote_id is not None):
        raise BadInput("adopt takes the id that the backend gave the submission, the other answers take none")
    status = folder.status()
    items = [item for item in status.attention if args.action in item.actions]
    submission = args.submission
    if submission is None:
        candidates = {item.submission for item in items}
        if len(candidates) > 1:
            raise BadInput(
                f"which one? --submission {' or '.join(str(c) for c in sorted(c or 0 for c in candidates))}"
            )
        submission = next(iter(candidates), None)
    elif submission not in folder.progress.submissions:
        raise BadInput(
            f"batch {folder.id} has no submission {submission}; `batchtui status {folder.id}` lists them"
        )
    if not items and not (args.action == "take-over" and status.follows):
        raise BadInput(
            f'nothing in batch {folder.id} takes "{args.action}"; `batchtui status {folder.id}` shows what does'
        )
    facts: dict[str, Json] = {"action": args.action}
    if submission is not None:
        facts["submission"] = submission
    if args.remote_id:
        facts["remote_id"] = args.remote_id
    return facts
