"""One batch's folder, written: whoever holds the lock journals here, and only here."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from batchtui.errors import Locked, StoreDamaged
from batchtui.masking import holds_key, mask
from batchtui.model import JobRecord, JobState, Json, Outcome, SubmissionState
from batchtui.store import home
from batchtui.store.disk import ranges
from batchtui.store.disk.clock import now
from batchtui.store.disk.commit import Committer
from batchtui.store.disk.lines import AppendFile, StoreFull, sweep_temporary
from batchtui.store.files import checkpoint, digests, inbox, journal, results
from batchtui.store.files.header import write_header
from batchtui.store.files.header_changes import changes
from batchtui.store.files.jobs import job_line
from batchtui.store.files.lock import DriveLock
from batchtui.store.files.results import StoredResult
from batchtui.store.files.tally import Tally
from batchtui.store.folder import BatchFolder
from batchtui.store.health.strays import why_it_follows

CHECKPOINT_EVENTS = 10_000
"""Events after which the columns are saved; more for a large batch, so that saving stays a constant share."""


class BatchWriter:
    """Takes the lock, repairs what a crash left, and appends. Every change reaches the file before the columns."""

    def __init__(self, folder: BatchFolder, committer: Committer, changed: Callable[[str], None]) -> None:
        """Raises Locked where another process drives the batch, StoreDamaged where its journal cannot be trusted,

        StoreFull where there is no space to say who drives.
        """
        self.folder = folder
        self._committer = committer
        self._changed = changed
        self._lock = DriveLock(folder.path)
        if not self._lock.take():
            raise Locked(f"batch {folder.id} is driven by another process")
        with contextlib.ExitStack() as undo:
            undo.callback(self._lock.release)
            sweep_temporary(folder.path)
            folder.refresh()
            _ = folder.progress
            if folder.damage:
                raise StoreDamaged(
                    f"{folder.damage[0]}; batch {folder.id} is only read until that is settled", proves=True
                )
            follows = why_it_follows(folder.path, folder.header, folder.progress.seq)
            self._journal = journal.Journal(
                folder.path / "events.jsonl", folder.progress.seq, folder.progress.last_time
            )
            undo.callback(self._release_file, self._journal.file)
            folder.refresh()
            self._results = AppendFile(folder.path / "results.jsonl")
            undo.callback(self._release_file, self._results)
            self._results.cut_torn_tail()
            if self._results.size == 0:
                self._results.append(results.FIRST_LINE)
            self._since_checkpoint = 0
            self._tally = Tally(folder.id)
            undo.callback(self._tally.close)
            self._settle_home(follows)
            self.given_up: frozenset[int] = frozenset()
            """Jobs whose results were found lost as it was opened, though the backend was done with them."""
            self._give_up_lost_results()
            self._recover_results()
            self.record("driver", pid=os.getpid())
            if not folder.progress.header:
                self.save_header()
            undo.pop_all()

    def _settle_home(self, follows: str | None) -> None:
        """Say that this store only follows, for whatever comes; one of before homes were told is where it lies."""
        header = self.folder.header
        if follows and not header.follows:
            header.follows = follows
        elif header.home is None:
            with contextlib.suppress(OSError):
                header.home = home.settle(self.folder.path)
        else:
            return
        self.save_header()

    def take_home(self) -> None:
        """This store is the one that sends from now on, and any other that comes later is told so. Raises StoreFull."""
        header = self.folder.header
        header.home = home.settle(self.folder.path)
        self._tally.note(header.home.mark, self.folder.progress.seq)
        header.follows, header.taking_over = None, False
        self.save_header()

    def restore(self, why: str) -> None:
        """Write all columns into the journal as they are known here: what is damaged or lost before no longer matters."""
        progress = self.folder.progress
        columns = checkpoint.document(progress, self._journal.file.size)
        self.record(journal.RESTORED, why=why, columns=columns)

    def _release_file(self, file: AppendFile) -> None:
        self._committer.forget(file)
        file.close()

    def _give_up_lost_results(self) -> None:
        """The journal may reach the disk before the results it points at, and then the power fails.

        What a backend still holds is collected again, and what was done here is done again, counted; the rest failed.
        Offsets only ever grow, so the gap stays.
        """
        progress, size = self.folder.progress, self._results.size
        if size >= progress.results_end:
            return
        lost = [n for n, offset in enumerate(progress.offsets) if offset >= size]
        sent: set[int] = set()
        held: set[int] = set()
        for submission in progress.submissions.values():
            sent.update(ranges.decode(submission.jobs))
            if submission.state is not SubmissionState.COLLECTED:
                held.update(ranges.decode(submission.jobs))
        self._results.append(b"\n" * (progress.results_end - size))
        again = [n for n in lost if n in held]
        direct = set() if self.folder.header.remote else set(lost) - sent
        failed = [n for n in lost if n not in held and n not in direct]
        if again:
            self.record("mark", jobs=ranges.encode(again), state=JobState.PROCESSING, gone=True)
        if direct:
            facts = {"gone": True, "maybe_twice": len(direct)}
            self.record("mark", jobs=ranges.encode(sorted(direct)), state=JobState.PENDING, **facts)
        self.given_up = frozenset(failed)
        if failed:
            self.record(
                "mark", jobs=ranges.encode(failed), state=JobState.FAILED, gone=True, error_kind="lost",
                error=f"its result was lost when the machine stopped; batchtui collect {self.folder.id} fetches it again",
            )  # fmt: skip

    def _recover_results(self) -> None:
        """Journal results that were stored but not yet journaled when the last driver died."""
        end = self.folder.progress.results_end
        for at, length, stored in results.read_after(self._results.path, end):
            if stored is not None and 0 <= stored.n < self.folder.progress.total:
                self._result_event(stored, at, length, keyed=holds_key(results.encode(stored)))

    # ---- events

    def record(self, event: str, **facts: Json) -> None:
        """Journal an event and take it in. Raises StoreFull."""
        written = self._journal.append({"event": event, **facts})
        with self.folder.lock:
            self.folder.progress.apply(written)
            self.folder.journal_end = self._journal.file.size
        self._committer.soon(self._journal.file)
        self._since_checkpoint += 1
        self._changed(self.folder.id)

    async def record_durably(self, event: str, **facts: Json) -> None:
        """`record`, and wait until it is on the disk. Raises StoreFull, OSError."""
        self.record(event, **facts)
        await self.commit()

    async def commit(self) -> None:
        """Wait until all that was recorded is on the disk. Raises OSError."""
        await asyncio.wrap_future(self._committer.now(self._results, self._journal.file))

    async def record_intent(self, **facts: Json) -> None:
        """What is about to be sent, durably, and then in the second place as well. Raises StoreFull, OSError."""
        self.record("intent", **facts)
        seq = self.folder.progress.seq
        await self.commit()
        if known := self.folder.header.home:
            await asyncio.to_thread(self._tally.note, known.mark, seq)

    def store(self, n: int, tries: int, job_id: str, outcome: Outcome, **extra: Json) -> None:
        """Append a result, then the event that points at it."""
        fields = {name: getattr(outcome, name) for name in outcome.__struct_fields__}
        stored = StoredResult(n=n, tries=tries, job_id=job_id, ended=now(), **fields, **extra)
        line = results.encode(stored)
        at = self._results.append(line)
        self._committer.soon(self._results)
        self._result_event(stored, at, len(line), keyed=holds_key(line))

    def _result_event(self, stored: StoredResult, at: int, length: int, *, keyed: bool) -> None:
        facts: dict[str, Json] = {
            "n": stored.n,
            "try": stored.tries,
            "state": stored.state,
            "at": at,
            "len": length,
        }
        optional = {
            "in": stored.input_tokens,
            "out": stored.output_tokens,
            "cost": stored.cost_usd,
            "error_kind": stored.error_kind,
            "error": mask(stored.error)[:200] if stored.error else None,
            "key": keyed or None,
            "sub": stored.sub,
        }
        facts |= {key: value for key, value in optional.items() if value is not None}
        self.record("result", **facts)

    def mend_jobs(self) -> None:
        """Drop the half line that a crash in `grow` may have left."""
        with contextlib.closing(AppendFile(self.folder.path / "jobs.jsonl")) as file:
            file.cut_torn_tail()

    def drop_unborn(self) -> None:
        """Cut jobs that were written down, and not yet said to be born when the last driver died."""
        self.mend_jobs()
        folder = self.folder
        folder.forget_jobs()
        total = max(folder.progress.total, folder.header.total)
        if len(folder.jobs) > total:
            os.truncate(folder.path / "jobs.jsonl", folder.jobs.offset(total))
            folder.forget_jobs()

    def grow(self, sub: int, records: Sequence[JobRecord], *, more: bool = False) -> None:
        """Add jobs that only the backend of this submission knew of; `more` may come. Raises StoreFull.

        After a crash half way it is called again, once `mend_jobs` was, without those that jobs.jsonl holds by then.
        """
        folder = self.folder
        with contextlib.closing(AppendFile(folder.path / "jobs.jsonl")) as file:
            file.append(b"".join(map(job_line, records)))
            file.sync()
        folder.forget_jobs()
        first, total = folder.progress.total, len(folder.jobs)
        if total > first:
            self.record("born", sub=sub, total=total, jobs=ranges.encode(range(first, total)))
        folder.header.total, folder.header.growing = total, more
        self.save_header()

    def add(self, records: Sequence[JobRecord], lines: Sequence[bytes]) -> list[int]:
        """Take in jobs that a person gave after the batch was made, those that are not there yet; their numbers.

        `lines` are their digests. A crash half way leaves nothing of them, and the command is obeyed again. Raises
        StoreFull.
        """
        folder = self.folder
        if not folder.header.joined:
            folder.header.joined = True
            self.save_header()
        self.drop_unborn()
        known, first = set(folder.jobs.ids), len(folder.jobs)
        new = [(one, line) for one, line in zip(records, lines, strict=True) if one.id not in known]
        for n, (record, _) in enumerate(new, first):
            record.n = n
        if new:
            told = digests.read(folder.path, first)
            with contextlib.closing(AppendFile(folder.path / "jobs.jsonl")) as file:
                file.append(b"".join(job_line(record) for record, _ in new))
                file.sync()
            folder.forget_jobs()
            self.record("added", total=first + len(new))
            if told is not None:
                digests.write(folder.path, [*told, *(line for _, line in new)])
        folder.header.total = folder.progress.total
        self.save_header()
        return list(range(first, first + len(new)))

    # ---- header, inbox, checkpoint

    def save_header(self) -> None:
        """Journal what changed in the header, then put it on the disk. Raises StoreFull."""
        header = self.folder.header
        if changed := changes(header, self.folder.progress.header):
            self.record("header", set=changed)
            header.seq = self.folder.progress.header_seq
        write_header(self.folder.path, header)
        self.folder._header_stamp = self.folder._stat("batch.json")
        self._changed(self.folder.id)

    def new_commands(self) -> list[tuple[int, inbox.Command | None]]:
        """Commands not yet obeyed, each with the offset to journal (`inbox`) once it is."""
        path = self.folder.path / "inbox.jsonl"
        try:
            if path.stat().st_size <= self.folder.progress.inbox_end:
                return []
        except FileNotFoundError:
            return []
        return list(inbox.read(self.folder.path, self.folder.progress.inbox_end))

    def checkpoint_if_due(self) -> None:
        if self._since_checkpoint > max(CHECKPOINT_EVENTS, self.folder.progress.total // 4):
            self.checkpoint()

    def checkpoint(self) -> Future[None]:
        """Save the columns, so that reopening reads only what came after; without space it is left for later.

        It is written once the journal is on the disk: a journal that is shorter than it says has lost lines. What is
        answered is done when that is over.
        """
        self._since_checkpoint = 0
        path = self.folder.path / "checkpoint.json"
        line = checkpoint.line(self.folder.progress, self._journal.file.size)

        over: Future[None] = Future()

        def write(synced: Future[None]) -> None:
            if synced.exception() is None:
                with contextlib.suppress(StoreFull):
                    checkpoint.save(path, line)
            over.set_result(None)

        self._committer.now(self._results, self._journal.file).add_done_callback(write)
        return over

    def heartbeat(self) -> None:
        """Tell the others who drives, and what stands in the way."""
        self._lock.heartbeat(self.folder.standing.values())

    def close(self) -> None:
        """Commit, save the columns, let go of the lock, whatever the disk says. Raises OSError."""
        with contextlib.ExitStack() as after:
            after.callback(self._changed, self.folder.id)
            after.callback(self._lock.release)
            after.callback(self._release_file, self._journal.file)
            after.callback(self._release_file, self._results)
            after.callback(self._tally.close)
            for file in (self._results, self._journal.file):
                self._committer.forget(file)
                file.sync()
            header = self.folder.header
            if (
                header.home and not header.remote and not header.follows
            ):  # no intent told of what was done here
                self._tally.note(header.home.mark, self.folder.progress.seq)
            if self._since_checkpoint:
                with contextlib.suppress(StoreFull):
                    line = checkpoint.line(self.folder.progress, self._journal.file.size)
                    checkpoint.save(self.folder.path / "checkpoint.json", line)
