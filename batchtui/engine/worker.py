"""The background worker: one daemon thread, one event loop, driving every batch whose lock this process holds.

It never waits for the screen. What changed goes into a set that whoever shows it drains when it likes; it writes
the journal before it tells anyone; it needs no signal handlers and stops within two seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from batchtui.engine.outputs.result_files import is_unwritten
from batchtui.engine.round import Round
from batchtui.engine.shared.faults import disk_attention
from batchtui.engine.shared.pauses import Pauses
from batchtui.engine.shared.pool import Backends
from batchtui.engine.shared.services import LogLine, Services
from batchtui.engine.spend.spending import Spending
from batchtui.errors import BatchtuiError, Locked, StoreDamaged
from batchtui.model import ENDED_BATCH_STATES, Attention
from batchtui.store.disk.clock import now
from batchtui.store.disk.commit import Committer
from batchtui.store.disk.lines import disk_words, is_disk
from batchtui.store.disk.watch import Watch
from batchtui.store.files import inbox
from batchtui.store.files.inbox import Command
from batchtui.store.files.lock import holder
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter

SUPERVISE_SECONDS = 1.0


class Worker:
    """Drives, follows and obeys. Every public method may be called from any thread."""

    def __init__(
        self, library: Library, backends: Backends, *, drive_all: bool, known: Iterable[BatchFolder] = ()
    ) -> None:
        """With `drive_all` every unfinished batch that nobody drives is taken over; else only those of `drive`.

        `known` are those that were read already, and are not news.
        """
        self._library = library
        self._watch = Watch(library.batches_dir, library.ids)
        self._drive_all = drive_all
        self._committer = Committer(self._disk_failed)
        self._services = Services(
            backends,
            self._committer,
            Spending(library, backends.config.limits.cost_usd_per_day),
            self._mark_changed,
        )
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._folders = {folder.id: folder for folder in known}
        self._damaged: dict[str, str] = {}
        self._wanted: set[str] = set()
        self._undrivable: dict[str, str] = {}
        """Why batches that can be read cannot be driven."""
        self._pauses: Pauses[str] = Pauses()
        """Of batches that met a fault before their own rounds began."""
        self._fault = ""
        self._given_up: set[str] = set()
        """Batches that cannot be opened with this configuration; a command tries them again."""
        self._rounds: dict[str, Round] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._news = threading.Condition()
        self._stop: asyncio.Event | None = None
        self._nudge: asyncio.Event | None = None

    # ---- life

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread = threading.Thread(target=self._main, name="batchtui-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Quit is not cancel: remote work goes on; direct jobs in flight are ended and go back to pending."""
        if self._thread is None or not self._thread.is_alive():
            return
        self._ready.wait(timeout)
        if self._loop and self._stop:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout)

    def _main(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._nudge = asyncio.Event(), asyncio.Event()
        self._ready.set()
        try:
            while not self._stop.is_set():
                try:
                    self._supervise()
                except Exception as fault:  # the folder of all batches: it is looked at again
                    self._tell_once(f"{type(fault).__name__}: {fault}")
                await self._idle()
        finally:
            await asyncio.gather(
                *(driven.stop() for driven in list(self._rounds.values())), return_exceptions=True
            )
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await self._services.close()
            self._committer.stop()

    async def _idle(self) -> None:
        assert self._stop
        assert self._nudge
        waits = [asyncio.ensure_future(self._stop.wait()), asyncio.ensure_future(self._nudge.wait())]
        await asyncio.wait(waits, timeout=SUPERVISE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._nudge.clear()

    # ---- supervising

    def _supervise(self) -> None:
        """Find new and gone batches, follow those that others drive, take over those that nobody does."""
        there, due = self._watch.look() if self._drive_all else ([], [])
        for batch_id in dict.fromkeys([*due, *self._wanted]):
            if batch_id in self._rounds or self._pauses.left(batch_id) > 0:
                continue
            try:
                folder = self._look_at(batch_id)
                if folder and self._should_drive(folder):
                    self._take(folder)
                else:
                    self._unwant(batch_id)
                    if folder and not folder.damage and holder(folder.path) is None:
                        self._watch.rest(batch_id)
            except Exception as fault:  # one batch never takes the others down
                self._rest(batch_id, fault)
        if self._drive_all:
            for gone in self._folders.keys() - set(there) - self._rounds.keys():
                with self._lock:
                    del self._folders[gone]
                self._mark_changed(gone)

    def _rest(self, batch_id: str, fault: BaseException) -> None:
        """A batch met this before its own rounds began: told once, and tried again, later each time."""
        full = is_disk(fault)
        self._pauses.hold(batch_id, 1.0 if full else None)
        known = self._folders.get(batch_id)
        standing = known.standing if known else {}
        if ("disk" if full else "fault") in standing:
            return
        if full:
            standing["disk"] = disk_attention(fault)
            text = f"{standing['disk'].text}; it goes on by itself then"
        else:
            text = f"internal fault: {type(fault).__name__}: {fault}; it is tried again"[:400]
            standing["fault"] = Attention(kind="fault", text=text, since=now())
        self._services.log(batch_id, "error", text, told=True)
        self._mark_changed(batch_id)

    def _tell_once(self, text: str) -> None:
        if text != self._fault:
            self._services.log("", "error", text)
        self._fault = text

    def _refuse(self, batch_id: str, text: str) -> None:
        """It cannot be driven until a person has seen to it: said once, and looked at again now and then."""
        if self._undrivable.get(batch_id) != text:
            self._undrivable[batch_id] = text
            self._services.log(batch_id, "error", text)
        self._pauses.hold(batch_id)
        self._unwant(batch_id)

    def _look_at(self, batch_id: str) -> BatchFolder | None:
        folder = self._folders.get(batch_id)
        try:
            if folder is None:
                folder = self._library.open(batch_id)
                folder.refresh()
                with self._lock:
                    self._folders[batch_id] = folder
                self._mark_changed(batch_id)
            elif folder.refresh():
                self._mark_changed(batch_id)
        except BatchtuiError as fault:
            if self._damaged.get(batch_id) != str(fault):
                self._damaged[batch_id] = str(fault)
                self._services.log("", "error", str(fault))
            return None
        except (FileNotFoundError, NotADirectoryError):
            return None  # removed under our eyes
        except OSError as fault:
            self._refuse(batch_id, f"{fault.filename or batch_id}: cannot be read ({fault.strerror})")
            return None
        self._damaged.pop(batch_id, None)
        return folder

    def _should_drive(self, folder: BatchFolder) -> bool:
        if not (self._drive_all or folder.id in self._wanted):
            return False
        if folder.damage:
            self._refuse(folder.id, folder.damage[0])
            return False
        unwritten = not folder.progress.ended and is_unwritten(folder)
        unfinished = unwritten or folder.state() not in ENDED_BATCH_STATES
        return _unread(folder) or (unfinished and folder.id not in self._given_up)

    def _unwant(self, batch_id: str) -> None:
        self._wanted.discard(batch_id)
        with self._news:
            self._news.notify_all()

    def _take(self, folder: BatchFolder) -> None:
        try:
            writer = BatchWriter(folder, self._committer, self._mark_changed)
        except Locked:
            return
        except StoreDamaged as fault:
            self._refuse(folder.id, str(fault))
            return
        except OSError as fault:
            if is_disk(fault):
                raise
            self._refuse(folder.id, f"{fault.filename or folder.path}: {fault.strerror}")
            return
        self._undrivable.pop(folder.id, None)
        driven = Round(folder, writer, self._services)
        self._rounds[folder.id] = driven
        assert self._loop
        task = self._loop.create_task(driven.run())
        self._tasks[folder.id] = task
        task.add_done_callback(lambda task: self._let_go(folder.id, task))
        self._mark_changed(folder.id)

    def _let_go(self, batch_id: str, task: asyncio.Task[None]) -> None:
        driven = self._rounds.pop(batch_id)
        self._tasks.pop(batch_id, None)
        if not task.cancelled() and (fault := task.exception()):
            self._rest(batch_id, fault)
        else:
            self._pauses.over(batch_id)
            for kind in ("disk", "fault"):
                driven.batch.folder.standing.pop(kind, None)
            if driven.batch.lanes is None:
                self._given_up.add(batch_id)
            if not _unread(driven.batch.folder):  # a command that came while it ended is obeyed next
                self._wanted.discard(batch_id)
        self._mark_changed(batch_id)
        with self._news:
            self._news.notify_all()

    def _disk_failed(self, fault: OSError) -> None:
        """From the thread that calls fsync: what was written to that file may not last."""
        driven = self._rounds.get(Path(fault.filename).parent.name)
        if driven:
            self._soon(partial(driven.batch.faults.met, fault))
        else:
            self._services.log("", "error", disk_words(fault))

    # ---- telling

    def _mark_changed(self, batch_id: str) -> None:
        with self._lock:
            self._dirty.add(batch_id)

    def drain(self) -> set[str]:
        """Ids of the batches that changed since the last call; "" stands for news of the worker itself."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        return dirty

    def folders(self) -> list[BatchFolder]:
        """All batches known, newest first."""
        with self._lock:
            return sorted(self._folders.values(), key=lambda folder: folder.header.created, reverse=True)

    def folder(self, batch_id: str) -> BatchFolder | None:
        return self._folders.get(batch_id)

    def tell_all(self, batch_ids: set[str]) -> None:
        """Until whoever is being told of these batches now knows, or the worker has ended: some seconds at most."""
        while self._thread is not None and self._thread.is_alive():
            if not any(map(self._services.notices.under_way, batch_ids)):
                return
            time.sleep(0.02)

    def notices_to(self, terminal: Callable[[bytes], str | None]) -> None:
        """Where notices for the terminal go, in place of the terminal itself."""
        self._services.notices.terminal = terminal

    def damaged(self) -> list[str]:
        """Messages about batches that cannot be read; the others work."""
        return list({**self._undrivable, **self._damaged}.values())

    def log(self) -> list[LogLine]:
        return list(self._services.lines)

    def drives(self, batch_id: str) -> bool:
        return batch_id in self._rounds

    def in_flight(self) -> int:
        """Direct jobs that run in this process now."""
        return sum(driven.in_flight for driven in list(self._rounds.values()))

    def blocked(self, batch_id: str) -> str | None:
        """Why a batch driven here cannot go on without a person; None while it can."""
        driven = self._rounds.get(batch_id)
        return driven.resting if driven else None

    # ---- asking

    def _soon(self, call: Callable[[], None]) -> None:
        self._ready.wait()
        assert self._loop
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call)

    def drive(self, batch_id: str) -> None:
        """Drive this batch, as soon as its lock is free."""
        self._wanted.add(batch_id)
        self._soon(self._hurry)

    def command(self, batch_id: str, command: Command) -> int:
        """Ask for something: by the inbox, so that it outlives us. The offset at which it will have been obeyed."""
        known = self.folder(batch_id)
        obeyed = known.progress.inbox_end if known else 0
        upto = inbox.post(self._library.path(batch_id), command, obeyed)
        self._wanted.add(batch_id)

        def deliver() -> None:
            driven = self._rounds.get(batch_id)
            if driven:
                driven.batch.wake()
            else:
                self._hurry()

        self._soon(deliver)
        return upto

    def _hurry(self) -> None:
        assert self._nudge
        self._nudge.set()

    def poll_now(self, batch_id: str | None = None) -> None:
        """Ask the backends now."""
        self._soon(self._services.poll_now)

    def finish_direct(self) -> None:
        """Start no further direct jobs; those in flight end by themselves."""
        self._services.finishing = True

    def wait(self, batch_ids: set[str], timeout: float | None = None) -> bool:
        """Until none of these batches is being worked on: ended, or resting for a person. False on timeout.

        Raises BatchtuiError where the worker has ended.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._news:
            while any(self._busy(batch_id) for batch_id in batch_ids):
                if self._thread is None or not self._thread.is_alive():
                    raise BatchtuiError("the worker is not running, so nothing is driven")
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._news.wait(min(0.2, left) if left is not None else 0.2)
        return True

    def _busy(self, batch_id: str) -> bool:
        if self._services.notices.under_way(batch_id):
            return True
        driven = self._rounds.get(batch_id)
        if driven:
            return driven.resting is None
        return batch_id in self._wanted


def _unread(folder: BatchFolder) -> bool:
    """Whether the inbox holds a command that nobody has obeyed."""
    try:
        return os.stat(f"{folder.path}/inbox.jsonl").st_size > folder.progress.inbox_end
    except OSError:
        return False
