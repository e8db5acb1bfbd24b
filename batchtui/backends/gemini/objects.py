"""Gemini's operations, which are its batches, and the names of files and batches."""

from __future__ import annotations

import re

from batchtui.backends.base import Progress, RemoteBatch
from batchtui.backends.wire.replies import error_words, tidy
from batchtui.backends.wire.values import iso, unix
from batchtui.model import Json, SubmissionState
from batchtui.text import cell

RESULTS_LIVE = 48 * 3600.0
"""Seconds for which a file is kept (read 2026-11-21)."""
NAME_PREFIX = "batchtui-"
"""Before our token in `displayName`, the only free text of a batch."""
_RESOURCE = re.compile(r"(?P<kind>files|batches)/(?!\.+\Z)[!-.0-9;-~]+")
_STATE = re.compile(r"^(?:BATCH|JOB)_STATE_")
_LIVE = {
    "UNSPECIFIED": SubmissionState.SUBMITTED,
    "PENDING": SubmissionState.SUBMITTED,
    "QUEUED": SubmissionState.SUBMITTED,
    "RUNNING": SubmissionState.PROCESSING,
    "UPDATING": SubmissionState.PROCESSING,
    "PAUSED": SubmissionState.PROCESSING,
    "CANCELLING": SubmissionState.CANCELLING,
}
_ENDED = {
    "SUCCEEDED": "completed",
    "PARTIALLY_SUCCEEDED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
}


def resource(value: Json, kind: str) -> str | None:
    """`files/…` or `batches/…`, where it can stand in a path."""
    match = _RESOURCE.fullmatch(value) if isinstance(value, str) else None
    return value if match and match["kind"] == kind else None


def metadata(operation: dict[str, Json]) -> dict[str, Json]:
    found = operation.get("metadata")
    return found if isinstance(found, dict) else {}


def output(operation: dict[str, Json]) -> dict[str, Json]:
    """Where the results are: `responsesFile` or `inlinedResponses`, in the metadata or the copy under `response`."""
    for holder in (metadata(operation), operation.get("response")):
        found = holder.get("output", holder) if isinstance(holder, dict) else None
        if isinstance(found, dict) and (found.get("responsesFile") or found.get("inlinedResponses")):
            return found
    return {}


def inlined(operation: dict[str, Json]) -> list[Json]:
    """Results that stand in the batch itself, which happens where the input did."""
    found = output(operation).get("inlinedResponses")
    found = found.get("inlinedResponses") if isinstance(found, dict) else found
    return found if isinstance(found, list) else []


def progress_of(operation: dict[str, Json]) -> Progress:
    told = metadata(operation)
    word = _STATE.sub("", str(told.get("state") or "").strip().upper())
    stats = told.get("batchStats")
    stats = stats if isinstance(stats, dict) else {}
    total = _count(stats.get("requestCount"))
    results = output(operation).get("responsesFile")
    progress = Progress(
        state=SubmissionState.PROCESSING,
        completed=_count(stats.get("successfulRequestCount")) or 0 if total else None,
        failed=_count(stats.get("failedRequestCount")) or 0 if total else None,
        total=total or None,
        error=tidy(error_words(operation["error"])) if operation.get("error") else None,
        expires=_expiry(told.get("endTime")),
        facts={"output_file_id": results} if results else {},
    )
    if word in _ENDED:
        progress.state, progress.ended_as = SubmissionState.ENDED, _ENDED[word]
        if progress.ended_as != "completed" and not output(operation):
            progress.completed = progress.failed = None  # what was done is not given back
    elif word in _LIVE:
        progress.state = _LIVE[word]
    elif operation.get("done"):
        progress.state = SubmissionState.ENDED
        progress.ended_as = "failed" if operation.get("error") else "completed"
    else:
        progress.error = f'the backend calls its state "{cell(word, 40)}", which is not known; asking on'
    return progress


def _expiry(ended: Json) -> str | None:
    """When the results go, from the time at which the batch ended."""
    seconds = unix(ended)
    return None if seconds is None else iso(seconds + RESULTS_LIVE)


def remote_batch(operation: dict[str, Json]) -> RemoteBatch | None:
    remote_id = resource(operation.get("name"), "batches")
    if remote_id is None:
        return None
    told = metadata(operation)
    name, stats = told.get("displayName"), told.get("batchStats")
    ours = isinstance(name, str) and name.startswith(NAME_PREFIX)
    return RemoteBatch(
        remote_id=remote_id,
        status=_STATE.sub("", str(told.get("state") or "")),
        created=iso(told.get("createTime")),
        jobs=_count(stats.get("requestCount")) if isinstance(stats, dict) else None,
        token=str(name).removeprefix(NAME_PREFIX) if ours else None,
        name=name if isinstance(name, str) and not ours else None,
    )


def _count(value: Json) -> int | None:
    """A count, which comes as a number or (64 bits) as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
