"""From a spec to a batch: the check in a thread, the question, the making."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message
from textual.worker import get_current_worker

from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.plan.planning import plan
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec
from batchtui.store.library import Library
from batchtui.tui.screens.composing.messages import Checked, Ticked


class _Stopped(Exception):
    """The check under way is no longer wanted."""


def check_work(
    spec: BatchSpec,
    base: Path,
    where: str,
    backends: Backends,
    post: Callable[[Message], bool],
    library: Library,
    reach: Reach,
    *,
    submit: bool,
) -> Callable[[], None]:
    """The work of a thread: check every row and post Checked; to `submit`, the jobs go into a draft of the library.

    A draft that nobody takes over leaves no trace.
    """

    def work() -> None:
        worker = get_current_worker()

        def tick(rows: int) -> None:
            if worker.is_cancelled:
                raise _Stopped
            post(Ticked(worker, rows))

        draft = library.draft() if submit else None
        try:
            planned = plan(
                spec, base, backends, draft=draft, where=where, tick=tick, reach=reach, library=library,
            )  # fmt: skip
            if post(Checked(worker, planned, draft, reach)):
                draft = None
        except _Stopped:
            pass
        finally:
            if draft:
                draft.discard()

    return work
