"""When a batch stops before all of it was sent: cancelled, out of time, or after a failure with `error_policy = "stop"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchtui.engine.attention.jumps import Jumps
from batchtui.model import UNSENT, JobState, Json, SubmissionState
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import PROCESSING

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

SOON_SECONDS = 0.5
"""How long before the time limit a round is had for it; before that it looks by itself."""


class EarlyEnd:
    """What was decided is in the header: `cancelling`, or `stopping` with its reason."""

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self._jumps = Jumps(context)

    def watch(self) -> None:
        """Nothing more is sent once the time limit is reached, and what runs is cancelled."""
        context = self._context
        now = self._jumps.look()
        deadline, header = context.folder.deadline(), context.folder.header
        if header.follows or (deadline and self._only_comes_home()):
            return  # what has ended is fetched, whatever the time; what follows ends nothing of another's
        if deadline and now >= deadline and not header.stopping and not header.cancelling:
            header.stopping = "time_limit"
            context.writer.save_header()
            context.log("warning", "the time limit is reached: nothing more is sent, what runs is cancelled")
            if context.lanes:
                context.lanes.cancel(context.progress.numbers(JobState.PROCESSING))
        elif deadline and not header.stopping and deadline - now < SOON_SECONDS:
            context.wake_in(deadline - now)

    def out_of_time(self) -> bool:
        """Whether the time limit is reached now."""
        now = self._jumps.look()
        deadline = self._context.folder.deadline()
        return deadline is not None and now >= deadline

    def _only_comes_home(self) -> bool:
        """Whether all that is live are answers of submissions that have ended."""
        progress = self._context.progress
        ended = (one for one in progress.submissions.values() if one.state is SubmissionState.ENDED)
        coming = {n for one in ended for n in ranges.decode(one.jobs) if progress.states[n] == PROCESSING}
        return bool(coming) and len(coming) == progress.live

    def job_failed(self) -> None:
        """A job did not complete: with `error_policy = "stop"` nothing more is sent."""
        context, header = self._context, self._context.folder.header
        if header.follows:
            return
        if header.spec.limits.error_policy == "stop" and not header.stopping and not header.cancelling:
            header.stopping = "stopped"
            context.writer.save_header()
            context.log("warning", "a job failed and error_policy is stop: nothing more is sent")
            context.wake()

    def settle(self) -> None:
        """Jobs that were not sent, and by now never will be, get their last word."""
        header = self._context.folder.header
        if header.cancelling:
            self._mark_pending(JobState.CANCELLED, "cancelled", "cancelled before it was sent")
        elif header.stopping == "stopped":
            text = "not sent: an earlier job failed and error_policy is stop"
            self._mark_pending(JobState.CANCELLED, "stopped", text)
        elif header.stopping == "time_limit":
            self._mark_pending(JobState.FAILED, "time_limit", "not sent before the time limit")

    def _mark_pending(self, state: JobState, kind: str | None = None, text: str | None = None) -> None:
        """Settle every pending job, and drop submissions that wait to be sent."""
        context = self._context
        if context.lanes:
            for record in list(context.progress.submissions.values()):
                if record.state in UNSENT and record.id not in context.lanes.busy:
                    context.lanes.withdraw(record)
        pending = context.progress.numbers(JobState.PENDING)
        if pending:
            facts: dict[str, Json] = {"jobs": ranges.encode(pending), "state": state}
            if kind:
                facts |= {"error_kind": kind, "error": text}
            context.writer.record("mark", **facts)
