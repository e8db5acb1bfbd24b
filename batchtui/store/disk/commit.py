"""One thread that calls fsync, so that neither the event loop nor the screen ever waits for the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from batchtui.store.disk.lines import AppendFile

GROUP_SECONDS = 0.1
"""Longest time that an ordinary line waits for its fsync."""


class Committer:
    """Groups fsyncs: `soon` within 100 ms, `now` at once. Failures go to `on_error`, and to the future of `now`."""

    def __init__(self, on_error: Callable[[OSError], None] | None = None) -> None:
        self._wake = threading.Condition()
        self._later: set[AppendFile] = set()
        self._urgent: list[tuple[tuple[AppendFile, ...], Future[None]]] = []
        self._stopping = False
        self._on_error = on_error
        self._thread: threading.Thread | None = None

    def soon(self, file: AppendFile) -> None:
        with self._wake:
            first = not self._later
            self._later.add(file)
            self._start()
            if first:
                self._wake.notify()

    def now(self, *files: AppendFile) -> Future[None]:
        """Resolves once the files are on the disk; raises OSError there."""
        done: Future[None] = Future()
        with self._wake:
            self._urgent.append((files, done))
            self._start()
            self._wake.notify()
        return done

    def forget(self, file: AppendFile) -> None:
        """The file is about to be closed."""
        with self._wake:
            self._later.discard(file)

    def stop(self) -> None:
        """Commits what is left, then ends."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread:
            self._thread.join(timeout=2)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="batchtui-fsync", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._urgent or self._later or self._stopping):
                    self._wake.wait()
                if not self._urgent and not self._stopping:
                    self._wake.wait(GROUP_SECONDS)  # let a group gather; an urgent one cuts it short
                later, self._later = self._later, set()
                urgent, self._urgent = self._urgent, []
                stopping = self._stopping
            for files, done in urgent:
                try:
                    for file in files:
                        file.sync()
                        later.discard(file)
                except OSError as fault:
                    if done.set_running_or_notify_cancel():
                        done.set_exception(fault)
                else:
                    if done.set_running_or_notify_cancel():
                        done.set_result(None)
            for file in later:
                try:
                    file.sync()
                except OSError as fault:
                    if self._on_error and fault.errno != 9:  # EBADF: closed meanwhile, and synced there
                        fault.filename = fault.filename or str(file.path)
                        self._on_error(fault)
            if stopping:
                return
