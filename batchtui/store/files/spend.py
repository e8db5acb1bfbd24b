"""spend.jsonl: what each batch has reserved and spent, for the limits that hold over all batches and processes.

A line sets facts of one batch to what they are, never by how much they changed: written twice, or again after a
crash, it counts once. `claims` are reservations in flight (null: settled), `spent` is what the batch's stored rows
cost on that `day` (UTC). Amounts are billionths of a dollar. Whoever looks and writes holds spend.lock meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.durable import sync_folder
from batchtui.errors import StoreDamaged
from batchtui.store.disk import clock
from batchtui.store.disk.lines import AppendFile, read_slices, replace_file

SCHEMA = 1
LOCK_SECONDS = 20.0
COMPACT_BYTES = 4_000_000
_BEFORE = "0000-00-00"
"""Stands for all the days that no limit looks at any more."""


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money and tokens in flight; `pool` names the queue at a provider that the tokens stand in."""

    nano: int = 0
    pool: str = ""
    tokens: int = 0


class SpendLine(msgspec.Struct, omit_defaults=True):
    batch: str = ""
    time: str = ""
    day: str = ""
    spent: int = 0
    claims: dict[str, Claim | None] = {}
    pools: dict[str, int] = {}
    """Sizes of queues that a provider told us when it refused more."""
    schema: int = 0


@dataclass(slots=True)
class Ledger:
    """The lines, folded."""

    claims: dict[str, dict[str, Claim]] = field(default_factory=dict)
    spent: dict[str, dict[str, int]] = field(default_factory=dict)
    """By batch, by day."""
    pools: dict[str, int] = field(default_factory=dict)

    def apply(self, line: SpendLine) -> None:
        self.pools.update(line.pools)
        if not line.batch:
            return
        if line.day:
            self.spent.setdefault(line.batch, {})[line.day] = line.spent
        for key, claim in line.claims.items():
            if claim is None:
                self.claims.get(line.batch, {}).pop(key, None)
            else:
                self.claims.setdefault(line.batch, {})[key] = claim
        if not self.claims.get(line.batch, True):
            del self.claims[line.batch]

    def spent_on(self, day: str) -> int:
        return sum(days.get(day, 0) for days in self.spent.values())

    def claimed(self, wanted: Callable[[str], bool] = lambda batch: True) -> int:
        """Reserved and not yet settled, by the batches that are wanted."""
        return sum(
            claim.nano for batch, own in self.claims.items() if wanted(batch) for claim in own.values()
        )

    def queued(self, pool: str, wanted: Callable[[str], bool] = lambda batch: True) -> int:
        """Tokens that stand in this queue."""
        return sum(
            claim.tokens
            for batch, own in self.claims.items()
            if wanted(batch)
            for claim in own.values()
            if claim.pool == pool
        )


class SpendFile:
    """The file of one data folder. Every call blocks (lock, fsync): not for the event loop."""

    def __init__(self, data_dir: Path, now: Callable[[], str] = clock.now) -> None:
        self.path = data_dir / "spend.jsonl"
        self._lock_path = data_dir / "spend.lock"
        self._now = now
        self._mutex = threading.Lock()
        self._ledger = Ledger()
        self._end = 0
        self._file_id: tuple[int, int] | None = None

    @property
    def today(self) -> str:
        return self._now()[:10]

    def stamp(self) -> tuple[int, int, str]:
        """Changes when anything in the file does, or the day."""
        try:
            stat = os.stat(self.path)
        except OSError:
            return (0, 0, self.today)
        return (stat.st_ino, stat.st_size, self.today)

    @property
    def pools(self) -> dict[str, int]:
        """Sizes of queues as they were when the file was last read; does not block."""
        return self._ledger.pools

    def read(self) -> Ledger:
        """The ledger as it stands; not to be changed. Raises StoreDamaged."""
        with self._mutex:
            self._refresh()
            return self._ledger

    @contextlib.contextmanager
    def held(self) -> Iterator[Held]:
        """Look and write undisturbed. What was written is on the disk at the end. Raises StoreDamaged, StoreFull."""
        from filelock import FileLock, Timeout

        with self._mutex:
            lock = FileLock(self._lock_path, mode=0o600, thread_local=False)
            try:
                lock.acquire(timeout=LOCK_SECONDS, poll_interval=0.005)
            except Timeout:
                raise StoreDamaged(f"{self._lock_path}: held by another process for too long") from None
            except (OSError, NotImplementedError) as fault:
                raise StoreDamaged(f"{self._lock_path}: cannot be locked ({fault})") from fault
            try:
                self._refresh()
                held = Held(self._ledger, self.today)
                yield held
                if held.lines:
                    self._append(held.lines)
            except BaseException:
                self._file_id = None  # what was folded but not written is forgotten
                raise
            finally:
                lock.release()

    def _refresh(self) -> None:
        try:
            stat = os.stat(self.path)
        except FileNotFoundError:
            self._ledger, self._end, self._file_id = Ledger(), 0, None
            return
        if self._file_id != (stat.st_dev, stat.st_ino) or stat.st_size < self._end:
            self._ledger, self._end, self._file_id = Ledger(), 0, (stat.st_dev, stat.st_ino)
        if stat.st_size == self._end:
            return
        for start, lines in read_slices(self.path, self._end):
            for line in lines:
                self._take(line)
            self._end = start + sum(map(len, lines)) + len(lines)

    def _take(self, line: bytes) -> None:
        try:
            found = typed.decode(line, SpendLine)
        except (msgspec.DecodeError, RecursionError):
            return  # torn by a crash, and therefore never relied on
        if found.schema > SCHEMA:
            raise StoreDamaged(
                f"{self.path}: written by a newer batchtui (schema {found.schema}); update to spend money with it"
            )
        self._ledger.apply(found)

    def _append(self, lines: list[SpendLine]) -> None:
        time = self._now()
        for line in lines:
            line.time = time
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        file = AppendFile(self.path)
        try:
            head = b"" if file.size else msgspec.json.encode(SpendLine(schema=SCHEMA)) + b"\n"
            if file.size and os.pread(file.fileno(), 1, file.size - 1) != b"\n":
                head = b"\n"  # ends the line that a crash tore
            is_new = not file.size
            file.append(head + data)
            file.sync()
            if is_new:
                sync_folder(self.path.parent)
            stat = os.fstat(file.fileno())
            self._file_id, self._end = (stat.st_dev, stat.st_ino), file.size
        finally:
            file.close()
        if self._end > COMPACT_BYTES:
            self._compact(time)

    def _compact(self, time: str) -> None:
        """One line a batch and day; days that no limit looks at any more stay as one sum a batch."""
        ledger = self._ledger
        lines = [SpendLine(schema=SCHEMA), SpendLine(pools=ledger.pools)]
        for batch in {**ledger.spent, **ledger.claims}:
            days = ledger.spent.get(batch, {})
            today = max(days, default="")
            before = sum(amount for day, amount in days.items() if day != today)
            if before:
                lines.append(SpendLine(batch=batch, day=_BEFORE, spent=before, time=time))
            lines.append(
                SpendLine(
                    batch=batch,
                    day=today,
                    spent=days.get(today, 0),
                    claims=dict(ledger.claims.get(batch, {})),
                    time=time,
                )
            )
        replace_file(self.path, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        self._file_id = None


class Held:
    """The ledger while its lock is held."""

    def __init__(self, ledger: Ledger, today: str) -> None:
        self.ledger, self.today = ledger, today
        self.lines: list[SpendLine] = []

    def put(self, batch: str, total: int, claims: Mapping[str, Claim | None]) -> None:
        """Set claims of a batch whose stored rows cost `total` so far; what earlier days did not take is today's."""
        days = self.ledger.spent.get(batch, {})
        earlier = sum(amount for day, amount in days.items() if day != self.today)
        line = SpendLine(batch=batch, day=self.today, spent=max(0, total - earlier), claims=dict(claims))
        self.lines.append(line)
        self.ledger.apply(line)

    def learn(self, pool: str, size: int) -> None:
        line = SpendLine(pools={pool: size})
        self.lines.append(line)
        self.ledger.apply(line)
