"""`watch` and `wait`: follow a batch that others drive, by its files alone."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator

from batchtui.cli.shared.arguments import batch_id, duration
from batchtui.cli.shared.console import fit, rewrites
from batchtui.cli.shared.phrases import LIMIT, LIVE, exit_code, is_done, is_over, progress, waits_for_budget
from batchtui.cli.shared.session import Session
from batchtui.model import BatchStatus, SubmissionState
from batchtui.store.folder import BatchFolder, to_json

LOOK_SECONDS = 0.5
GRACE_SECONDS = 3.0
"""How long a batch may be without a driver before that is said: it may just be starting."""


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    if command == "watch":
        parser.add_argument(
            "--plain", action="store_true", help="a line for every change, also on a terminal"
        )
    else:
        parser.add_argument(
            "--timeout", type=duration, metavar="T", help="give up after this long, such as 90s or 2h"
        )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    folder = session.library.find(args.id)
    if command == "watch":
        return _watch(folder, args, session)
    return _wait(folder, args, session)


def _watch(folder: BatchFolder, args: argparse.Namespace, session: Session) -> int:
    console = session.console
    over = rewrites(sys.stdout) and not args.plain
    for status in _changes(folder, session):
        if console.json:
            console.document(status)
        elif over:
            room = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{fit(progress(status), room)}", end="", flush=True)
        else:
            print(progress(status), flush=True)
    if over and not console.json:
        print()
    return exit_code(folder)


def _changes(folder: BatchFolder, session: Session) -> Iterator[BatchStatus]:
    """The status whenever it is another one, the last of them ended."""
    shown: object = None
    undriven = _Undriven(session)
    while True:
        folder.refresh()
        status = folder.status(submissions=True)
        plain = to_json(status)
        if plain != shown:
            yield status
            shown = plain
        if is_done(status):
            return
        undriven.look(status)
        time.sleep(LOOK_SECONDS)


def _wait(folder: BatchFolder, args: argparse.Namespace, session: Session) -> int:
    console = session.console
    end = None if args.timeout is None else time.monotonic() + args.timeout
    undriven, uncollected = _Undriven(session), _Uncollected(session)
    while True:
        folder.refresh()
        status = folder.status(submissions=console.json)
        uncollected.look(folder)
        if is_done(status) or (starved := waits_for_budget(folder)):
            break
        if end is not None and time.monotonic() >= end:
            if console.json:
                console.document(status)
            console.note(f"still live after {args.timeout:g} s: {progress(status)}")
            return LIVE
        undriven.look(status)
        left = LOOK_SECONDS if end is None else max(0.0, end - time.monotonic())
        time.sleep(min(LOOK_SECONDS, left))
    if console.json:
        console.document(status)
    else:
        console.note(progress(status))
    return LIMIT if not is_over(status) and starved else exit_code(folder)


class _Uncollected:
    """Says once of each submission that its results do not come, and why."""

    def __init__(self, session: Session) -> None:
        self._console = session.console
        self._told: set[int] = set()

    def look(self, folder: BatchFolder) -> None:
        for record in folder.progress.submissions.values():
            if record.state is SubmissionState.ENDED and record.reason and record.id not in self._told:
                self._told.add(record.id)
                self._console.note(f"submission {record.id}: {record.reason}; asked again until they are")


class _Undriven:
    """Says once that nothing drives the batch, so that nobody waits in vain."""

    def __init__(self, session: Session) -> None:
        self._console = session.console
        self._since: float | None = time.monotonic()

    def look(self, status: BatchStatus) -> None:
        if self._since is None or status.driver is not None:
            return
        if time.monotonic() - self._since > GRACE_SECONDS:
            self._console.note(f"nothing drives this batch; `batchtui resume {status.id}` does")
            self._since = None
