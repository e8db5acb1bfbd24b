"""checkpoint.json: the columns as they stood at one byte of the journal; always rebuildable, so never trusted blindly.

It is one line with a checksum, as the journal's are: a flipped digit would still be JSON.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import msgspec

from batchtui import typed
from batchtui.model import JOB_STATES, Attention, Json
from batchtui.store.disk.lines import replace_file
from batchtui.store.disk.seals import is_whole
from batchtui.store.files.journal import Event, seal
from batchtui.store.fold.progress import Progress, SubmissionRecord

SCHEMA = 1
_LETTERS = bytes.maketrans(bytes(range(7)), b"prcifxk")
_CODES = bytes.maketrans(b"prcifxk", bytes(range(7)))
_Count = Annotated[int, msgspec.Meta(ge=0)]
_SUBMISSION_FIELDS = tuple(field.name for field in fields(SubmissionRecord))


class _Scalars(msgspec.Struct):
    seq: _Count
    results_end: _Count
    inbox_end: _Count
    maybe_twice: _Count
    cost_nano: int
    priced: bool
    unpriced: _Count
    tokens_in: int
    tokens_out: int
    started: str | None
    ended: str | None
    last_time: str | None


class _Document(msgspec.Struct):
    schema: int
    journal: _Count
    total: int
    states: str
    tries: list[int]
    fails: dict[int, int]
    offsets: list[int]
    errors: dict[int, str]
    traces: dict[int, dict[str, Json]]
    submissions: list[SubmissionRecord]
    attention: list[Attention]
    scalars: _Scalars
    header: dict[str, Json]
    header_seq: _Count
    keyed: list[int] | None = None
    """Missing in columns that were restored by a version that did not look for keys."""


def line(progress: Progress, journal_offset: int) -> bytes:
    """The file's one line, as the columns stand at this byte of the journal."""
    return seal(document(progress, journal_offset))


def save(path: Path, written: bytes) -> None:
    """Not durable on purpose: it can be rebuilt. Raises StoreFull."""
    replace_file(path, written, durable=False)


def document(progress: Progress, journal_offset: int) -> dict[str, Json]:
    """All columns as plain JSON, as they stand at this byte of the journal."""
    return {
        "schema": SCHEMA,
        "journal": journal_offset,
        "total": progress.total,
        "states": progress.states.translate(_LETTERS).decode("ascii"),
        "tries": progress.tries.tolist(),
        "fails": {n: fails for n, fails in enumerate(progress.fails) if fails},
        "offsets": progress.offsets.tolist(),
        "errors": progress.errors,
        "traces": progress.traces,
        "submissions": [
            {name: getattr(submission, name) for name in _SUBMISSION_FIELDS}
            for submission in progress.submissions.values()
        ],
        "attention": [msgspec.to_builtins(item) for item in progress.attention.values()],
        "header": progress.header,
        "header_seq": progress.header_seq,
        "keyed": sorted(progress.keyed),
        "scalars": {name: getattr(progress, name) for name in _Scalars.__struct_fields__},
    }


def restored(event: Event) -> Progress:
    """The columns that a `restored` event holds. Raises ValueError, LookupError where they make no sense."""
    return _progress(typed.convert(event["columns"], _Document, str_keys=True))


def load(path: Path, total: int) -> tuple[Progress, int] | None:
    """The columns and the journal offset they stand at; None where it is missing, damaged or newer.

    The journal is on the disk up to that offset before this is written: one that is shorter has lost lines.
    """
    found = _read(path)
    if found is None or found.total != total or found.keyed is None:
        return None
    try:
        return _progress(found), found.journal
    except (ValueError, LookupError, OverflowError):
        return None


def is_of_before(path: Path, total: int) -> bool:
    """Whether it is sound and of no use: of before the batch had so many jobs, or before keys were looked for."""
    found = _read(path)
    return found is not None and (found.total < total or found.keyed is None)


def _read(path: Path) -> _Document | None:
    """None where it is missing, damaged or newer."""
    try:
        read = path.read_bytes()[:-1]
        if not is_whole(read):
            return None
        found = typed.convert(json.loads(read), _Document, str_keys=True)
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        OverflowError,
        RecursionError,
        msgspec.ValidationError,
    ):
        return None
    return found if found.schema == SCHEMA else None


def _progress(document: _Document) -> Progress:
    """Raises ValueError, IndexError, OverflowError for columns that do not fit."""
    progress = Progress(document.total)
    states = document.states.encode("ascii").translate(_CODES)
    tries, offsets = array("H", document.tries), array("q", document.offsets)
    if not len(states) == len(tries) == len(offsets) == document.total:
        raise ValueError("columns of another length")
    if max(states, default=0) >= len(JOB_STATES):
        raise ValueError("no such state")
    progress.states, progress.tries, progress.offsets = bytearray(states), tries, offsets
    for n, fails in document.fails.items():
        progress.fails[n] = fails
    progress.errors = {n: progress._interned.setdefault(text, text) for n, text in document.errors.items()}
    progress.keyed = set(document.keyed or ())
    progress.traces = document.traces
    progress.submissions = {submission.id: submission for submission in document.submissions}
    progress.attention = {(item.kind, item.submission): item for item in document.attention}
    progress.header, progress.header_seq = document.header, document.header_seq
    for name in _Scalars.__struct_fields__:
        setattr(progress, name, getattr(document.scalars, name))
    return progress
