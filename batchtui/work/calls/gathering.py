"""Single jobs gathered into chunks that are worked on together, first come first served within a group."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class Waiting(Generic[J, R]):
    """A job and the place its result is put."""

    job: J
    group: str
    result: asyncio.Future[R]

    @property
    def open(self) -> bool:
        """Nobody has answered or given it up."""
        return not self.result.done()

    def answer(self, result: R) -> None:
        if self.open:
            self.result.set_result(result)

    def fail(self, fault: BaseException) -> None:
        if self.open:
            self.result.set_exception(fault)


class Gathering(Generic[J, R]):
    """Hands the jobs that wait to `work`, at most `most` of one group in a chunk and `at_once` chunks at a time.

    `work` answers or fails each of its jobs; those it leaves open get the exception it raised.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Waiting[J, R]]], Awaitable[None]],
        *,
        most: int,
        at_once: int = 1,
        patience: float = 0.05,
    ) -> None:
        """`patience`: seconds that a chunk which is not full waits for more jobs."""
        self._work, self._most, self._at_once, self._patience = work, most, at_once, patience
        self._waiting: deque[Waiting[J, R]] = deque()
        self._chunks: dict[asyncio.Task[None], Sequence[Waiting[J, R]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def do(self, group: str, job: J) -> R:
        """The job's result. Cancelled as the last job of its chunk, it ends the chunk before it returns."""
        loop = asyncio.get_running_loop()
        waiting: Waiting[J, R] = Waiting(job, group, loop.create_future())
        self._waiting.append(waiting)
        if len(self._waiting) >= self._most:
            self._start()
        elif self._timer is None:
            self._timer = loop.call_later(self._patience, self._start)
        try:
            return await waiting.result
        except asyncio.CancelledError:
            if not waiting.result.cancel() and not waiting.result.cancelled():
                waiting.result.exception()  # seen, so that nothing complains of it
            await self._let_go(waiting)
            raise

    def _start(self) -> None:
        """Begin as many chunks as may run now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while len(self._chunks) < self._at_once and (chunk := self._next()):
            task = asyncio.get_running_loop().create_task(self._run(chunk))
            self._chunks[task] = chunk
            task.add_done_callback(self._ended)

    def _next(self) -> list[Waiting[J, R]]:
        """The longest waiting job with others of its group."""
        while self._waiting and not self._waiting[0].open:
            self._waiting.popleft()
        if not self._waiting:
            return []
        group = self._waiting[0].group
        chunk: list[Waiting[J, R]] = []
        others: deque[Waiting[J, R]] = deque()
        for waiting in self._waiting:
            if waiting.open:
                fits = waiting.group == group and len(chunk) < self._most
                (chunk if fits else others).append(waiting)
        self._waiting = others
        return chunk

    async def _run(self, chunk: Sequence[Waiting[J, R]]) -> None:
        try:
            await self._work(chunk)
        except asyncio.CancelledError:
            for waiting in chunk:
                waiting.result.cancel()
            raise
        except Exception as fault:
            for waiting in chunk:
                waiting.fail(fault)
        else:
            for waiting in chunk:
                waiting.fail(RuntimeError("the chunk ended without an answer for this job"))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._chunks.pop(task, None)
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._start)

    async def _let_go(self, waiting: Waiting[J, R]) -> None:
        for task, chunk in list(self._chunks.items()):
            if waiting in chunk and not any(other.open for other in chunk):
                task.cancel()
                await asyncio.wait([task])
