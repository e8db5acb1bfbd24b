"""The files that a batch's unfinished jobs bring, found so that they can be taken along to another machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.backends.uses import PathUse
from batchtui.engine.plan.compose.attaching import files_folder
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BatchtuiError
from batchtui.model import JOB_STATES, JobRecord, JobState
from batchtui.store.folder import BatchFolder

_TAKEN = (PathUse.READS, PathUse.UPLOADS)
_MOST = 100_000
"""Files of one folder that a job names."""


@dataclass
class Brought:
    """`files` by their path below the folder that the jobs' paths start from; `left` are names of those outside it,
    and of those that are not there.
    """

    files: dict[str, Path] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)


def brought(folder: BatchFolder, backends: Backends) -> Brought:
    """What is needed to send those of its jobs that have no good answer."""
    root = files_folder(folder.header)
    found, seen = Brought(), set[str]()
    for name in _names(folder, backends):
        if name not in seen:
            seen.add(name)
            _find(root, name, found)
    return found


def _names(folder: BatchFolder, backends: Backends) -> Iterator[str]:
    renderer = Renderer(folder, backends)
    for record in _unfinished(folder):
        try:
            backend, job = renderer.rendered(record, 1, "")
        except BatchtuiError:
            continue  # it cannot be sent anyhow
        for key, use in backend.path_fields.items():
            value = getattr(job.work, key, None)
            if value and use in _TAKEN:
                yield from [value] if isinstance(value, str) else value


def _unfinished(folder: BatchFolder) -> Iterator[JobRecord]:
    yield from folder.header.seeds
    states = [state for state in JOB_STATES if state is not JobState.COMPLETED]
    for n in folder.progress.numbers(*states):
        try:
            yield folder.jobs.record(n)
        except BatchtuiError:
            continue


def _find(root: Path, name: str, found: Brought) -> None:
    """A name that starts elsewhere would lead elsewhere on another machine too."""
    real = os.path.realpath(root)
    path = os.path.normpath(os.path.join(real, name))
    if os.path.isabs(name) or name[:1] == "~" or os.path.realpath(path) != path or not _is_below(path, real):
        found.left.add(name)
        return
    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(at, one) for at, _, names in os.walk(path) for one in names][:_MOST]
    for file in files:
        try:
            plain = stat.S_ISREG(os.lstat(file).st_mode)
        except OSError:
            plain = False
        if plain:
            found.files[os.path.relpath(file, real)] = Path(file)
        else:
            found.left.add(name)


def _is_below(path: str, root: str) -> bool:
    return path != root and os.path.commonpath((path, root)) == root
