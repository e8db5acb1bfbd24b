"""What a bundle says of itself: its version, its batch, and every part with its size and checksum.

A bundle is outside text: its names are checked here before anything is written by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec

from batchtui import typed
from batchtui.errors import BadInput
from batchtui.store.disk.lines import SLICE
from batchtui.text import cell

SCHEMA = 1
FORMAT = "batchtui bundle"
NAME = "manifest.json"
HEADER, JOBS, JOURNAL, RESULTS, DIGESTS, LABELS = (
    "batch.json",
    "jobs.jsonl",
    "events.jsonl",
    "results.jsonl",
    "digests.txt",
    "labels.jsonl",
)
ALONE = frozenset({HEADER, JOBS, JOURNAL, RESULTS, DIGESTS, LABELS})
FOLDERS = ("raw", "tables", "files")
"""What a backend said, the tables of scenarios, and the files that unfinished jobs bring."""
MOST_BYTES = 64 * 1024**3
MOST_PARTS = 1_000_000
_PATH_BYTES = 1000
_ID = re.compile(r"[0-9a-z]{1,32}")
CHUNK = SLICE
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Part(msgspec.Struct, frozen=True):
    """One file of the bundle."""

    name: str
    size: _Count
    sha256: str


class Manifest(msgspec.Struct, kw_only=True):
    schema: int = SCHEMA
    format: str = FORMAT
    batch: str
    name: str
    host: str
    as_of: str
    """The time of the last line of the journal that is in it."""
    parts: list[Part]
    left: list[str] = []
    """Files that its jobs name and that were not taken along."""


class _Version(msgspec.Struct):
    schema: int
    format: str


def decode(data: bytes) -> Manifest:
    """Raises BadInput, without the bundle's name, for a manifest that is none, is newer, or names what it must not."""
    try:
        version = typed.decode(data, _Version)
        if version.format != FORMAT:
            raise BadInput("is no bundle of batchtui")
        if version.schema > SCHEMA:
            raise BadInput(
                f"was made by a newer batchtui (bundle version {version.schema}); update to read it"
            )
        manifest = typed.decode(data, Manifest)
    except (ValueError, RecursionError, msgspec.MsgspecError) as fault:
        raise BadInput(f"its manifest cannot be read ({cell(fault, 100)})") from None
    if not _ID.fullmatch(manifest.batch):
        raise BadInput(f'"{cell(manifest.batch, 40)}" is no id of a batch')
    _check_names(part.name for part in manifest.parts)
    if missing := {HEADER, JOBS} - {part.name for part in manifest.parts}:
        raise BadInput(f"it holds no {' and no '.join(sorted(missing))}")
    if len(manifest.parts) > MOST_PARTS:
        raise BadInput(f"it holds more than {MOST_PARTS:,} files")
    if (total := sum(part.size for part in manifest.parts)) > MOST_BYTES:
        raise BadInput(f"it would take {total:,} bytes; at most {MOST_BYTES:,} are taken in")
    return manifest


def _check_names(names: Iterable[str]) -> None:
    """Raises BadInput for a name that leads elsewhere, or that another one would be on some disk."""
    seen: set[str] = set()
    for name in names:
        if not is_name(name):
            raise BadInput(f'it names "{cell(name, 60)}", which is no file of a batch')
        if name.casefold() in seen:
            raise BadInput(f'it names "{cell(name, 60)}" twice')
        seen.add(name.casefold())


def is_name(name: str) -> bool:
    """Whether a part may be called so: one of the batch's files, or a plain path below one of its folders."""
    if name in ALONE:
        return True
    folder, *steps = name.split("/")
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    plain = all(
        step not in ("", ".", "..") and len(step.encode()) <= 255 and step.isprintable() and "\\" not in step
        for step in steps
    )
    return folder in FOLDERS and bool(steps) and plain and length <= _PATH_BYTES
