"""A batch object of OpenAI's form, from OpenAI or a server that differs in words, times and missing fields."""

from __future__ import annotations

from batchtui.backends.base import SAID, Progress, RemoteBatch
from batchtui.backends.wire.replies import error_words, tidy
from batchtui.backends.wire.values import iso, unix, usable_id
from batchtui.model import Json, SubmissionState
from batchtui.text import cell

TOKEN_KEY, NAME_KEY = "batchtui_token", "batchtui_batch"
_END_STAMPS = ("completed_at", "expired_at", "cancelled_at", "failed_at")
FAULTS_KEPT = 10
FILES = ("output_file_id", "error_file_id")

LIVE_WORDS = {
    "submitted": ("validating", "pending", "queued", "created", "submitted"),
    "processing": ("in_progress", "progress", "running", "processing", "finalizing"),
    "cancelling": ("cancelling", "canceling"),
}
"""The words of all dialects for a batch that lives, by our state; any case, with `-` or `_`."""
ENDED_WORDS = {
    "completed": ("completed", "ended", "succeeded", "done"),
    "failed": ("failed",),
    "expired": ("expired",),
    "cancelled": ("cancelled", "canceled"),
}
"""The same for one that has ended, by how it ended."""
_LIVE = {word: SubmissionState(state) for state, words in LIVE_WORDS.items() for word in words}
_ENDED = {word: ended_as for ended_as, words in ENDED_WORDS.items() for word in words}


def progress_of(batch: dict[str, Json]) -> Progress:
    """Progress from a batch object; a word never seen keeps it processing and is shown.

    `expires` is when the provider ends it unfinished; an ended one does not say here how long its results are kept.
    """
    word = str(batch.get("status") or "").strip().lower().replace("-", "_")
    completed, failed, total = counts_of(batch)
    progress = Progress(
        state=SubmissionState.PROCESSING,
        completed=completed,
        failed=failed,
        total=total,
        expires=None if word in _ENDED else iso(batch.get("expires_at")),
        facts={key: batch[key] for key in FILES if batch.get(key)},
        error=error_of(batch),
    )
    if progress.error:
        progress.facts[SAID] = words_of(batch.get("errors") or batch.get("error"))
    if word in _ENDED:
        progress.state, progress.ended_as = SubmissionState.ENDED, _ENDED[word]
    elif word in _LIVE:
        progress.state = _LIVE[word]
    else:
        progress.error = f'the backend calls its status "{cell(word, 40)}", which is not known; asking on'
    return progress


def ended_at(batch: dict[str, Json]) -> float | None:
    """Unix seconds at which a batch ended, by its own stamps."""
    return next((at for key in _END_STAMPS if (at := unix(batch.get(key))) is not None), None)


def counts_of(batch: dict[str, Json]) -> tuple[int | None, int | None, int | None]:
    """Completed, failed and total; all None where the server counts nothing, which zeros of zero mean too."""
    counts = batch.get("request_counts")
    if not isinstance(counts, dict):
        return None, None, None
    completed, failed, total = (_count(counts.get(key)) for key in ("completed", "failed", "total"))
    return (completed, failed, total) if total or completed or failed else (None, None, None)


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def words_of(errors: Json) -> Json:
    """What a provider said of a whole batch, cut to what is worth keeping."""
    if isinstance(errors, dict) and isinstance(errors.get("data"), list):
        return {**errors, "data": errors["data"][:FAULTS_KEPT]}
    return errors[:FAULTS_KEPT] if isinstance(errors, list) else errors


def error_of(batch: dict[str, Json]) -> str | None:
    """The first fault of a batch, with its line in the input where the server names it."""
    errors = batch.get("errors") or batch.get("error")
    if isinstance(errors, dict) and isinstance(errors.get("data"), list):
        errors = errors["data"]
    first = errors[0] if isinstance(errors, list) and errors else errors
    if not first:
        return None
    words = tidy(error_words(first))
    if isinstance(first, dict):
        code, line = first.get("code"), first.get("line")
        if isinstance(code, str) and code and code not in words:
            words = tidy(f"{words} ({code})")
        if isinstance(line, int):
            words = f"line {line}: {words}"
    return words or None


def remote_batch(batch: dict[str, Json]) -> RemoteBatch | None:
    remote_id = usable_id(batch.get("id"))
    if remote_id is None:
        return None
    metadata = metadata_of(batch)
    token, name = metadata.get(TOKEN_KEY), metadata.get(NAME_KEY) or metadata.get("name")
    return RemoteBatch(
        remote_id=remote_id,
        status=str(batch.get("status") or ""),
        created=iso(batch.get("created_at")),
        jobs=counts_of(batch)[2],
        token=token if isinstance(token, str) else None,
        name=name if isinstance(name, str) else None,
    )


def metadata_of(batch: dict[str, Json]) -> dict[str, Json]:
    metadata = batch.get("metadata")
    return metadata if isinstance(metadata, dict) else {}
