"""Whether a stored batch is sound: every line by its checksum, every file against the others. Reads only.

The journal is the truth that the rest is held against: the header adds up from its changes, the columns of the
checkpoint from its events, and each result that it names must stand in results.jsonl, whole and of that job. Costs and
counts are functions of those lines, so they are sound where the lines are.
"""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui.amounts import NANO, counted
from batchtui.errors import StoreDamaged
from batchtui.store import home
from batchtui.store.disk import seals
from batchtui.store.disk.lines import read_slices
from batchtui.store.files import checkpoint, inbox, journal, labels, results
from batchtui.store.files.header import BatchHeader, read_header
from batchtui.store.files.header_changes import header_of, journaled, merged
from batchtui.store.files.jobs import JobTable
from batchtui.store.fold.progress import Progress
from batchtui.text import cell

HEADER, JOBS, JOURNAL, RESULTS = "batch.json", "jobs.jsonl", "events.jsonl", "results.jsonl"
CHECKPOINT, INBOX, LABELS = "checkpoint.json", "inbox.jsonl", labels.FILE
_MOST = 20
"""Faults of one file that are named one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one file of a batch; `line` counts from 1. `job` is the number of the job it is about."""

    file: str
    cause: str
    line: int | None = None
    job: int | None = None

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line is not None else ''}: {self.cause}"


@dataclass(slots=True)
class Proof:
    """What was found. `lost` are jobs whose counting result is gone or changed, `unreadable` the (offset, length) of
    results that cannot be trusted, `unjournaled` offsets of those that the journal does not know; `nonsense` is as
    `unreadable`, of commands, and `mislabelled` of labels.
    """

    path: Path
    faults: list[Fault] = field(default_factory=list)
    header: BatchHeader | None = None
    progress: Progress | None = None
    lost: list[int] = field(default_factory=list)
    unreadable: list[tuple[int, int]] = field(default_factory=list)
    unjournaled: list[int] = field(default_factory=list)
    nonsense: list[tuple[int, int]] = field(default_factory=list)
    mislabelled: list[tuple[int, int]] = field(default_factory=list)
    settled: int = 0
    """Results before this offset were settled by a repair."""
    lines_lost: bool = False
    """Whether lines of the journal are gone of which nothing else tells."""

    @property
    def sound(self) -> bool:
        return not self.faults

    def add(self, file: str, cause: str, line: int | None = None, job: int | None = None) -> None:
        self.faults.append(Fault(file, cause, line, job))

    def of(self, file: str) -> list[Fault]:
        return [fault for fault in self.faults if fault.file == file]


def prove(path: Path) -> Proof:
    """Look at every file of the batch in that folder. Never raises for what it finds there."""
    proof = Proof(path)
    for name in (HEADER, JOBS, JOURNAL, RESULTS, CHECKPOINT, INBOX, LABELS):
        _is_a_file(proof, name)
    _header(proof)
    _jobs(proof)
    _journal(proof)
    _results(proof)
    _checkpoint(proof)
    _inbox(proof)
    _labels(proof)
    proof.faults = _shortened(proof.faults)
    return proof


def _is_a_file(proof: Proof, name: str) -> None:
    try:
        mode = (proof.path / name).lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as fault:
        proof.add(name, f"cannot be looked at ({fault.strerror})")
        return
    if stat.S_ISLNK(mode):
        proof.add(name, "is a symbolic link, and was put there by somebody else")
    elif not stat.S_ISREG(mode):
        proof.add(name, "is no file, but a folder or a device")


def numbered(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(number from 1, offset, line without its newline) of every whole line; nothing of what cannot be read."""
    number = 0
    try:
        for start, lines in read_slices(path):
            for line in lines:
                number += 1
                yield number, start, line
                start += len(line) + 1
    except OSError:
        return


def _torn(proof: Proof, name: str, end: int) -> None:
    """`end` is where the last whole line ends."""
    try:
        size = (proof.path / name).stat().st_size
    except OSError:
        return
    if size > end:
        proof.add(name, f"ends with {size - end:,} bytes of an unfinished line")


def _header(proof: Proof) -> None:
    try:
        proof.header = read_header(proof.path)
    except StoreDamaged as fault:
        proof.add(HEADER, str(fault).removeprefix(f"{proof.path / HEADER}: "))
        proof.header = journaled(proof.path)
        return
    if proof.header.id != proof.path.name:
        proof.add(HEADER, f'is of batch "{proof.header.id[:80]}", not of the folder it lies in')


def _jobs(proof: Proof) -> None:
    total = proof.header.total if proof.header else 0
    growing = bool(proof.header and proof.header.growing)
    try:
        table = JobTable(proof.path / JOBS, total, growing=growing)
    except StoreDamaged as fault:
        proof.add(JOBS, str(fault).removeprefix(f"{proof.path / JOBS}: "))
        return
    sealed = False
    for number, _, line in numbered(proof.path / JOBS):
        if number == 1:
            continue
        try:
            sealed = seals.next_is_sealed(line, sealed)
            json.loads(seals.check(line))
        except (ValueError, RecursionError) as fault:
            proof.add(JOBS, f"cannot be trusted ({fault})", number)
    if not proof.of(JOBS):
        for words in table.damage:
            proof.add(JOBS, words.removeprefix(f"{proof.path / JOBS}: "))
    with contextlib.suppress(StoreDamaged):
        known = header_of(proof.path).home
        if known is not None and not home.is_at(known, proof.path) and home.was_set_aside(known, proof.path):
            proof.add(JOBS, "was written again by a repair that was cut short")


def _header_as_journaled(proof: Proof, progress: Progress) -> None:
    """Every change of the header is in the journal first, so that at the same point both say the same."""
    header = proof.header
    if header is None or proof.faults or not progress.header or header.seq != progress.header_seq:
        return
    with contextlib.suppress(
        OSError, ValueError
    ):  # one of before the journal had all of it is no whole header
        missing = progress.header.keys() - json.loads((proof.path / HEADER).read_bytes()).keys()
        if missing or merged(progress.header, progress.header_seq) != header:
            proof.add(HEADER, "says otherwise than the journal, which has each change of it")


def _journal(proof: Proof) -> None:
    path = proof.path / JOURNAL
    saved = checkpoint.load(proof.path / CHECKPOINT, proof.header.total) if proof.header else None
    progress = Progress(proof.header.total if proof.header else 0)
    end, last, worst = 0, None, -1
    for number, offset, line in numbered(path):
        end = offset + len(line) + 1
        if not seals.is_whole(line):
            proof.add(JOURNAL, "its checksum does not fit: it was changed or cut", number)
            worst = offset
            continue
        try:
            event = json.loads(line)
            if event == last:
                continue
            last = event
            if event["seq"] != progress.seq + 1:
                proof.add(
                    JOURNAL, f"the sequence goes from {progress.seq} to {str(event['seq'])[:20]}", number
                )
                worst = offset
            if event.get("event") == journal.RESTORED:
                progress = checkpoint.restored(event)
                proof.faults = [fault for fault in proof.faults if fault.file != JOURNAL]
                worst, proof.settled = -1, progress.results_end
            progress.apply(event)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
            proof.add(JOURNAL, f"makes no sense: {fault}", number)
            worst = offset
    _torn(proof, JOURNAL, end)
    driven = any((proof.path / name).exists() for name in (RESULTS, CHECKPOINT))
    if driven and not end:
        proof.add(JOURNAL, "has no line left, though the batch has been driven")
        proof.lines_lost = True
    if saved and saved[1] > end:
        proof.add(JOURNAL, f"lines at its end are lost: it had {saved[1]:,} bytes, and has {end:,}")
        progress, proof.lines_lost = saved[0], True
    elif saved and 0 <= worst < saved[1]:  # the checkpoint knows what those lines said
        progress = _folded_on(*saved, path)
    elif worst >= 0:
        proof.lines_lost = True
    proof.progress = progress
    _header_as_journaled(proof, progress)


def _folded_on(progress: Progress, offset: int, path: Path) -> Progress:
    for _, events, _ in journal.read_events(path, offset):
        for event in events:
            progress.apply(event)
    return progress


def _results(proof: Proof) -> None:
    path, progress = proof.path / RESULTS, proof.progress
    assert progress is not None
    known: dict[int, tuple[int, int]] = {
        offset: (n, progress.tries[n]) for n, offset in enumerate(progress.offsets) if offset >= 0
    }
    sealed = False
    end = cost = 0
    for number, offset, line in numbered(path):
        end = offset + len(line) + 1
        if not line or (number == 1 and line.startswith(b'{"schema"')):
            continue
        owner = known.pop(offset, None)
        try:
            sealed = seals.next_is_sealed(line, sealed)
            stored = results.decode(line)
        except (ValueError, RecursionError, msgspec.ValidationError) as fault:
            job = owner[0] if owner else None
            proof.unreadable.append((offset, len(line)))
            proof.add(RESULTS, f"the result cannot be trusted ({str(fault)[:120]})", number, job)
            if job is not None:
                proof.lost.append(job)
            continue
        unknown = stored.sub is not None and stored.sub not in progress.submissions
        if unknown and offset >= proof.settled:
            proof.lines_lost = True
            proof.add(
                JOURNAL, f"does not know submission {stored.sub}, of which {RESULTS}:{number} is a result"
            )
        if owner and owner[0] != stored.n:
            proof.add(
                RESULTS,
                f"is of job {stored.n + 1} where the journal has job {owner[0] + 1}",
                number,
                owner[0],
            )
            proof.lost.append(owner[0])
        if offset >= progress.results_end or (owner is None and not _earlier(progress, stored, offset)):
            proof.unjournaled.append(offset)
        cost += round((stored.cost_usd or 0) * NANO)
    _torn(proof, RESULTS, end)
    if known:
        gone = sorted(n for n, _ in known.values())
        proof.lost += gone
        are = "is" if len(gone) == 1 else "are"
        told = f"{counted(len(gone), 'result')} that the journal names {are} not there"
        proof.add(RESULTS, told, None, gone[0])
    if proof.unjournaled:
        count = len(proof.unjournaled)
        stand = "stands" if count == 1 else "stand"
        proof.add(JOURNAL, f"does not know {counted(count, 'result')} that {stand} in {RESULTS}")
    if not proof.of(RESULTS) and not proof.of(JOURNAL) and cost != progress.cost_nano:
        proof.add(
            RESULTS,
            f"its costs add up to ${cost / NANO:.6f} where the journal has ${progress.cost_nano / NANO:.6f}",
        )


def _earlier(progress: Progress, stored: results.StoredResult, offset: int) -> bool:
    """Whether it is a result of an attempt before the one that counts, or of no job of this batch."""
    return not 0 <= stored.n < progress.total or progress.offsets[stored.n] > offset


def _checkpoint(proof: Proof) -> None:
    path, header, progress = proof.path / CHECKPOINT, proof.header, proof.progress
    if not path.is_file() or header is None or progress is None or proof.of(JOURNAL):
        return
    loaded = checkpoint.load(path, header.total)
    if loaded is None and checkpoint.is_of_before(path, header.total):
        return
    if loaded is None:
        proof.add(CHECKPOINT, "cannot be used; it is made again from the journal")
        return
    if picture(_folded_on(*loaded, proof.path / JOURNAL)) != picture(progress):
        proof.add(CHECKPOINT, "says something else than the journal; it is made again from there")


def picture(progress: Progress) -> tuple[object, ...]:
    """What two ways to the same state must agree in."""
    return (
        bytes(progress.states), progress.tries.tolist(), progress.offsets.tolist(), progress.errors, progress.cost_nano,
        progress.tokens_in, progress.tokens_out, progress.results_end, progress.submissions, progress.attention,
    )  # fmt: skip


def _inbox(proof: Proof) -> None:
    """Commands that were obeyed are no more than history; the file is held to its length, by which later ones count."""
    obeyed = proof.progress.inbox_end if proof.progress else 0
    numbers = {
        offset + len(line) + 1: (number, offset) for number, offset, line in numbered(proof.path / INBOX)
    }
    for end, command in inbox.read(proof.path, 0) if numbers else ():
        if command is None and end in numbers:
            number, offset = numbers[end]
            proof.nonsense.append((offset, end - offset - 1))
            proof.add(INBOX, "makes no sense, and is passed over", number)
    _torn(proof, INBOX, max(numbers, default=0))
    if max(numbers, default=0) < obeyed:
        proof.add(
            INBOX,
            f"lines are lost: {obeyed:,} bytes of it were obeyed, and it has {max(numbers, default=0):,}",
        )


def _labels(proof: Proof) -> None:
    """What a person said of results bears no checksum; a line that is no label says nothing."""
    end = 0
    for number, offset, line in numbered(proof.path / LABELS):
        end = offset + len(line) + 1
        try:
            if line:  # as a repair leaves it
                labels.decode(line)
        except (ValueError, RecursionError) as fault:
            proof.mislabelled.append((offset, len(line)))
            proof.add(LABELS, f"is no label ({cell(fault, 100)})", number)
    _torn(proof, LABELS, end)


def _shortened(faults: list[Fault]) -> list[Fault]:
    """At most so many of a file, with a count of the others."""
    by_file: dict[str, list[Fault]] = {}
    for fault in faults:
        by_file.setdefault(fault.file, []).append(fault)
    kept: list[Fault] = []
    for file, found in by_file.items():
        kept += found[:_MOST]
        if len(found) > _MOST:
            kept.append(Fault(file, f"and {len(found) - _MOST:,} faults more"))
    return kept
