"""Between screens and store: folders and statuses of every batch, and commands to them, with a worker or without."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

from batchtui.errors import BadInput, NotFound, StoreDamaged
from batchtui.model import BatchStatus
from batchtui.store.disk.watch import Watch
from batchtui.store.files import inbox
from batchtui.store.files.lock import holder
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library

if TYPE_CHECKING:
    from batchtui.engine.shared.pool import Backends
    from batchtui.engine.shared.services import LogLine
    from batchtui.engine.worker import Worker


FOLLOW_EVERY = 4
"""Calls of `drain` for each look at the disk, where no worker looks."""


class Link:
    """Lives in the screen's thread. Statuses are read once for each change and kept."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.read_only = False
        """Whether no batch may be changed."""
        self.worker: Worker | None = None
        self._folders: list[BatchFolder] = []
        self._by_id: dict[str, BatchFolder] = {}
        self.version = 0
        """Another one whenever some status may be another than before."""
        self._damaged: dict[str, str] = {}
        """By batch, why it cannot be read; read anew by the worker once there is one."""
        self._watch = Watch(library.batches_dir, library.ids)
        self._statuses: dict[str, BatchStatus] = {}
        self._calls = 0
        self.rings: deque[bytes] = deque(maxlen=20)
        """Notices for the terminal, which is the app's as long as it runs."""

    def read(self) -> None:
        """Read every batch from the disk: what there is to see without a worker."""
        self._folders, self._damaged = [], {}
        for batch_id in self.library.ids():
            self._open(batch_id)
        self._statuses.clear()
        self._index()

    def _open(self, batch_id: str) -> bool:
        """Whether what there is to see of it is another than before."""
        try:
            self._folders.append(self.library.open(batch_id))
        except NotFound:  # removed meanwhile
            return False
        except StoreDamaged as fault:
            before = self._damaged.get(batch_id)
            self._damaged[batch_id] = str(fault)
            return before != str(fault)
        self._damaged.pop(batch_id, None)
        return True

    def _index(self) -> None:
        """Newest first."""
        self._folders.sort(key=lambda folder: folder.header.created, reverse=True)
        self._by_id = {folder.id: folder for folder in self._folders}
        self.version += 1

    def start(self, backends: Backends) -> None:
        """Start the worker. Its imports cost time: not before the first paint."""
        from batchtui.engine.worker import Worker

        self.worker = Worker(self.library, backends, drive_all=True, known=self._folders)
        self.worker.notices_to(self.rings.append)
        self.worker.start()

    def drain(self) -> set[str]:
        """Batches that changed since the last call."""
        ids = self.worker.drain() if self.worker else self._followed()
        for batch_id in ids:
            self._statuses.pop(batch_id, None)
        if ids and self.worker:
            self.refresh()
        return ids

    def refresh(self) -> None:
        """Take over which batches the worker knows; those it has not come to yet stay as they were read."""
        if not self.worker:
            self.read()
            return
        known = self.worker.folders()
        ids = {folder.id for folder in known}
        rest = [folder for folder in self._folders if folder.id not in ids and folder.path.is_dir()]
        self._folders = [*known, *rest]
        self._damaged = {text: text for text in self.worker.damaged()}
        self._index()

    def _followed(self) -> set[str]:
        """Without a worker: what other processes changed, looked at once a second."""
        self._calls += 1
        if self._calls % FOLLOW_EVERY:
            return set()
        there, due = self._watch.look()
        changed = {*self._by_id, *self._damaged} - set(there)
        self._damaged = {one: text for one, text in self._damaged.items() if one not in changed}
        self._folders = [folder for folder in self._folders if folder.id not in changed]
        changed |= {batch_id for batch_id in due if self._catch_up(batch_id)}
        if changed:
            self._index()
        return changed

    def _catch_up(self, batch_id: str) -> bool:
        """Whether what there is to see of it is another than before."""
        folder = self._by_id.get(batch_id)
        if folder is None:
            return self._open(batch_id)
        changed = False
        with contextlib.suppress(StoreDamaged, OSError):
            changed = folder.refresh()
            if holder(folder.path) is None:
                self._watch.rest(batch_id)
        return changed

    # ---- what there is

    def folders(self) -> list[BatchFolder]:
        """Every batch that can be read, newest first."""
        return self._folders

    def folder(self, batch_id: str) -> BatchFolder | None:
        return self._by_id.get(batch_id)

    def damaged(self) -> list[str]:
        """A sentence for every batch that cannot be read, or is only read."""
        if self.worker:
            return list(self._damaged.values())
        return list(self._damaged.values()) + [folder.damage[0] for folder in self._folders if folder.damage]

    def status(self, batch_id: str) -> BatchStatus | None:
        """Its status with submissions, as of the last change. None for a batch that is gone or damaged."""
        if batch_id not in self._statuses:
            folder = self.folder(batch_id)
            if folder is None:
                return None
            try:
                self._statuses[batch_id] = folder.status(submissions=True)
            except StoreDamaged as fault:
                self._damaged[batch_id] = str(fault)
                return None
        return self._statuses[batch_id]

    def statuses(self) -> list[BatchStatus]:
        """Statuses of all batches, newest first."""
        found = (self.status(folder.id) for folder in self._folders)
        return [status for status in found if status is not None]

    def log(self) -> list[LogLine]:
        return self.worker.log() if self.worker else []

    def in_flight(self) -> int:
        """Jobs running in this process now."""
        return self.worker.in_flight() if self.worker else 0

    # ---- what to do

    def command(self, batch_id: str, command: str, **args: object) -> None:
        """Send a command to whoever drives the batch. Raises BadInput where it may only be read."""
        self._refuse_to_write()
        order = inbox.Command(command=command, args=dict(args))
        if self.worker:
            self.worker.command(batch_id, order)
        elif folder := self.folder(batch_id):
            inbox.post(folder.path, order, folder.progress.inbox_end)

    def remove(self, batch_id: str) -> None:
        """Delete a batch from the disk. Raises BadInput where it may only be read."""
        self._refuse_to_write()
        with contextlib.suppress(FileNotFoundError):
            self.library.remove(batch_id)
        self._folders = [folder for folder in self._folders if folder.id != batch_id]
        self._statuses.pop(batch_id, None)
        self._index()

    def _refuse_to_write(self) -> None:
        if self.read_only:
            raise BadInput("not in this app, which was opened to read only")

    def stop(self, seconds: float = 2.0) -> None:
        if self.worker:
            self.worker.stop(seconds)
