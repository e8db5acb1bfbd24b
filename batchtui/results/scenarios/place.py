"""Where a batch of scenarios keeps its tables: the folder that `[output] dir` names, else one of the batch's own.

A batch whose source implies a folder has one there that no other batch ever gets (`BatchHeader.own_folder`); what its
relatives beside it have solved already is found there.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from batchtui.model import Json
from batchtui.results.scenarios.files import JOURNAL, MANIFEST, SUMMARY
from batchtui.results.scenarios.tables import put
from batchtui.store.files.header import BatchHeader
from batchtui.store.files.lock import is_held
from batchtui.store.folder import BatchFolder

MARK: Final = ".batchtui.jsonl"
"""First line: whose folder it is, and that it holds scenarios."""
OWN: Final = "tables"
MOST_RELATIVES: Final = 8
"""Earlier batches in which results are looked for: each costs a look a scenario."""


def holds_scenarios(header: BatchHeader) -> bool:
    """Whether the jobs of this batch are tasks, such as power flow."""
    return any(template.get("task") for template in (header.template, *header.templates.values()))


def task_words(templates: Iterable[Mapping[str, Json]], sweep: Mapping[str, Json]) -> list[str]:
    """The tasks that jobs of a batch may be; none where only their rows tell."""
    words = {str(word) for template in templates if (word := template.get("task"))}
    words |= {str(word) for word in sweep.get("task", ())}
    return [] if any("{{" in word for word in words) else sorted(words)


def source_of(file: str | None, base: str | Path, name: str) -> str:
    """What a batch is made from: its source's file, or the name asked for where it has none."""
    return os.path.abspath(os.path.join(base, file)) if file and file != "-" else name


def relatives(parent: Path, source: str, tasks: list[str], but: Path | None = None) -> list[Path]:
    """The folders beside `but` of batches of the same source and tasks, the newest first: their results may stand."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(parent):
            place = parent / entry.name
            said = _said(place)
            theirs = said.get("tasks") or tasks
            if said.get("source") != source or place == but or (tasks and set(tasks).isdisjoint(theirs)):
                continue
            with contextlib.suppress(OSError):
                found.append(((place / MARK).stat().st_mtime, place))
    return [place for _, place in sorted(found, reverse=True)[:MOST_RELATIVES]]


def earlier_places(folder: BatchFolder, place: Path) -> list[Path]:
    """Where results that an earlier batch solved may be taken from, for one that writes to `place`."""
    if not folder.header.own_folder:
        return []
    return relatives(place.parent, _source(folder), _tasks(folder.header), place)


def place_of(folder: BatchFolder) -> Path | None:
    """The folder that holds this batch's tables; None where nothing was written, or another batch wrote over it."""
    return next((place for place in _places(folder) if owner_of(place) == folder.id), None)


def lost(folder: BatchFolder) -> str:
    """Why `place_of` finds nothing, where something was written."""
    asked = _places(folder)[0]
    other = owner_of(asked)
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
    held = next((place for place in asked if owner_of(place) == folder.id), None)
    free = (one for one in asked if is_free(one, _source(folder), folder.path.parent))
    place = held or next(free, asked[-1])
    mark(place, folder)
    if place != own and owner_of(own):
        _move(own, place)
    return place


def mark(place: Path, folder: BatchFolder) -> None:
    """Say whose folder it is, which also shows that it can be written. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    (place / SUMMARY).mkdir(exist_ok=True)
    whose = {"batch": folder.id, "source": _source(folder), "tasks": _tasks(folder.header)}
    said = {"schema": 1, "file": "scenarios", **whose}
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
    header = folder.header
    source = header.spec.source
    return source_of(source.file if source else None, header.base, header.spec.name or header.name)


def _tasks(header: BatchHeader) -> list[str]:
    return task_words((header.template, *header.templates.values()), header.spec.sweep)


def owner_of(place: Path) -> str | None:
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


def is_free(place: Path, source: str, batches: Path) -> bool:
    """Whether a batch of this source may write there: nothing of anybody is there, or an earlier one of the same source."""
    said = _said(place)
    if said:
        earlier = batches / os.path.basename(str(said.get("batch")))
        return said.get("source") == source and not is_held(earlier)
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return True
    return not any(name in (MARK, MANIFEST, JOURNAL, SUMMARY) or name.startswith("job_") for name in names)
