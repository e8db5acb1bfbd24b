"""What each command of a person does to a batch. Whoever drives it obeys; anyone may ask, through the inbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from batchtui import typed
from batchtui.engine.adopt.following import KIND
from batchtui.engine.attention import canary
from batchtui.engine.collect.growing import NOT_ALONE
from batchtui.engine.collect.homing import fetchable
from batchtui.engine.spend.budget import UNKNOWN
from batchtui.model import (
    LIVE_REMOTELY,
    UNSENT,
    UNSUCCESSFUL_JOB_STATES,
    JobRecord,
    JobState,
    Json,
    LimitsSpec,
    SubmissionState,
)
from batchtui.store.disk import ranges
from batchtui.store.files.inbox import Command
from batchtui.store.fold.progress import PENDING, PROCESSING, SubmissionRecord
from batchtui.store.names import SENT_AS, fault_of

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch

Args = dict[str, Json]
_OF_SUBMISSIONS = ("unsure", "forgotten", "results")
"""Kinds of attention that ask about a submission."""


def obey(batch: LiveBatch, command: Command) -> None:
    """Carry the command out; one that makes no sense is logged and has no effect."""
    handler = _HANDLERS.get(command.command)
    if handler is None:
        batch.log("warning", f'unknown command "{command.command}" in the inbox')
        return
    try:
        handler(batch, command.args)
    except (TypeError, ValueError, KeyError, msgspec.ValidationError) as fault:
        batch.log("warning", f'command "{command.command}" cannot be obeyed: {fault}')
        return
    batch.log("info", f"{command.command} {_said(command.args)}".strip())
    batch.wake()


def _said(args: Args) -> str:
    plain = {
        key: value for key, value in args.items() if key != "jobs" and not isinstance(value, dict | list)
    }
    return " ".join(f"{key}={value}" for key, value in plain.items())


def _numbers(batch: LiveBatch, args: Args) -> list[int]:
    found = (batch.folder.jobs.number(job_id) for job_id in args.get("jobs") or ())
    return sorted(n for n in found if n is not None)


def _cancel(batch: LiveBatch, args: Args) -> None:
    if args.get("jobs"):
        _cancel_jobs(batch, _numbers(batch, args))
        return
    header = batch.folder.header
    if not batch.progress.live and not header.growing:
        return
    header.cancelling = True
    header.paused = False
    batch.writer.save_header()
    batch.settle_attention("budget", *UNKNOWN)  # what they held back is not sent any more
    if batch.lanes:
        batch.lanes.cancel(batch.progress.numbers(JobState.PROCESSING))


def _cancel_jobs(batch: LiveBatch, numbers: list[int]) -> None:
    """Jobs not sent yet are cancelled; direct ones in flight are ended; a provider cancels whole batches only."""
    wanted = set(numbers)
    states = batch.progress.states
    if batch.lanes:
        for record in list(batch.progress.submissions.values()):
            if record.state in UNSENT and wanted & set(ranges.decode(record.jobs)):
                batch.lanes.withdraw(record)
        batch.lanes.offer(())
    unsent = [n for n in numbers if states[n] == PENDING]
    _mark(batch, unsent, JobState.CANCELLED, error_kind="cancelled", error="cancelled before it was sent")
    if batch.lanes:
        batch.lanes.cancel(wanted)


def _mark(batch: LiveBatch, numbers: list[int], state: JobState, **facts: Json) -> None:
    if numbers:
        batch.writer.record("mark", jobs=ranges.encode(numbers), state=state, **facts)


def _add(batch: LiveBatch, args: Args) -> None:
    """Jobs that a program gives to the batch that it started: new ones, under the same limits."""
    header = batch.folder.header
    if header.cancelling or header.stopping:
        raise ValueError("the batch takes no more jobs")
    records = typed.convert(args["jobs"], list[JobRecord])
    if schemas := args.get("schemas"):
        header.answer_schemas = header.answer_schemas | schemas
    numbers = batch.writer.add(records, [line.encode() for line in args["digests"]])
    batch.owners.forget()
    if batch.lanes:
        batch.lanes.offer(numbers)


def _pause(batch: LiveBatch, args: Args) -> None:
    batch.folder.header.paused = True
    batch.writer.save_header()
    batch.writer.record("paused")


def _resume(batch: LiveBatch, args: Args) -> None:
    header = batch.folder.header
    batch.write_again = ("output", None) in batch.progress.attention
    batch.budget.forget()  # a day or its limit may be another by now
    batch.settle_attention(
        "budget",
        "key",
        "money",
        "account",
        "backend",
        "proxy",
        "address",
        "forgotten",
        "fault",
        "output",
        "clock",
    )
    if header.paused:
        header.paused = False
        batch.writer.save_header()
    batch.writer.record("resumed")


def _retry(batch: LiveBatch, args: Args) -> None:
    """Without states: every job that did not succeed."""
    allowed = UNSUCCESSFUL_JOB_STATES.intersection(
        JobState(word) for word in args.get("status") or UNSUCCESSFUL_JOB_STATES
    )
    numbers = _numbers(batch, args) if args.get("jobs") else batch.progress.numbers(*allowed)
    columns = batch.folder.columns()
    numbers = [n for n in numbers if columns.state(n) in allowed]
    if kept := batch.folder.born.intersection(numbers):
        batch.log("warning", NOT_ALONE)
        numbers = [n for n in numbers if n not in kept]
    if not numbers:
        return
    header = batch.folder.header
    header.cancelling, header.stopping = False, None
    batch.writer.save_header()
    _mark(batch, numbers, JobState.PENDING, fresh=True)
    if batch.lanes:
        batch.lanes.offer(numbers)


def _limit(batch: LiveBatch, args: Args) -> None:
    from batchtui.batchfile import check_limits

    header = batch.folder.header
    current = msgspec.to_builtins(header.spec.limits)
    merged = {key: value for key, value in (current | args).items() if value is not None}
    limits = typed.convert(merged, LimitsSpec)
    changed = msgspec.structs.replace(header.spec, limits=limits)
    problems = [problem for problem in check_limits(changed, "limit") if problem.fatal]
    if problems:
        raise ValueError(str(problems[0]))
    header.spec = changed
    deadline = batch.folder.deadline()
    if header.stopping == "time_limit" and (deadline is None or time.time() < deadline):
        header.stopping = None  # there is time again; what was cancelled meanwhile stays so
    batch.writer.save_header()
    batch.writer.record("limit", **args)
    batch.limits_changed()
    batch.budget.forget()
    batch.settle_attention("budget")
    if batch.lanes:
        batch.lanes.offer(batch.progress.numbers(JobState.PENDING))
        return
    for record in list(
        batch.progress.submissions.values()
    ):  # what held them back speaks of the limit that was
        if record.state in UNSENT and not record.attempted:
            batch.writer.record("unplanned", sub=record.id)


def _resolve(batch: LiveBatch, args: Args) -> None:
    """Answer a canary: release, cancel; or an unsure or forgotten submission: resend, adopt REMOTE_ID, abandon."""
    action = args["action"]
    if action == "take-over":
        _take_over(batch)
        return
    if action == "adopt" and args.get("submission") is None and (KIND, None) in batch.progress.attention:
        batch.orphans.adopt(str(args["remote_id"]))
        return
    if action == canary.RELEASE:
        if any((kind, None) in batch.progress.attention for kind in UNKNOWN):
            batch.budget.agree()
        else:
            batch.canary.release()
        return
    if action == canary.CANCEL:
        _cancel(batch, {})
        return
    if action == "collect":
        _collect(batch, args)
        return
    asked = [sub for kind, sub in batch.progress.attention if kind in _OF_SUBMISSIONS and sub is not None]
    id_ = args.get("submission") or (asked[0] if len(asked) == 1 else None)
    record = batch.progress.submissions.get(int(id_)) if id_ is not None else None
    if record is None:
        raise ValueError(
            f"name one of the submissions {asked}" if asked else "nothing here waits for an answer"
        )
    if action == "resend" and record.grows and record.jobs:
        raise ValueError(NOT_ALONE)
    if action != "abandon" and ("results", record.id) in batch.progress.attention:
        raise ValueError("its results are asked for: collect and abandon are the answers to that")
    for kind in _OF_SUBMISSIONS:
        if (kind, record.id) in batch.progress.attention:
            batch.writer.record("settled", kind=kind, sub=record.id)
    if action == "resend":
        _release(batch, record, "sent again on request")
    elif action == "adopt":
        batch.writer.record("submitted", sub=record.id, remote_id=str(args["remote_id"]))
    elif action == "abandon":
        live = [n for n in ranges.decode(record.jobs) if batch.progress.states[n] in (PENDING, PROCESSING)]
        _mark(batch, live, JobState.FAILED, error_kind="abandoned", error="its submission was given up")
        batch.writer.record("collected", sub=record.id, reason="abandoned")
        _hurry(batch, record)
    else:
        raise ValueError(f'"{action}" is none of resend, adopt, abandon')


def _take_over(batch: LiveBatch) -> None:
    """This store is to be the one that drives the batch, once it knows what lives at the backends."""
    if batch.folder.header.follows:
        batch.folder.header.taking_over = True
        batch.writer.save_header()
        batch.orphans.hurry()


def _collect(batch: LiveBatch, args: Args) -> None:
    """Bring the answers home that are not here: ask now where that goes on, else once more. Nothing is sent for it."""
    only = int(args["submission"]) if args.get("submission") is not None else None
    if only is not None and only not in batch.progress.submissions:
        raise ValueError(f"there is no submission {only}")
    for record in batch.progress.submissions.values():
        if record.state is SubmissionState.ENDED and only in (None, record.id):
            _hurry(batch, record)
    for id_, numbers in fetchable(batch.folder, only).items():
        batch.writer.record("recollect", sub=id_, jobs=ranges.encode(numbers))


def _hurry(batch: LiveBatch, record: SubmissionRecord) -> None:
    if batch.lanes:
        batch.lanes.hurry(record.id)


def _release(batch: LiveBatch, record: SubmissionRecord, reason: str) -> None:
    """A lost submission's open jobs go back to pending, to be packed anew."""
    live = [n for n in ranges.decode(record.jobs) if batch.progress.states[n] in (PENDING, PROCESSING)]
    twice = len(live) if record.state not in LIVE_REMOTELY else 0
    batch.writer.record("collected", sub=record.id, reason=reason, again=True, maybe_twice=twice)
    if batch.lanes:
        batch.lanes.offer(live)


def _archive(batch: LiveBatch, args: Args) -> None:
    batch.folder.header.archived = bool(args.get("on", True))
    batch.writer.save_header()


def _tag(batch: LiveBatch, args: Args) -> None:
    header = batch.folder.header
    kept = [tag for tag in header.tags if tag not in (args.get("remove") or ())]
    header.tags = list(dict.fromkeys([*kept, *(str(tag) for tag in args.get("add") or ())]))
    batch.writer.save_header()


def _rename(batch: LiveBatch, args: Args) -> None:
    """What went out under the old name is looked up by that for as long as it may have to be."""
    header, name = batch.folder.header, str(args["name"])
    if fault := fault_of(name):
        raise ValueError(fault)
    if name == header.name:
        return
    for record in batch.progress.submissions.values():
        if record.attempted and record.remote_id is None and SENT_AS not in record.facts:
            batch.writer.record("note", sub=record.id, facts={SENT_AS: header.name})
    batch.writer.record("renamed", name=name, before=header.name)
    header.name = name
    batch.writer.save_header()


_HANDLERS: dict[str, Callable[[LiveBatch, Args], None]] = {
    "add": _add,
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
    "retry": _retry,
    "limit": _limit,
    "resolve": _resolve,
    "collect": _collect,
    "archive": _archive,
    "tag": _tag,
    "rename": _rename,
}
