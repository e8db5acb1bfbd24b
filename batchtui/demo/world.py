"""What all protocols of one server share: faults, ledger, a folder for files, and work that outlives its call."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import uuid
from collections.abc import Coroutine
from pathlib import Path
from threading import Event
from typing import TypeVar

from batchtui.demo.faults import Faults
from batchtui.demo.ledger import Ledger

T = TypeVar("T")

MODELS = ("demo-small", "demo-large", "demo-embed")
PRICES = {"demo-small": (0.15, 0.60), "demo-large": (2.50, 10.0), "demo-embed": (0.02, 0.0)}
"""USD per million tokens, in and out."""


class Stopping(Exception):
    """The server is being stopped: what a thread still does is in vain."""


class World:
    """State of one server. Everything but `stopping` is touched on the server's event loop only."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.ledger = Ledger()
        self.stopping = Event()
        self.folder = Path(tempfile.mkdtemp(prefix="batchtui-demo-"))
        self._tasks: set[asyncio.Task[object]] = set()
        self._restart()

    def _restart(self) -> None:
        self._prefix, self._numbers = uuid.uuid4().hex[:16], itertools.count(1)

    def new_id(self, prefix: str) -> str:
        """An id never given before, also not by a server that ran earlier."""
        return f"{prefix}{self._prefix}{next(self._numbers):016x}"

    def spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Work that goes on when the client who asked for it has gone."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if self.stopping.is_set() and not task.cancelled():
            task.exception()  # looked at, so that nobody is told of work that was cut short

    def reset(self) -> None:
        """Forgets all calls, files and work under way; faults stay, drawn anew from their seed."""
        for task in list(self._tasks):
            task.cancel()
        self.ledger.entries.clear()
        self.faults.random.seed(self.faults.seed)
        self._restart()
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def close(self) -> None:
        self.stopping.set()
        shutil.rmtree(self.folder, ignore_errors=True)
