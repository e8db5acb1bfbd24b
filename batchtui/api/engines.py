"""The engine as a program uses it: one background worker for each data folder and configuration of this process."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchtui.api.kinds import Backend
    from batchtui.config import BackendConfig, Config
    from batchtui.engine.shared.pool import Backends
    from batchtui.engine.worker import Worker
    from batchtui.store.library import Library

STOP_SECONDS = 2.0
AT_EXIT_SECONDS = 30.0
"""A thread that outlives the interpreter ends the process by a signal, so a slow machine gets more time for the last."""
SETTLE_SECONDS = 5.0
_lock = threading.Lock()
_engines: list[Engine] = []
_ends_with_us = False


@dataclass(frozen=True)
class Home:
    """Where batches are kept, and the configuration that they run by."""

    data_dir: Path
    config_path: Path

    @classmethod
    def of(cls, data_dir: str | Path | None, config: str | Path | None) -> Home:
        """As the command line finds them: given, else by BATCHTUI_DATA_DIR and BATCHTUI_CONFIG, else the user's own."""
        from batchtui.config import config_path
        from batchtui.config import data_dir as folder

        return cls(folder(data_dir), config_path(config))

    @cached_property
    def library(self) -> Library:
        from batchtui.store.library import Library

        return Library(self.data_dir)

    def config(self) -> Config:
        """The configuration as it is now. Raises ConfigError for a fault that concerns every backend."""
        from batchtui.config import load_config

        config = load_config(self.config_path, env=os.environ)
        config.check()
        for name, backend in _given.get(self, {}).items():
            config.broken.pop(name, None)
            config.backends[name] = backend
        return config

    def backends(self) -> Backends:
        """Raises ConfigError."""
        from batchtui.engine.shared.pool import Backends

        return Backends(self.config())

    def give(self, backend: Backend) -> None:
        """From now on batches of this process find that backend here, by its name."""
        with _lock:
            _given.setdefault(self, {})[backend.name] = backend.config()

    def stamp(self) -> tuple[object, ...]:
        """Changes with the configuration, with the keys in the environment, and with backends given in code."""
        try:
            stat = self.config_path.stat()
            file = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            file = (0, 0)
        given = repr(sorted((name, one.table) for name, one in _given.get(self, {}).items()))
        return (file, hash(frozenset(os.environ.items())), given)


_given: dict[Home, dict[str, BackendConfig]] = {}
"""Backends given in code."""


class Engine:
    """A running worker, and the batches that this process has asked it to drive."""

    def __init__(self, home: Home, stamp: tuple[object, ...]) -> None:
        from batchtui.engine.worker import Worker

        self.home, self.stamp, self.pid = home, stamp, os.getpid()
        self.ids: set[str] = set()
        self.worker: Worker = Worker(home.library, home.backends(), drive_all=False)
        self.worker.start()

    def drive(self, batch_id: str) -> None:
        self.ids.add(batch_id)
        self.worker.drive(batch_id)

    def settle(self) -> None:
        """Let batches end on disk too whose jobs all have their last word, which is when a program stops polling."""
        folders = [self.worker.folder(batch_id) for batch_id in self.ids]
        done = (one for one in folders if one and len(one.jobs) and not one.header.growing)
        self.worker.wait({one.id for one in done if not one.progress.live}, SETTLE_SECONDS)

    def is_idle(self) -> bool:
        """Whether nothing here goes on: ended, or resting for a person."""
        return self.worker.wait(set(self.ids), timeout=0)


def engine_of(home: Home, batch_id: str) -> Engine:
    """The engine that drives this batch, or is to: with a new configuration a new one takes over what rests.

    Raises ConfigError.
    """
    with _lock:
        _engines[:] = [one for one in _engines if one.pid == os.getpid()]  # threads do not outlive a fork
        stamp = home.stamp()
        here = [one for one in _engines if one.home == home]
        own = next((one for one in here if batch_id in one.ids), None)
        if own and (own.stamp == stamp or not own.is_idle()):
            return own
        engine = next((one for one in here if one.stamp == stamp), None)
        if engine is None:
            engine = Engine(home, stamp)
            _take_over(engine, [one for one in here if one.is_idle()])
            _engines.append(engine)
            _stop_at_exit()
        engine.ids.add(batch_id)
        return engine


def _take_over(engine: Engine, idle: Iterable[Engine]) -> None:
    for old in idle:
        old.worker.stop(STOP_SECONDS)
        _engines.remove(old)
        for batch_id in old.ids:
            engine.drive(batch_id)


def _stop_at_exit() -> None:
    """Journals are closed and local programs ended while threads can still be started, which atexit is too late for."""
    global _ends_with_us
    if not _ends_with_us:
        import concurrent.futures.thread  # noqa: F401 - its own end must come after ours

        _ends_with_us = True
        getattr(threading, "_register_atexit", _register)(_stop_all)


def _register(call: object) -> None:
    import atexit

    atexit.register(call)  # type: ignore[arg-type]


def _stop_all() -> None:
    for engine in _engines:
        if engine.pid == os.getpid():
            with contextlib.suppress(Exception):
                engine.settle()
            with contextlib.suppress(Exception):
                engine.worker.stop(AT_EXIT_SECONDS)
