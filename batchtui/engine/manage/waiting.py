"""What whoever waits for a batch asks of its folder: whether all of it is sent, and whether its backend takes anything."""

from __future__ import annotations

import time

from batchtui.model import LIVE_REMOTELY, UNSENT, JobState, SubmissionState
from batchtui.store.folder import BatchFolder

PATIENCE_SECONDS = 60.0


class Patience:
    """Runs out where a backend takes nothing at all for a minute: whoever waits had better know."""

    def __init__(self) -> None:
        self._refused_since: float | None = None
        self.reason: str | None = None
        """Why nothing was taken, once it has run out."""

    def is_over(self, folder: BatchFolder) -> bool:
        submissions = list(folder.progress.submissions.values())
        unsent = all(one.state in UNSENT and not one.remote_id for one in submissions)
        if not (unsent and any(one.attempted for one in submissions)):  # the others wait for budget
            self._refused_since = self.reason = None
            return False
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if now - self._refused_since > PATIENCE_SECONDS:
            self.reason = next((one.reason for one in submissions if one.reason), None) or "no reason given"
        return self.reason is not None


def all_submitted(folder: BatchFolder) -> bool:
    """Whether everything that may go is at its backend; with a canary that is not released, the canary."""
    if folder.unsown:
        return False
    progress, header = folder.progress, folder.header
    canary = None if header.released else header.spec.limits.canary
    pending = progress.numbers(JobState.PENDING)
    if pending and (canary is None or pending[0] < canary):
        return False
    held = LIVE_REMOTELY | {SubmissionState.COLLECTED}
    return all(record.state in held for record in progress.submissions.values())
