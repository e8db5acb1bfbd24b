"""Mending a stored batch, when somebody asks for it: what can be made again is, what cannot is set aside, nothing is deleted.

The header comes from the journal, the columns from the newest of checkpoint and journal and from the results that stand
whole in results.jsonl; the journal is carried on with all of it in one `restored` event. A submission whose results are
damaged or lost counts as ended and not collected, so that they are brought home again; nothing of it is sent anew. Where
lines of the journal are gone that may have told of a submission, the batch only follows until a person takes it over.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.amounts import NANO
from batchtui.durable import sync_file, sync_folder
from batchtui.errors import Locked, StoreDamaged
from batchtui.masking import holds_key
from batchtui.model import JobRecord, JobState, SubmissionState
from batchtui.store import home
from batchtui.store.disk import ranges
from batchtui.store.disk.lines import AppendFile
from batchtui.store.files import checkpoint, inbox, journal, labels, results
from batchtui.store.files.header import BatchHeader, read_header, write_header
from batchtui.store.files.header_changes import changes, header_of, journaled
from batchtui.store.files.jobs import JobWriter
from batchtui.store.files.lock import DriveLock
from batchtui.store.files.results import StoredResult
from batchtui.store.fold.progress import CODE, PROCESSING, Progress
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import (
    CHECKPOINT,
    HEADER,
    INBOX,
    JOBS,
    JOURNAL,
    LABELS,
    RESULTS,
    Proof,
    prove,
)
from batchtui.store.health.strays import why_it_follows
from batchtui.store.health.versions import refuse_newer

_FILES = (HEADER, JOBS, JOURNAL, RESULTS, CHECKPOINT, INBOX, LABELS)


@dataclass(slots=True)
class Repaired:
    """What was done, in words, and what cannot be; `collect` are submissions whose results are to be brought home."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    collect: list[int] = field(default_factory=list)


def repair(path: Path) -> Repaired:
    """Mend the batch in that folder. Raises Locked while somebody drives it, StoreDamaged, StoreFull."""
    lock = DriveLock(path)
    if not lock.take():
        raise Locked(f"batch {path.name} is driven by another process; quit that first")
    try:
        repaired = Repaired()
        refuse_newer(path)
        known = _home(path)
        for name in _FILES:
            _make_a_file(path / name, repaired)
        proof = prove(path)
        if proof.of(LABELS):
            _blank(path / LABELS, proof.mislabelled, "label", repaired)
            labels.cut_torn_tail(path / LABELS)
            proof.faults = [fault for fault in proof.faults if fault.file != LABELS]
        if proof.sound and (known is None or home.is_at(known, path)):
            return repaired
        header = _header(proof, repaired)
        _jobs(proof, header, repaired)
        if known is not None:
            header.home = home.moved_in(known, path)
        _columns(proof, header, repaired)
        sync_folder(path)
        return repaired
    finally:
        lock.release()


def _home(path: Path) -> home.Home | None:
    """The batch's home where these are its files, which a repair may write anew; a copy stays one."""
    with contextlib.suppress(StoreDamaged):
        known = header_of(path).home
        if known is not None and (home.is_at(known, path) or home.was_set_aside(known, path)):
            return known
    return None


def _set_aside(path: Path, repaired: Repaired) -> None:
    number, name = 1, f"{path.name}.damaged"
    while os.path.lexists(path.with_name(name)):
        number += 1
        name = f"{path.name}.damaged-{number}"
    path.rename(path.with_name(name))
    repaired.done.append(f"{path.name} as it was is kept as {name}")


def _make_a_file(path: Path, repaired: Repaired) -> None:
    """What stands in a file's place is set aside; a link's own contents are taken in."""
    if path.is_symlink():
        target = path.resolve()
        _set_aside(path, repaired)
        if target.is_file():
            shutil.copyfile(target, path)
            path.chmod(0o600)
            repaired.done.append(f"{path.name} is a file again, with what the link led to")
    elif os.path.lexists(path) and not path.is_file():
        _set_aside(path, repaired)


def _header(proof: Proof, repaired: Repaired) -> BatchHeader:
    if not proof.of(HEADER):
        return read_header(proof.path)
    known, cause = journaled(proof.path), proof.of(HEADER)[0].cause
    if known is None or known.id != proof.path.name:
        raise StoreDamaged(
            f"{proof.path / HEADER}: cannot be made again: {cause}, and the journal does not have it"
        )
    with contextlib.suppress(FileNotFoundError):
        _set_aside(proof.path / HEADER, repaired)
    write_header(proof.path, known)
    repaired.done.append(f"{HEADER} was made again from the journal")
    return known


# ---- jobs


def _jobs(proof: Proof, header: BatchHeader, repaired: Repaired) -> None:
    """Write every job that can be read once more; a lost one keeps its number, and its id where a result names it."""
    if not proof.of(JOBS):
        return
    folder = BatchFolder(proof.path)
    named = _ids_of_results(proof.path)
    fresh = proof.path / f".{JOBS}.new"
    fresh.unlink(missing_ok=True)  # of a repair that was cut short
    writer = JobWriter(fresh)
    lost = 0
    for n, placeholder in enumerate(folder.jobs.ids):
        try:
            record = folder.jobs.record(n)
        except StoreDamaged:
            lost += 1
            record = JobRecord(n=n, id=named.get(n, placeholder), lost=True)
        writer.add(record)
    writer.close()
    with contextlib.suppress(FileNotFoundError):
        _set_aside(proof.path / JOBS, repaired)
    fresh.rename(proof.path / JOBS)
    if lost:
        repaired.left.append(
            "the row of 1 job is lost; its result is kept, and it is not sent"
            if lost == 1
            else f"the rows of {lost:,} jobs are lost; their results are kept, and none of them is sent"
        )
    repaired.done.append(f"{JOBS} was written again")


def _ids_of_results(path: Path) -> dict[int, str]:
    return {stored.n: stored.job_id for _, _, stored in results.read_after(path / RESULTS, 0) if stored}


# ---- the journal's columns


def _columns(proof: Proof, header: BatchHeader, repaired: Repaired) -> None:
    path = proof.path
    folder = BatchFolder(path)
    progress = folder.progress
    if folder.progress.total < len(folder.jobs):
        raise StoreDamaged(f"{path / JOBS}: holds more jobs than the journal knows of")
    _blank(path / RESULTS, proof.unreadable, "result", repaired)
    if proof.of(INBOX):
        _inbox(proof, progress, repaired)
    with contextlib.closing(AppendFile(path / RESULTS)) as file:
        file.cut_torn_tail()
        if file.size == 0:
            file.append(results.FIRST_LINE)
        if file.size < progress.results_end:  # offsets only ever grow
            file.append(b"\n" * (progress.results_end - file.size))
        file.sync()
        end = file.size
    taken = _take_in_results(path, progress, end)
    if taken:
        what = "1 result" if taken == 1 else f"{taken:,} results"
        there = "is in it again" if taken == 1 else "are in it again"
        repaired.done.append(f"{what} that the journal did not know {there}")
    _give_back(proof.lost, progress, repaired)
    _unsendable(folder, progress)
    behind = why_it_follows(path, header, progress.seq)
    if proof.lines_lost and header.remote:
        behind = "lines of its journal were lost that may have told of a submission"
    if behind and header.follows is None:
        header.follows = behind
        repaired.left.append(
            "what was sent cannot be told for certain, so nothing is sent: it follows and collects, until "
            f"`batchtui resolve {header.id} take-over` says that it may send again"
        )
    book = journal.Journal(path / JOURNAL, progress.seq)
    with contextlib.closing(book.file):
        header.seq = book.seq + 1
        progress.header |= changes(header, progress.header)
        progress.header_seq = header.seq
        why = "; ".join(str(fault) for fault in proof.faults)[:500]
        columns = checkpoint.document(progress, book.file.size)
        progress.apply(book.append({"event": journal.RESTORED, "why": why, "columns": columns}))
        book.file.sync()
        write_header(path, header)
        checkpoint.save(path / CHECKPOINT, checkpoint.line(progress, book.file.size))
    repaired.done.append(f"{JOURNAL} goes on with all that is known, and {CHECKPOINT} was made again")


def _inbox(proof: Proof, progress: Progress, repaired: Repaired) -> None:
    """Commands that nobody can read are set aside; those to come are counted from where the journal stands."""
    path = proof.path / INBOX
    _blank(path, proof.nonsense, "command", repaired)
    with contextlib.closing(AppendFile(path)) as file:
        file.cut_torn_tail()
        inbox.make_up(file, progress.inbox_end)
        file.sync()


def _blank(path: Path, lines: Sequence[tuple[int, int]], what: str, repaired: Repaired) -> None:
    """Keep lines that cannot be trusted beside the file, and leave empty ones in their places: offsets stay."""
    if not lines:
        return
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        with contextlib.closing(AppendFile(path.with_name(f"{path.name}.damaged"))) as aside:
            for offset, length in lines:
                aside.append(os.pread(fd, length, offset) + b"\n")
            aside.sync()
        for offset, length in lines:
            os.pwrite(fd, b"\n" * length, offset)
        sync_file(fd, path)
    finally:
        os.close(fd)
    count = len(lines)
    those = (
        f"1 {what} that cannot be trusted is"
        if count == 1
        else f"{count:,} {what}s that cannot be trusted are"
    )
    repaired.done.append(f"{those} kept in {path.name}.damaged")


def _take_in_results(path: Path, progress: Progress, end: int) -> int:
    """Count every whole result once: figures are what the stored lines add up to. How many were not known."""
    taken = 0
    progress.cost_nano = progress.unpriced = progress.tokens_in = progress.tokens_out = 0
    progress.priced = False
    progress.keyed.clear()
    for submission in progress.submissions.values():
        submission.cost_nano, submission.priced = 0, False
    for offset, _, stored in results.read_after(path / RESULTS, 0):
        if stored is None or not 0 <= stored.n < progress.total:
            continue
        _count(progress, stored)
        if offset > progress.offsets[stored.n]:
            taken += 1
            progress.offsets[stored.n] = offset
            progress.states[stored.n] = CODE[stored.state]
            progress.tries[stored.n] = max(progress.tries[stored.n], stored.tries)
            progress.note_error(stored.n, stored.error_kind, stored.error)
        if offset == progress.offsets[stored.n] and holds_key(results.encode(stored)):
            progress.keyed.add(stored.n)
    progress.results_end = end
    return taken


def _count(progress: Progress, stored: StoredResult) -> None:
    progress.tokens_in += stored.input_tokens or 0
    progress.tokens_out += stored.output_tokens or 0
    if stored.cost_usd is None:
        progress.unpriced += bool(stored.input_tokens or stored.output_tokens)
        return
    nano = round(stored.cost_usd * NANO)
    progress.cost_nano += nano
    progress.priced = True
    if submission := progress.submissions.get(stored.sub if stored.sub is not None else -1):
        submission.cost_nano += nano
        submission.priced = True


def _give_back(lost: Iterable[int], progress: Progress, repaired: Repaired) -> None:
    """Jobs whose result is gone: their submission is to be collected again; of work done here it is said."""
    gone = set(lost)
    for submission in reversed(progress.submissions.values()):
        mine = gone.intersection(ranges.decode(submission.jobs))
        if mine and submission.made:
            for n in mine:
                progress.states[n], progress.offsets[n] = PROCESSING, -1
                progress.errors.pop(n, None)
            submission.state, progress.ended = SubmissionState.ENDED, None
            submission.homing = True  # known from now on, should this end before they are home
            repaired.collect.append(submission.id)
            gone -= mine
    for n in gone:
        progress.states[n], progress.offsets[n] = CODE[JobState.FAILED], -1
        progress.note_error(
            n, "damaged", "its stored result is damaged, and there is nowhere to get it from again"
        )
    if gone:
        repaired.left.append(
            "1 result is lost; `batchtui retry` does that job again"
            if len(gone) == 1
            else f"{len(gone):,} results are lost; `batchtui retry` does those jobs again"
        )


def _unsendable(folder: BatchFolder, progress: Progress) -> None:
    """Jobs without a row cannot be sent."""
    for n in progress.numbers(JobState.PENDING):
        if folder.jobs.record(n).lost:
            progress.states[n] = CODE[JobState.FAILED]
            progress.note_error(n, "lost", "its row is lost, so it cannot be sent")
