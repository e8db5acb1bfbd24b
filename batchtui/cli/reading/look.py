"""`list` and `status`: what stands in the files, whoever drives it."""

from __future__ import annotations

import argparse

from batchtui import outcome
from batchtui.amounts import counted
from batchtui.cli.shared.arguments import batch_id, words
from batchtui.cli.shared.console import Console
from batchtui.cli.shared.phrases import (
    OK,
    SOME_FAILED,
    ago,
    answer,
    contact,
    counts,
    damage_words,
    money,
    spent,
    spent_on,
    state,
)
from batchtui.cli.shared.session import Session
from batchtui.errors import StoreDamaged
from batchtui.model import BatchState, BatchStatus, SubmissionStatus

JOBS_BYTES = 8_000_000
"""Up to so many bytes of a live batch's jobs `list` reads them all; of more it looks at both ends alone."""


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    if command == "list":
        parser.add_argument(
            "--status", metavar="S", help="only batches of these states, such as processing,failed"
        )
        parser.add_argument("--all", action="store_true", help="archived ones too")
    else:
        batch_id(parser)


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    if command == "list":
        return _list(args, session)
    folder = session.library.find(args.id)
    status = folder.status(submissions=True)
    if session.console.json:
        session.console.document(status)
    else:
        show_status(session.console, status)
    unsound = damage_words(folder, status, status.damaged, most_bytes=None)
    for message in unsound:
        session.console.error(message)
    return SOME_FAILED if unsound else OK


def _list(args: argparse.Namespace, session: Session) -> int:
    console = session.console
    wanted = words(args.status, BatchState, "status") if args.status else None
    found: list[BatchStatus] = []
    hidden = 0
    unsound: list[str] = []
    for folder in session.library.folders():
        try:
            if isinstance(folder, StoreDamaged):
                raise folder
            status = folder.status()
            unsound += damage_words(folder, status, status.damaged, most_bytes=JOBS_BYTES)
        except StoreDamaged as fault:
            unsound.append(str(fault))
            continue
        if status.archived and not args.all:
            hidden += 1
        elif wanted is None or status.status in wanted:
            found.append(status)
    if console.json:
        for status in found:
            console.document(status)
    elif found:
        heads = ("ID", "NAME", "STATUS", "DONE", "TOTAL", "FAILED", "COST", "BACKEND", "CREATED", "TAGS")
        console.table(heads, [_line(status) for status in found], right=("DONE", "TOTAL", "FAILED", "COST"))
    else:
        console.note(
            "no batches; `batchtui run FILE` makes one"
            if not wanted
            else "no such batches; `batchtui list --all` shows every one"
        )
    if hidden:
        console.note(f"{hidden} archived; --all shows them too")
    for message in unsound:
        console.error(message)
    return SOME_FAILED if unsound else OK


def _line(status: BatchStatus) -> list[object]:
    bad = outcome.unsuccessful(status)
    total = f"{status.total:,}" if status.total is not None else "?"
    return [
        status.id, status.name, state(status), f"{status.finished:,}", total, f"{bad:,}" if bad else "",
        spent(status).replace(outcome.NO_CHARGE, ""), status.backend, ago(status.created), ", ".join(status.tags),
    ]  # fmt: skip


def show_status(console: Console, status: BatchStatus) -> None:
    """The batch as lines of facts, then its submissions as a table."""
    costs = [spent(status)]
    if status.unpriced:
        costs.append(f"that of {status.unpriced:,} unknown: no price, or tokens that do not count")
    if status.cost_limit_usd is not None:
        costs.append(f"limit {money(status.cost_limit_usd)}")
    if status.estimated_usd:
        costs.append(f"estimate {money(status.estimated_usd)}")
    facts = [
        ("batch", f"{status.name} ({status.id})"),
        ("state", console.paint(state(status))),
        ("backend", f"{status.backend} ({status.kind})"),
        ("jobs", f"{status.total if status.total is not None else 'unknown'}: {counts(status)}"),
        ("cost", ", ".join(filter(None, costs))),
        (
            "maybe twice",
            f"{counted(status.maybe_twice, 'job')} may have run twice" if status.maybe_twice else "",
        ),
        ("keys", outcome.key_words(status)),
        ("created", ago(status.created)),
        ("started", ago(status.started)),
        ("ended", ago(status.ended)),
        ("deadline", status.deadline or ""),
        ("expires", status.expires or ""),
        (
            "driver",
            status.driver or ("" if status.ended else f"none; `batchtui resume {status.id}` drives it"),
        ),
        ("tags", ", ".join(status.tags)),
        ("archived", "yes" if status.archived else ""),
        ("follows", status.follows or ""),
    ]
    for name, value in facts:
        if value:
            print(f"{name:<12} {value if name == 'state' else _clean(value)}")
    for item in status.attention:
        place = f" (submission {item.submission})" if item.submission is not None else ""
        console.out(f"needs you    {item.text}{place}")
        enough = item.limit_usd or 2 * (
            status.cost_limit_usd or 0
        )  # an earlier version did not say what would do
        for action in item.actions:
            console.out(f"             {answer(status.id, action, item.submission, enough)}")
    if status.submissions:
        print()
        heads = ("#", "REMOTE ID", "STATUS", "JOBS", "DONE", "FAILED", "COST", "SENT", "NOTE")
        rows = [_submission(submission) for submission in status.submissions]
        console.table(heads, rows, right=("#", "JOBS", "DONE", "FAILED", "COST"))


def _submission(sub: SubmissionStatus) -> list[object]:
    reason = None if sub.reason == sub.trouble else sub.reason  # which the contact tells
    return [
        sub.id, sub.remote_id, sub.status.value, f"{sub.jobs:,}", f"{sub.completed:,}", f"{sub.failed:,}",
        spent_on(sub), ago(sub.submitted), "; ".join(filter(None, (sub.first_error, reason, contact(sub)))),
    ]  # fmt: skip


def _clean(value: str) -> str:
    from batchtui.text import cell

    return cell(value)
