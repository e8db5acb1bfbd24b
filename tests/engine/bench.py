"""A worker over a throw-away data folder, for tests that drive the engine in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from batchtui.backends.base import BackendSettings
from batchtui.config import Config, load_config
from batchtui.engine.plan.planning import create, plan
from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.spending import Spending
from batchtui.engine.worker import Worker
from batchtui.model import BatchSpec, BatchStatus, Json, LimitsSpec, SourceSpec
from batchtui.store.files.inbox import Command
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library

DEADLINE = 60.0


def until(true: Callable[[], object], what: str = "it", deadline: float = DEADLINE) -> None:
    """Wait for the thing itself."""
    end = time.monotonic() + deadline
    while not true():
        assert time.monotonic() < end, f"{what} never came to be"
        time.sleep(0.01)


class Bench:
    """Plans, creates and drives batches of rows made on the spot."""

    def __init__(self, folder: Path, config: Config | None = None) -> None:
        self.folder_path = folder
        (folder / "config.toml").touch()
        self.config = config or load_config(folder / "config.toml", env={})
        self.library = Library(folder / "data")
        self.backends = Backends(self.config, env={})
        self.worker = self.new_worker()

    def new_worker(self, *, drive_all: bool = False) -> Worker:
        worker = Worker(self.library, Backends(self.config, env={}), drive_all=drive_all)
        worker.start()
        return worker

    def close(self) -> None:
        self.worker.stop()

    def spec(self, backend: str, rows: int, job: dict[str, Json], **limits: Json) -> BatchSpec:
        source = self.folder_path / f"rows-{rows}.csv"
        source.write_text("id,text\n" + "".join(f"r{n},text of row {n}\n" for n in range(rows)))
        return BatchSpec(
            name="bench",
            backend=backend,
            source=SourceSpec(file=str(source)),
            job=job,
            limits=LimitsSpec(**limits),
        )

    def create(self, spec: BatchSpec) -> BatchFolder:
        draft = self.library.draft()
        return create(plan(spec, self.folder_path, self.backends, draft=draft), draft)

    def run(self, spec: BatchSpec) -> BatchFolder:
        """Create and drive until nothing more happens by itself."""
        folder = self.create(spec)
        return self.drive(folder.id)

    def drive(self, batch_id: str) -> BatchFolder:
        self.worker.drive(batch_id)
        assert self.worker.wait({batch_id}, DEADLINE), self.worker.log()
        return self.known(batch_id)

    def known(self, batch_id: str) -> BatchFolder:
        folder = self.worker.folder(batch_id)
        assert folder
        return folder

    def start(self, spec: BatchSpec) -> BatchFolder:
        """Create and begin to drive; the folder as the worker has it."""
        batch_id = self.create(spec).id
        self.worker.drive(batch_id)
        until(lambda: self.worker.folder(batch_id) is not None)
        return self.known(batch_id)

    def ask(self, folder: BatchFolder, command: str, **args: Json) -> None:
        """Post a command and wait until it is obeyed."""
        upto = self.worker.command(folder.id, Command(command=command, args=args))
        until(lambda: folder.progress.inbox_end >= upto, f"{command} obeyed")

    def status(self, folder: BatchFolder) -> BatchStatus:
        return folder.status(submissions=True)

    def worker_settings(self, backend: str) -> BackendSettings:
        """The settings that the worker's own backend reads, for what a test sets instead of the config."""
        return self.worker._services.backends.get(backend).setup.settings

    def worker_spending(self) -> Spending:
        return self.worker._services.spending
