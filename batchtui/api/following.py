"""A stored batch, kept up with by its files, whichever process drives it; and a way to ask that process for things."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator

from batchtui.api.engines import Engine, Home, engine_of
from batchtui.model import BatchStatus, JobState, Json, Result
from batchtui.store.folder import BatchFolder

OBEYED_SECONDS = 5.0
LOOK_SECONDS = 0.05


class Followed:
    """Reads one batch from any thread. `lock` guards the folder, which `fresh` changes."""

    def __init__(self, home: Home, batch_id: str) -> None:
        """Raises NotFound, StoreDamaged."""
        self.home, self.id = home, batch_id
        self.folder: BatchFolder = home.library.open(batch_id)
        self.lock = threading.RLock()

    def fresh(self) -> BatchFolder:
        """The folder, caught up with whoever drives it."""
        with self.lock:
            self.folder.refresh()
            return self.folder

    def status(self) -> BatchStatus:
        with self.lock:
            return self.fresh().status(submissions=True)

    def result(self, job_id: str) -> Result:
        """Raises NotFound."""
        with self.lock:
            folder = self.fresh()
            return folder.result(folder.number(job_id))

    def results(self, states: Collection[JobState]) -> Iterator[Result]:
        """Those of jobs in these states, in source order, by what is known when it begins."""
        with self.lock:
            folder = self.fresh()
            columns, count = folder.columns(), len(folder.jobs.ids)
        for n in range(count):
            if columns.state(n) in states:
                with self.lock:
                    found = folder.result(n)
                yield found

    # ---- whoever drives it

    def engine(self) -> Engine:
        """The engine of this process, which drives the batch or waits for its lock. Raises ConfigError."""
        engine = engine_of(self.home, self.id)
        if not engine.worker.drives(self.id):
            engine.drive(self.id)
        return engine

    def command(self, word: str, **facts: Json) -> bool:
        """Ask for something; whether it is obeyed within OBEYED_SECONDS. Raises ConfigError."""
        from batchtui.store.files.inbox import Command

        engine = engine_of(self.home, self.id)
        upto = engine.worker.command(self.id, Command(command=word, args=facts))
        end = time.monotonic() + OBEYED_SECONDS
        while self.fresh().progress.inbox_end < upto:
            if time.monotonic() > end:
                return False
            time.sleep(LOOK_SECONDS)
        return True
