"""A world in which time passes only while nothing happens: hours of waiting take no time at all.

One thread, one loop: what else runs on threads runs here at once, so that a jump never overtakes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import ParamSpec, TypeVar
from unittest import mock

from batchtui.backends.file_batches import backend as file_batches
from batchtui.backends.openai import backend as openai
from batchtui.backends.rest import polls as rest
from batchtui.engine import round as rounds
from batchtui.engine import worker
from batchtui.store.disk import clock
from batchtui.store.disk.commit import Committer
from batchtui.store.disk.lines import AppendFile

P = ParamSpec("P")
T = TypeVar("T")
BEGIN = clock.unix("2026-03-27T12:00:00Z")
ROUND = 60.0
"""Seconds between two looks of a batch at its inbox; each of them is a round, of which days have too many."""


class VirtualTime:
    def __init__(self) -> None:
        self.seconds = 0.0

    def wall(self) -> float:
        return BEGIN + self.seconds

    def steady(self) -> float:
        return 1000.0 + self.seconds

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        """For all that this process does meanwhile."""
        with contextlib.ExitStack() as patches:
            for module in (time, file_batches, openai, rest):
                patches.enter_context(mock.patch.object(module, "time", self.wall))
            for module in (time, rest):
                patches.enter_context(mock.patch.object(module, "monotonic", self.steady))
            patches.enter_context(mock.patch.object(clock, "steady", self.steady))
            patches.enter_context(mock.patch.object(asyncio, "to_thread", _at_once))
            patches.enter_context(mock.patch.object(worker, "Committer", _AtOnce))
            patches.enter_context(mock.patch.object(worker, "SUPERVISE_SECONDS", ROUND))
            patches.enter_context(mock.patch.object(rounds, "INBOX_SECONDS", ROUND))
            patches.enter_context(mock.patch.object(rounds, "HEARTBEAT_SECONDS", 20 * ROUND))
            yield

    def run(self, life: Callable[[], object]) -> None:
        with self.everywhere(), asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            runner.run(life())  # type: ignore[arg-type]


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, virtual: VirtualTime) -> None:
        self._virtual = virtual
        super().__init__(_Selector(virtual))

    def time(self) -> float:
        return self._virtual.steady()


class _Selector(selectors.SelectSelector):
    """Where nothing is to be done before a moment, it is that moment."""

    def __init__(self, virtual: VirtualTime) -> None:
        super().__init__()
        self._virtual = virtual

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("nothing would ever happen again")
        if not ready and timeout:
            self._virtual.seconds += max(timeout, 0.0)
        return ready


async def _at_once(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return call(*args, **kwargs)


class _AtOnce(Committer):
    """A disk on which everything lasts."""

    def soon(self, file: AppendFile) -> None:
        pass

    def now(self, *files: AppendFile) -> Future[None]:
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def stop(self) -> None:
        pass


def pages_in_memory() -> int:
    """Bytes that this process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
