"""The worker as headless commands use it: started, followed with a progress line, and stopped whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from batchtui.cli.shared import signals
from batchtui.cli.shared.phrases import (
    counts,
    end_words,
    exit_code,
    is_over,
    label,
    money,
    progress,
    what_next,
)
from batchtui.cli.shared.progress import ProgressLine
from batchtui.cli.shared.session import Session
from batchtui.errors import StoreDamaged
from batchtui.outcome import key_words
from batchtui.store.folder import BatchFolder

if TYPE_CHECKING:
    from batchtui.engine.worker import Worker

TICK_SECONDS = 0.25
STOP_SECONDS = 2.0


@contextlib.contextmanager
def working(session: Session, *, drive_all: bool = False) -> Iterator[Worker]:
    """A running worker; stopped at the end, whatever ends it."""
    from batchtui.engine.worker import Worker

    _log_to_stderr(session.console.verbose)
    worker = Worker(session.library, session.backends, drive_all=drive_all)
    worker.start()
    try:
        yield worker
    finally:
        with signals.raised():  # puts the handlers back afterwards
            signals.ignore()
            worker.stop(STOP_SECONDS)


def _log_to_stderr(wanted: bool) -> None:
    """With `-v` what the worker says goes to stderr; else nowhere, since the commands say what matters."""
    import logging

    logger = logging.getLogger("batchtui")
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler() if wanted else logging.NullHandler())
        logger.setLevel(logging.INFO)


def drive(
    session: Session,
    folder: BatchFolder,
    *,
    until: Callable[[BatchFolder], bool] | None = None,
    prepare: Callable[[Worker], object] | None = None,
    sends: bool = True,
) -> tuple[BatchFolder, str | None]:
    """Drive the batch until it ends, cannot go on by itself, or `until` holds; without `sends` nothing is sent.

    The folder as it then stands, and why it does not go on (None: it ended, or `until` holds).
    Raises StoreDamaged where its files cannot be trusted.
    """
    with resumable(session, folder), working(session) as worker, ProgressLine(session.console) as line:
        if not sends:
            worker.finish_direct()
        worker.drive(folder.id)
        if prepare:
            prepare(worker)
        told = 0
        while True:
            over = worker.wait({folder.id}, timeout=TICK_SECONDS)
            told = tell(session, worker, {folder.id}, told)
            current = worker.folder(folder.id) or folder
            line.show(progress(current.status(submissions=True)))
            if over or (until and until(current)):
                break
        worker.tell_all({folder.id})
        if damage := worker.damaged():
            raise StoreDamaged("; ".join(damage))
        reason = worker.blocked(folder.id) if over else None
    current.refresh()
    if over and reason is None and not is_over(status := current.status()):  # it was let go of at once
        reason = "; ".join(item.text for item in status.attention) or None
    return current, reason


def tell(session: Session, worker: Worker, batch_ids: set[str], told: int) -> int:
    """Print what the worker has to tell at once, beside the progress; how much that is by now."""
    lines = [line.text for line in worker.log() if line.told and line.batch_id in batch_ids]
    for text in lines[told:]:
        session.console.note(text)
    return len(lines)


@contextlib.contextmanager
def resumable(session: Session, folder: BatchFolder) -> Iterator[None]:
    """Says how to go on where a person or the system ends it before the batch has."""
    try:
        yield
    except (KeyboardInterrupt, signals.Ended):
        session.console.error(f"stopped; nothing is lost: `batchtui resume {folder.id}` carries on")
        raise


def report(session: Session, folder: BatchFolder, reason: str | None = None) -> int:
    """The final status: a JSON document on stdout, or counts on stderr. The exit code."""
    console, status = session.console, folder.status(submissions=True)
    if console.json:
        console.document(status)
    if is_over(status):
        console.note(f"{label(status)}: {end_words(status)}")
        if words := key_words(status):
            console.note(words)
        for item in status.attention:
            if item.kind == "output":
                console.error(f"{item.text}; `batchtui resume {status.id}` tries again")
        if status.cost_usd and status.cost_limit_usd is not None and status.cost_usd > status.cost_limit_usd:
            console.error(
                f"it cost {money(status.cost_usd)}, over its limit of {money(status.cost_limit_usd)}"
            )
        if status.failed or status.invalid or status.expired:
            console.note(f"`batchtui errors {status.id}` says why, {what_next(folder)}")
    else:
        console.note(f"{label(status)}: {status.status}, {counts(status)}")
        if reason:
            console.error(f"it cannot go on by itself: {reason}; `batchtui status {status.id}` shows more")
    return exit_code(folder)
