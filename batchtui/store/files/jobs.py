"""jobs.jsonl: every job's id and row, written once; found again by number or id without parsing the rest."""

from __future__ import annotations

import json
import os
from array import array
from functools import cached_property
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.errors import NotFound, StoreDamaged
from batchtui.model import JobRecord
from batchtui.store.disk import seals
from batchtui.store.disk.lines import AppendFile, read_slices

SCHEMA = 1
_HEAD = b'{"schema":'
_BEGIN = b'{"n":'


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
    return seals.seal(json.dumps(msgspec.to_builtins(record), separators=(",", ":")).encode())


class JobTable:
    """The jobs of a batch, read lazily: offsets and ids in one scan, a record when asked for.

    Damage is never a shorter list, and never another job's row: a job whose line is lost keeps its number, and has a
    placeholder for its id. `damage` says what is wrong with the file.
    """

    def __init__(self, path: Path, total: int = 0, *, growing: bool = False) -> None:
        """`total`: how many jobs there are to be; `growing`: the last line may be half written.

        Raises StoreDamaged where a newer version wrote it.
        """
        self._path, self._growing = path, growing
        self._starts = array("q")
        """Where each job's line starts; -1: it is lost."""
        self._fd = -1
        self.end = 0
        """Where the next line goes."""
        self.ids: list[str] = []
        self.damage: list[str] = []
        self._scan()
        if len(self.ids) < total:
            self.damage.append(f"{path}: holds {len(self.ids):,} of {total:,} jobs")
            self._lose(total)

    def __len__(self) -> int:
        return len(self.ids)

    def _scan(self) -> None:
        try:
            size = self._path.stat().st_size
        except OSError as fault:
            self.damage.append(f"{self._path}: cannot be read ({fault.strerror})")
            return
        if not size:
            self.damage.append(f"{self._path}: is empty")
            return
        first = True
        try:
            for start, lines in read_slices(self._path):
                for line in lines:
                    if first:
                        self._check_first_line(line)
                    else:
                        self._take(line, start)
                    start += len(line) + 1
                    first = False
                self.end = start
        except OSError as fault:
            self.damage.append(f"{self._path}: cannot be read ({fault.strerror})")
            return
        if self.end < size and not self._growing:
            self.damage.append(f"{self._path}: the last line, at byte {self.end}, is cut off")

    def _take(self, line: bytes, start: int) -> None:
        try:
            self.ids.append(_id_of(line, len(self.ids)))
        except (ValueError, LookupError, TypeError, RecursionError):
            self._take_later(line, start)
            return
        self._starts.append(start)

    def _take_later(self, line: bytes, start: int) -> None:
        """A line that is not the next job's: of a later one, where those between are lost, or damaged itself."""
        number = _number_of(line)
        if number is None or number <= len(self.ids) or not seals.is_whole(line):
            # a number that cannot be trusted moves no other job
            self.damage.append(f"{self._path}: the line at byte {start} is damaged")
            return
        if not self.damage:
            self.damage.append(f"{self._path}: the lines of jobs before byte {start} are lost")
        self._lose(number)
        self._take(line, start)

    def _lose(self, upto: int) -> None:
        for n in range(len(self.ids), upto):
            self.ids.append(_nobody(n))
            self._starts.append(-1)

    def _check_first_line(self, line: bytes) -> None:
        try:
            schema = int(json.loads(line)["schema"])
        except (ValueError, LookupError, TypeError, RecursionError):
            self.damage.append(f"{self._path}: the first line is damaged")
            return
        if schema > SCHEMA:
            raise StoreDamaged(
                f"{self._path}: written by a newer batchtui (schema {schema}); update to read it"
            )

    def record(self, n: int) -> JobRecord:
        """Raises NotFound, StoreDamaged."""
        if not 0 <= n < len(self.ids):
            raise NotFound(f"{self._path}: no job number {n}")
        if self._starts[n] < 0:
            raise StoreDamaged(f"{self._path}: the line of job {n + 1} is damaged or lost", proves=True)
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return _decode(seals.check(self._line(n)))
        except (OSError, ValueError, RecursionError, msgspec.ValidationError) as fault:
            raise StoreDamaged(f"{self._path}: job {n} cannot be read ({fault})", proves=True) from fault

    def _line(self, n: int) -> bytes:
        """The line of a job, without its newline: it ends where the next known one begins, or before."""
        start = self._starts[n]
        later = next((at for at in self._starts[n + 1 : n + 2] if at >= 0), None)
        if later is None:
            later = next((at for at in self._starts[n + 1 :] if at >= 0), self.end)
        return os.pread(self._fd, later - start, start).partition(b"\n")[0]

    def offset(self, n: int) -> int:
        """The byte at which the line of job `n` starts; of the first job that is not there, where it will."""
        return self._starts[n] if n < len(self._starts) else self.end

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {id_: n for n, id_ in enumerate(self.ids)}

    def nameless(self) -> list[int]:
        """Jobs whose line, and with it the id, is lost."""
        return [n for n, id_ in enumerate(self.ids) if id_[:5] == "(job " and id_ == _nobody(n)]

    def name(self, n: int, job_id: str) -> None:
        """Give a nameless job the id that something else tells."""
        self.ids[n] = job_id
        self.__dict__.pop("_numbers", None)

    def number(self, job_id: str) -> int | None:
        """The number of the job with this id."""
        return self._numbers.get(job_id)


def ends_damage(path: Path, *, growing: bool = False) -> list[str]:
    """What the first bytes and the last one of a file show to be wrong with it, where reading all takes too long."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEAD))
            end = file.seek(-1, os.SEEK_END) + 1 if head else 0
            last = file.read()
    except OSError as fault:
        return [f"{path}: cannot be read ({fault.strerror})"]
    if not end:
        return [f"{path}: is empty"]
    if head != _HEAD:
        return [f"{path}: the first line is damaged"]
    return [] if last == b"\n" or growing else [f"{path}: the last line is cut off"]


def _nobody(n: int) -> str:
    return f"(job {n + 1}, whose line is damaged)"


def _number_of(line: bytes) -> int | None:
    """The number that a job's line begins with."""
    digits = line[len(_BEGIN) : line.find(b",", len(_BEGIN), len(_BEGIN) + 20)]
    return int(digits) if line.startswith(_BEGIN) and digits.isdigit() else None


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
        return typed.decode(line, JobRecord)
    except msgspec.DecodeError:  # lone halves of an emoji, which only the slower reader takes
        return typed.convert(json.loads(line), JobRecord)
