"""`raw_files/` of an output folder: what was sent and what came back, word for word, under batchata's names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from batchtui.backends.base import Job, Remote
from batchtui.catalog import card_of
from batchtui.results.export.file import json_text
from batchtui.store.fold.progress import SubmissionRecord
from batchtui.store.folder import BatchFolder

REQUESTS = "requests.jsonl"
_CHUNK = 1 << 20


def keeping_requests(
    folder: BatchFolder,
    record: SubmissionRecord,
    backend: Remote[msgspec.Struct],
    jobs: Iterable[Job[msgspec.Struct]],
) -> Iterator[Job[msgspec.Struct]]:
    """The jobs as they come, each line noted in raw/ as it is sent, where an output folder is to hold it.

    A disk that has no room for it does not keep anything from being sent.
    """
    output = folder.header.spec.output
    if not (output.dir and output.raw):
        yield from jobs
        return
    file: BinaryIO | None = None
    path = folder.path / "raw" / f"{record.id}-{REQUESTS}"
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")
    except OSError:
        pass
    for job in jobs:
        if file is not None:
            try:
                file.write(backend.line(job).rstrip(b",\n") + b"\n")
            except OSError:
                file = None
        yield job
    if file is not None:
        try:
            file.close()
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)


def raw_files(
    folder: BatchFolder, names: list[str], share: Callable[[int], str]
) -> Iterator[tuple[str, bytes | Iterator[bytes]]]:
    """Path and content of every file. `names` are the jobs' file names, `share(n)` the folder of job `n`."""
    for record in folder.progress.submissions.values():
        yield from _of_submission(folder, record)
    for n, name in enumerate(names):
        body = folder.result(n).body
        if body is not None:
            yield f"raw_files/responses/{share(n)}{name}_raw.json", json_text(body, indent=2).encode()


def _of_submission(
    folder: BatchFolder, record: SubmissionRecord
) -> Iterator[tuple[str, bytes | Iterator[bytes]]]:
    kind = _kind_of(folder, record)
    remote = "".join(
        char if char.isalnum() or char in "-_." else "_" for char in record.remote_id or str(record.id)
    )
    stem = f"{kind}_batch_{remote[-80:]}"
    for path in sorted((folder.path / "raw").glob(f"{record.id}-*")):
        name = path.name.partition("-")[2]
        if not name.endswith(".jsonl"):
            continue
        again = name.removesuffix(".jsonl").partition(".")[2]  # a file that had to be read again
        part = f"{stem}.{again}" if again else stem
        if name == REQUESTS:
            yield f"raw_files/requests/{part}{_ending(kind)}", _read(path, kind)
        elif "error" in name:
            yield f"raw_files/errors/{part}_errors.jsonl", _read(path, "")
        else:
            yield f"raw_files/responses/{part}{_ending(kind)}", _read(path, kind)
    if record.ended_as == "failed" or (record.remote_id is None and record.reason):
        told = {"batch_id": record.remote_id, "error": record.first_error or record.reason}
        yield f"raw_files/batch_{remote[-80:]}_error.json", json.dumps(told, indent=2).encode()


def _kind_of(folder: BatchFolder, record: SubmissionRecord) -> str:
    """The kind where the batch has but one; else the backend's name, which tells its files from others'."""
    header = folder.header
    name = header.kind if len(header.backends) == 1 else record.backend
    return "".join(char if char.isalnum() else "_" for char in name)[:40]


def _ending(kind: str) -> str:
    return ".json" if _as_list(kind) else ".jsonl"


def _read(path: Path, kind: str) -> Iterator[bytes]:
    """The file as it is, or its lines as one JSON list."""
    with path.open("rb") as file:
        if not _as_list(kind):
            while chunk := file.read(_CHUNK):
                yield chunk
            return
        before = b"[\n"
        for line in file:
            if line.strip():
                yield before + line.rstrip()
                before = b",\n"
        yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _as_list(kind: str) -> bool:
    """Whether batchata writes this kind's files as one JSON list; those of the others are JSON Lines."""
    card = card_of(kind)
    return bool(card and card.raw_as_list)
