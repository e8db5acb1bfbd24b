"""Results that are fetched once more: which jobs have no answer that may still be had, and what raw/ holds of them.

Nothing is sent for it, and no answer that is here is replaced.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import msgspec

from batchtui.backends.base import Answer, Remote
from batchtui.backends.wire.pieces import CHUNK
from batchtui.backends.wire.rows import LINE_LIMIT, Rows
from batchtui.model import JobState, SubmissionState
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import SubmissionRecord
from batchtui.store.folder import BatchFolder

_NO_ANSWER = (JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED)
UNREADABLE = "bad_reply"
FREE = frozenset({"missing", "lost", "abandoned"})
"""Kinds of errors that say nothing of the job: its answer was not brought home."""


def fetchable(folder: BatchFolder, only: int | None = None) -> dict[int, list[int]]:
    """By submission, the jobs that it holds no answer of here, though it may at its backend or in raw/."""
    progress = folder.progress
    latest: dict[int, int] = {}
    wanted = set(progress.numbers(*_NO_ANSWER))
    for record in progress.submissions.values():
        for n in wanted.intersection(ranges.decode(record.jobs)):
            latest[n] = record.id
    found: dict[int, list[int]] = {}
    for n, id_ in sorted(latest.items()):
        record = progress.submissions[id_]
        made = record.made and record.state is SubmissionState.COLLECTED
        if made and only in (None, id_) and _is_without(folder, n):
            found.setdefault(id_, []).append(n)
    return found


def free(folder: BatchFolder, numbers: Iterable[int]) -> list[int]:
    """Those of the jobs whose answers were not brought home, so that they may be had at no cost."""
    held = {n for found in fetchable(folder).values() for n in found if kind_of(folder, n) in FREE}
    return sorted(held.intersection(numbers)) if held else []


def kind_of(folder: BatchFolder, n: int) -> str:
    """Why the job failed, in one word; empty where nothing says so."""
    return folder.progress.errors.get(n, "").partition(":")[0]


def _is_without(folder: BatchFolder, n: int) -> bool:
    """Whether nothing that the backend said of the job is stored, or nothing that could be read."""
    return folder.progress.offsets[n] < 0 or kind_of(folder, n) in FREE or kind_of(folder, n) == UNREADABLE


async def kept_answers(
    folder: BatchFolder, record: SubmissionRecord, backend: Remote[msgspec.Struct]
) -> AsyncIterator[Answer]:
    """The answers that raw/ holds of a submission, in lines that can be read."""
    for stem in backend.kept_files:
        for path in sorted((folder.path / "raw").glob(f"{record.id}-{stem}*.jsonl")):
            for number, line in enumerate(_rows(path), start=1):
                answer = backend.read_kept(line, f"{path.name} line {number}")
                if answer is not None and answer.job_id:
                    yield answer


def _rows(path: Path) -> Iterator[bytes]:
    """The lines of a file as it came from a backend."""
    rows = Rows(LINE_LIMIT)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield from rows.feed(chunk)
    yield from rows.end()
