"""checkpoint.json: the columns as they stood at one byte of the journal; always rebuildable, so never trusted blindly."""

from __future__ import annotations

import json
from array import array
from dataclasses import asdict, fields
from pathlib import Path

import msgspec

from batchtui.model import Attention, Json
from batchtui.store.lines import replace_file
from batchtui.store.progress import Progress, SubmissionRecord

SCHEMA = 1
_LETTERS = bytes.maketrans(bytes(range(7)), b"prcifxk")
_CODES = bytes.maketrans(b"prcifxk", bytes(range(7)))
_SCALARS = (
    "seq", "results_end", "inbox_end", "maybe_twice", "cost_nano", "priced", "unpriced",
    "tokens_in", "tokens_out", "started", "ended", "last_time",
)  # fmt: skip


def save(path: Path, progress: Progress, journal_offset: int) -> None:
    """Not durable on purpose: it can be rebuilt."""
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "journal": journal_offset,
        "total": progress.total,
        "states": progress.states.translate(_LETTERS).decode("ascii"),
        "tries": progress.tries.tolist(),
        "fails": {n: fails for n, fails in enumerate(progress.fails) if fails},
        "offsets": progress.offsets.tolist(),
        "errors": progress.errors,
        "traces": progress.traces,
        "submissions": [asdict(submission) for submission in progress.submissions.values()],
        "attention": [msgspec.to_builtins(item) for item in progress.attention.values()],
        "scalars": {name: getattr(progress, name) for name in _SCALARS},
    }
    replace_file(path, json.dumps(document, separators=(",", ":")).encode(), durable=False)


def load(path: Path, total: int, journal_size: int) -> tuple[Progress, int] | None:
    """The columns and the journal offset they stand at; None where it is missing, damaged, newer or past the journal."""
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != SCHEMA or document["total"] != total or document["journal"] > journal_size:
            return None
        progress = Progress(total)
        states = document["states"].encode("ascii").translate(_CODES)
        tries, offsets = array("H", document["tries"]), array("q", document["offsets"])
        if not len(states) == len(tries) == len(offsets) == total:
            return None
        progress.states, progress.tries, progress.offsets = bytearray(states), tries, offsets
        for n, fails in document["fails"].items():
            progress.fails[int(n)] = fails
        progress.errors = {
            int(n): progress._interned.setdefault(text, text) for n, text in document["errors"].items()
        }
        progress.traces = {int(n): facts for n, facts in document["traces"].items()}
        names = {field.name for field in fields(SubmissionRecord)}
        for raw in document["submissions"]:
            known = {key: value for key, value in raw.items() if key in names}
            submission = msgspec.convert(known, SubmissionRecord)
            progress.submissions[submission.id] = submission
        for item in msgspec.convert(document["attention"], list[Attention]):
            progress.attention[(item.kind, item.submission)] = item
        for name in _SCALARS:
            setattr(progress, name, document["scalars"][name])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        AttributeError,
        RecursionError,
        msgspec.ValidationError,
    ):
        return None
    return progress, document["journal"]
