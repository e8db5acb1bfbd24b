"""jobs.jsonl: every job's id and row, written once; found again by number or id without parsing the rest."""

from __future__ import annotations

import json
import os
from array import array
from functools import cached_property
from pathlib import Path

import msgspec

from batchtui.errors import NotFound, StoreDamaged
from batchtui.model import JobRecord
from batchtui.store.lines import AppendFile, read_slices

SCHEMA = 1


class JobWriter:
    """Writes jobs.jsonl of a batch in the making, buffered."""

    def __init__(self, path: Path) -> None:
        self._file = AppendFile(path)
        self._buffer: list[bytes] = [b'{"schema":%d,"file":"jobs"}\n' % SCHEMA]
        self.count = 0

    def add(self, record: JobRecord) -> None:
        self._buffer.append(job_line(record))
        self.count += 1
        if len(self._buffer) >= 500:
            self.flush()

    def flush(self) -> None:
        self._file.append(b"".join(self._buffer))
        self._buffer.clear()

    def close(self) -> None:
        if self._buffer:
            self.flush()
        self._file.sync()
        self._file.close()

    def discard(self) -> None:
        self._file.close()


def job_line(record: JobRecord) -> bytes:
    return json.dumps(msgspec.to_builtins(record), separators=(",", ":")).encode() + b"\n"


class JobTable:
    """The jobs of a batch, read lazily: offsets and ids in one scan, a record when asked for."""

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        """`growing`: its last line may be half written. Raises StoreDamaged."""
        self._path, self._growing = path, growing
        self._offsets = array("Q")
        self._fd = -1
        self.ids: list[str] = []
        self._scan()

    def __len__(self) -> int:
        return len(self.ids)

    def _scan(self) -> None:
        try:
            file = self._path.open("rb")
        except OSError as fault:
            raise StoreDamaged(f"{self._path}: cannot be read ({fault.strerror})") from fault
        with file:
            size = file.seek(0, 2)
        if not size:
            raise StoreDamaged(f"{self._path}: is empty")
        end, first = 0, True
        for start, lines in read_slices(self._path):
            for line in lines:
                if first:
                    self._check_first_line(line)
                else:
                    self._take(line, start)
                start += len(line) + 1
                first = False
            end = start
        self._offsets.append(end)
        if end < size and not self._growing:
            raise StoreDamaged(f"{self._path}: the last line, at byte {end}, is cut off")

    def _take(self, line: bytes, start: int) -> None:
        try:
            self.ids.append(_id_of(line, len(self.ids)))
        except (ValueError, LookupError, TypeError, RecursionError) as fault:
            raise StoreDamaged(f"{self._path}: the line at byte {start} is damaged") from fault
        self._offsets.append(start)

    def _check_first_line(self, line: bytes) -> None:
        try:
            schema = int(json.loads(line)["schema"])
        except (ValueError, LookupError, TypeError, RecursionError) as fault:
            raise StoreDamaged(f"{self._path}: the first line is damaged") from fault
        if schema > SCHEMA:
            raise StoreDamaged(
                f"{self._path}: written by a newer batchtui (schema {schema}); update to read it"
            )

    def record(self, n: int) -> JobRecord:
        """Raises NotFound, StoreDamaged."""
        if not 0 <= n < len(self.ids):
            raise NotFound(f"{self._path}: no job number {n}")
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        line = os.pread(self._fd, self._offsets[n + 1] - self._offsets[n], self._offsets[n])
        try:
            return _decode(line)
        except (ValueError, RecursionError, msgspec.ValidationError) as fault:
            raise StoreDamaged(f"{self._path}: job {n} cannot be read ({fault})") from fault

    def offset(self, n: int) -> int:
        """The byte at which the line of job `n` starts."""
        return self._offsets[n]

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {id_: n for n, id_ in enumerate(self.ids)}

    def number(self, job_id: str) -> int | None:
        """The number of the job with this id."""
        return self._numbers.get(job_id)


def _id_of(line: bytes, n: int) -> str:
    """The id on the line of job `n`, mostly without parsing it. Raises ValueError, LookupError, TypeError."""
    start = b'{"n":%d,"id":"' % n
    if not (line.startswith(start) and line.endswith(b"}")):
        raise ValueError("not this job's line")
    raw = line[len(start) : line.index(b'"', len(start))]
    if b"\\" in raw:
        id_ = json.loads(line)["id"]
        if not isinstance(id_, str):
            raise TypeError("an id is text")
        return id_
    return raw.decode("ascii")


def _decode(line: bytes) -> JobRecord:
    try:
        return msgspec.json.decode(line, type=JobRecord)
    except msgspec.DecodeError:  # lone halves of an emoji, which only the slower reader takes
        return msgspec.convert(json.loads(line), JobRecord)
