"""Why a live batch stands still, and for whom it waits: then nobody can say when it ends. No Textual here."""

from __future__ import annotations

from batchtui.model import LIVE_REMOTELY, BatchStatus, SubmissionState
from batchtui.tui.look import states

HARMLESS = frozenset({"output"})
"""Kinds of attention that hold no job back."""


def why(status: BatchStatus) -> str:
    """`waits for you`, `waits for budget`, `no contact with openai`; empty where its jobs go on, or it has ended."""
    if not states.live(status):
        return ""
    if status.paused:
        return "paused"
    if any(item.kind not in HARMLESS for item in status.attention):
        return "waits for you"
    if states.held_by_budget(status):
        return "waits for budget"
    out = [one for one in status.submissions or [] if one.status in LIVE_REMOTELY - {SubmissionState.ENDED}]
    if out and all(one.trouble for one in out):
        return f"no contact with {', '.join(sorted({one.backend for one in out}))}"
    return ""
