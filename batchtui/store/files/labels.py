"""labels.jsonl: what a person thinks of results, one line a word; the last line of a job counts. Not part of what was paid for.

Anyone may append, also where another process drives the batch, and where the batch only follows.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.durable import sync_folder
from batchtui.store.disk.clock import now
from batchtui.store.disk.lines import AppendFile, read_slices

FILE = "labels.jsonl"
LABELS = ("good", "bad", "again")
"""What a result may be called: `again` is to be looked at once more."""
VERDICTS = ("better", "worse", "same")
"""What it may be called beside the result of another batch."""


class Label(msgspec.Struct, kw_only=True, frozen=True):
    """Of one job. `against` is the batch that a verdict compares with; a label and verdicts stand beside one another."""

    job_id: str
    label: str | None = None
    note: str | None = None
    against: str | None = None
    time: str = ""


class Labels(msgspec.Struct, kw_only=True):
    """What counts of a batch's labels."""

    of_jobs: dict[str, Label] = {}
    verdicts: dict[str, dict[str, str]] = {}
    """By the other batch, then by job."""


def add(folder: Path, labels: Iterable[Label]) -> None:
    """Append them, durably. Raises StoreFull."""
    import fcntl

    at = now()
    lines = b"".join(
        json.dumps(msgspec.to_builtins(msgspec.structs.replace(label, time=at))).encode() + b"\n"
        for label in labels
    )
    with contextlib.closing(AppendFile(folder / FILE)) as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        file.size = os.fstat(file.fileno()).st_size
        file.cut_torn_tail()
        made = file.size == 0
        file.append(lines)
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
        file.sync()
        if made:
            sync_folder(folder)


def decode(line: bytes) -> Label:
    """Raises ValueError or RecursionError where it is no label."""
    try:
        return typed.convert(json.loads(line), Label)
    except msgspec.ValidationError as fault:
        raise ValueError(str(fault)) from None


def whole_end(path: Path) -> int:
    """Where the last whole line of the file ends: what stands behind it may still be being written."""
    end = 0
    with contextlib.suppress(OSError):
        for start, lines in read_slices(path):
            end = start + sum(len(line) + 1 for line in lines)
    return end


def cut_torn_tail(path: Path) -> None:
    """Take an unfinished line at its end away, unless somebody is writing it."""
    import fcntl

    with contextlib.closing(AppendFile(path)) as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        file.size = os.fstat(file.fileno()).st_size
        file.cut_torn_tail()
        file.sync()


def read(folder: Path) -> Labels:
    """What counts; empty where nothing was said, or where the file cannot be read."""
    found = Labels()
    with contextlib.suppress(OSError):
        for _, lines in read_slices(folder / FILE):
            for line in lines:
                with contextlib.suppress(ValueError, RecursionError):
                    _take(found, decode(line))
    return found


def _take(found: Labels, label: Label) -> None:
    if label.against is None:
        if label.label is None and label.note is None:
            found.of_jobs.pop(label.job_id, None)
        else:
            found.of_jobs[label.job_id] = label
    else:
        verdicts = found.verdicts.setdefault(label.against, {})
        if label.label is None:
            verdicts.pop(label.job_id, None)
        else:
            verdicts[label.job_id] = label.label


def counts(said: Mapping[str, str]) -> dict[str, int]:
    """How often each word was said, in the order of VERDICTS."""
    words = list(said.values())
    return {word: words.count(word) for word in VERDICTS if word in words}
