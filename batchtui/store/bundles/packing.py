"""A batch as it stands at one line of its journal, written into one file, also while somebody drives it.

The journal is read up to a whole line; results and jobs up to what it knows by then. They only grow, so that nothing
of what is taken changes meanwhile. What says who drives the batch here, and what was asked of them, stays here.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from batchtui.errors import BadInput, StoreDamaged
from batchtui.store.bundles import manifest as told
from batchtui.store.bundles.manifest import (
    CHUNK,
    DIGESTS,
    HEADER,
    JOBS,
    JOURNAL,
    LABELS,
    RESULTS,
    Manifest,
    Part,
)
from batchtui.store.files import labels
from batchtui.store.folder import BatchFolder
from batchtui.store.health.versions import refuse_newer
from batchtui.text import cell

_TRIES = 3
_MADE = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same batch gives the same file."""


class _Changed(Exception):
    """A file was replaced while it was read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part comes from: bytes, or the first `size` bytes of a file (None: all of it)."""

    content: bytes | Path
    size: int | None = None

    def chunks(self) -> Iterator[bytes]:
        """Raises OSError, _Changed where the file has become shorter."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        fd = os.open(self.content, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb", buffering=0) as file:
            left = self.size if self.size is not None else os.fstat(fd).st_size
            while left:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    raise _Changed
                left -= len(chunk)
                yield chunk


def snapshot(folder: BatchFolder) -> dict[str, Source]:
    """The batch's own files by name. Raises StoreDamaged where they cannot be trusted."""
    progress, jobs = folder.progress, folder.jobs
    if damage := [*folder.damage, *jobs.damage]:
        refuse_newer(folder.path)
        raise StoreDamaged(
            f"{damage[0]}; nothing was written: `batchtui fsck {folder.id} --repair` mends it first"
        )
    header = json.dumps(msgspec.to_builtins(folder.header), indent=1).encode() + b"\n"
    found = {HEADER: Source(header), JOBS: Source(folder.path / JOBS, jobs.offset(progress.total))}
    if folder.journal_end:
        found[JOURNAL] = Source(folder.path / JOURNAL, folder.journal_end)
    if progress.results_end:
        found[RESULTS] = Source(folder.path / RESULTS, progress.results_end)
    if (folder.path / DIGESTS).is_file():
        found[DIGESTS] = Source(folder.path / DIGESTS)
    if end := labels.whole_end(folder.path / LABELS):
        found[LABELS] = Source(folder.path / LABELS, end)
    for name in ("raw", "tables"):
        found |= below(folder.path / name, name)
    return found


def below(place: Path, name: str) -> dict[str, Source]:
    """Every file below a folder, links and unfinished ones left out."""
    found: dict[str, Source] = {}
    for at, folders, names in os.walk(place):
        folders.sort()
        for one in sorted(names):
            path = Path(at, one)
            inside = f"{name}/{path.relative_to(place).as_posix()}"
            if not one.endswith(".part") and told.is_name(inside) and stat.S_ISREG(path.lstat().st_mode):
                found[inside] = Source(path)
    return found


def pack(
    folder: BatchFolder,
    target: Path,
    files: Mapping[str, Path],
    left: Collection[str],
    secrets: Mapping[bytes, str],
) -> Manifest:
    """Write the bundle to `target`, with these files of its jobs by their names in it.

    `left` are files that are not taken along. `secrets` must not be in it, each with what to call it. Raises BadInput where
    one is, StoreDamaged, OSError.
    """
    for last in (False,) * (_TRIES - 1) + (True,):
        fresh = BatchFolder(folder.path)  # as it is by now, and read by nobody else
        sources = snapshot(fresh) | {f"files/{name}": Source(path) for name, path in files.items()}
        try:
            parts = [_looked_at(name, sources[name], secrets) for name in sorted(sources)]
            manifest = Manifest(
                batch=fresh.id,
                name=fresh.header.name,
                host=socket.gethostname(),
                as_of=fresh.progress.last_time or fresh.header.created,
                parts=parts,
                left=sorted(left),
            )
            _write(target, manifest, sources)
            return manifest
        except (_Changed, FileNotFoundError) as fault:
            if last:
                raise BadInput(
                    f"batch {folder.id} changes while it is read ({cell(fault, 100)}); try again, or pause it first"
                ) from None
    raise AssertionError("unreachable")


def _looked_at(name: str, source: Source, secrets: Mapping[bytes, str]) -> Part:
    digest, size, tail = hashlib.sha256(), 0, b""
    longest = max(map(len, secrets), default=0)
    for chunk in source.chunks():
        digest.update(chunk)
        size += len(chunk)
        text = tail + chunk
        for secret, words in secrets.items():
            if secret in text:
                raise BadInput(f"nothing was written: {name} holds {words}, and a bundle never holds a key")
        tail = text[-longest:] if longest else b""
    return Part(name, size, digest.hexdigest())


def _write(target: Path, manifest: Manifest, sources: Mapping[str, Source]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr(_entry(told.NAME), msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        for part in manifest.parts:
            digest = hashlib.sha256()
            with archive.open(_entry(part.name), "w", force_zip64=part.size >= 1 << 31) as file:
                for chunk in Source(sources[part.name].content, part.size).chunks():
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != part.sha256:
                raise _Changed(part.name)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MADE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    return entry
