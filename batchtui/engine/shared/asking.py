"""Asking a backend how one submission fares."""

from __future__ import annotations

import msgspec

from batchtui.backends.base import Progress, Remote, Submission, Transient


async def ask_one(backend: Remote[msgspec.Struct], submission: Submission) -> Progress | None:
    """What its backend says of it; None where it says nothing. Raises as `poll`, and why it cannot be told."""
    told = (await backend.poll([submission])).get(submission.id)
    if isinstance(told, Transient):
        raise told
    return told
