"""One batch's folder, written: whoever holds the lock journals here, and only here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from batchtui.errors import Locked, StoreDamaged
from batchtui.model import Json, Outcome
from batchtui.store import checkpoint, inbox, journal, results
from batchtui.store.clock import now
from batchtui.store.commit import Committer
from batchtui.store.folder import BatchFolder
from batchtui.store.header import write_header
from batchtui.store.lines import AppendFile
from batchtui.store.lock import DriveLock
from batchtui.store.results import StoredResult

CHECKPOINT_EVENTS = 10_000
"""Events after which the columns are saved; more for a large batch, so that saving stays a constant share."""


class BatchWriter:
    """Takes the lock, repairs what a crash left, and appends. Every change reaches the file before the columns."""

    def __init__(self, folder: BatchFolder, committer: Committer, changed: Callable[[str], None]) -> None:
        """Raises Locked where another process drives the batch, StoreDamaged where its journal cannot be trusted."""
        self.folder = folder
        self._committer = committer
        self._changed = changed
        self._lock = DriveLock(folder.path)
        if not self._lock.take():
            raise Locked(f"batch {folder.id} is driven by another process")
        try:
            folder.refresh()
            if folder.damage:
                raise StoreDamaged(
                    f"{folder.damage[0]}; batch {folder.id} is only read until that is settled"
                )
            self._journal = journal.Journal(folder.path / "events.jsonl", folder.progress.seq)
            folder.refresh()
            self._results = AppendFile(folder.path / "results.jsonl")
            self._results.cut_torn_tail()
            if self._results.size == 0:
                self._results.append(results.FIRST_LINE)
            self._since_checkpoint = 0
            self._recover_results()
        except BaseException:
            self._lock.release()
            raise
        self.record("driver", pid=os.getpid())

    def _recover_results(self) -> None:
        """Journal results that were stored but not yet journaled when the last driver died."""
        end = self.folder.progress.results_end
        for at, length, stored in results.read_after(self._results.path, end):
            if stored is not None and 0 <= stored.n < self.folder.progress.total:
                self._result_event(stored, at, length)

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
        await asyncio.wrap_future(self._committer.now(self._results, self._journal.file))

    def store(self, n: int, tries: int, job_id: str, outcome: Outcome, **extra: Json) -> None:
        """Append a result, then the event that points at it."""
        fields = {name: getattr(outcome, name) for name in outcome.__struct_fields__}
        stored = StoredResult(n=n, tries=tries, job_id=job_id, ended=now(), **fields, **extra)
        line = results.encode(stored)
        at = self._results.append(line)
        self._committer.soon(self._results)
        self._result_event(stored, at, len(line))

    def _result_event(self, stored: StoredResult, at: int, length: int) -> None:
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
            "error": stored.error[:200] if stored.error else None,
            "sub": stored.sub,
        }
        facts |= {key: value for key, value in optional.items() if value is not None}
        self.record("result", **facts)

    # ---- header, inbox, checkpoint

    def save_header(self) -> None:
        """Put the header's flags on the disk."""
        write_header(self.folder.path, self.folder.header)
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

    def checkpoint(self) -> None:
        """Save the columns, so that reopening reads only what came after."""
        checkpoint.save(self.folder.path / "checkpoint.json", self.folder.progress, self._journal.file.size)
        self._since_checkpoint = 0

    def heartbeat(self) -> None:
        self._lock.heartbeat()

    def close(self) -> None:
        """Commit, save the columns, let go of the lock."""
        for file in (self._results, self._journal.file):
            self._committer.forget(file)
            file.sync()
        if self._since_checkpoint:
            self.checkpoint()
        self._results.close()
        self._journal.file.close()
        self._lock.release()
        self._changed(self.folder.id)
