"""Where a batch of scenarios keeps its tables: the folder that `[output] dir` names, else one of the batch's own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Final

from batchtui.model import Json
from batchtui.results.scenarios.files import JOURNAL, MANIFEST, SUMMARY
from batchtui.results.scenarios.tables import put
from batchtui.store.folder import BatchFolder
from batchtui.store.header import BatchHeader
from batchtui.store.lock import is_held

MARK: Final = ".batchtui.jsonl"
"""First line: whose folder it is, and that it holds scenarios."""
OWN: Final = "tables"


def holds_scenarios(header: BatchHeader) -> bool:
    """Whether the jobs of this batch are tasks, such as power flow."""
    return any(template.get("task") for template in (header.template, *header.templates.values()))


def place_of(folder: BatchFolder) -> Path | None:
    """The folder that holds this batch's tables; None where nothing was written, or another batch wrote over it."""
    return next((place for place in _places(folder) if _owner(place) == folder.id), None)


def lost(folder: BatchFolder) -> str:
    """Why `place_of` finds nothing, where something was written."""
    asked = _places(folder)[0]
    other = _owner(asked)
    if other:
        return (
            f"batch {other} wrote over this batch's tables in {asked}; run this one again into another folder"
        )
    return f"this batch's tables are not in {asked} any more; run it again, or put the folder back"


def own_place(folder: BatchFolder) -> Path:
    """The folder inside the batch's own, which is always there to be written."""
    return folder.path / OWN


def claim(folder: BatchFolder) -> Path:
    """The folder to write into, made and marked as this batch's.

    What an earlier batch of the same source left there is taken over. Where another writes there now, or the folder is
    one of another source or of somebody else, it is a folder inside, named as the batch. Raises OSError.
    """
    own = own_place(folder)
    asked = [place for place in _places(folder) if place != own] or [own]
    held = next((place for place in asked if _owner(place) == folder.id), None)
    place = held or next((one for one in asked if _is_free(one, folder)), asked[-1])
    mark(place, folder)
    if place != own and _owner(own):
        _move(own, place)
    return place


def mark(place: Path, folder: BatchFolder) -> None:
    """Say whose folder it is, which also shows that it can be written. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    (place / SUMMARY).mkdir(exist_ok=True)
    said = {"schema": 1, "file": "scenarios", "batch": folder.id, "source": _source(folder)}
    put(place / MARK, json.dumps(said).encode() + b"\n")


def _move(own: Path, place: Path) -> None:
    """Bring what went into the batch's own folder, while this one could not be written. Raises OSError."""
    ours = shutil.ignore_patterns(MARK, SUMMARY, MANIFEST)
    try:
        shutil.copytree(own, place, ignore=ours, dirs_exist_ok=True)
    except (OSError, shutil.Error) as fault:
        (place / MARK).unlink(missing_ok=True)
        raise OSError(f"{own} could not be copied there ({fault})") from fault
    shutil.rmtree(own, ignore_errors=True)


def _places(folder: BatchFolder) -> list[Path]:
    """Where its tables may be, the likeliest first."""
    header = folder.header
    if not header.spec.output.dir:
        return [own_place(folder)]
    asked = Path(header.base, os.path.expanduser(header.spec.output.dir))
    return [asked, asked / folder.id, own_place(folder)]


def _source(folder: BatchFolder) -> str:
    """What the batch was made from: its source's file, or its name where it has none."""
    header = folder.header
    source = header.spec.source
    return os.path.abspath(os.path.join(header.base, source.file)) if source else header.name


def _owner(place: Path) -> str | None:
    """The batch whose scenarios are there; None where nobody's are."""
    return _said(place).get("batch")


def _said(place: Path) -> dict[str, Json]:
    """The first line of the folder's mark, of a folder of scenarios; empty where there is none."""
    with contextlib.suppress(OSError, ValueError):
        with (place / MARK).open("rb") as file:
            first = json.loads(file.readline(100_000))
        if isinstance(first, dict) and first.get("file") == "scenarios":
            return first
    return {}


def _is_free(place: Path, folder: BatchFolder) -> bool:
    said = _said(place)
    if said:
        earlier = folder.path.parent / os.path.basename(str(said.get("batch")))
        return said.get("source") == _source(folder) and not is_held(earlier)
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return True
    return not any(name in (MARK, MANIFEST, JOURNAL, SUMMARY) or name.startswith("job_") for name in names)
