"""Warm worker processes, and the jobs that wait for them, gathered into chunks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batchtui.model import Json
from batchtui.work.calls.pace import MOST, Pace
from batchtui.work.calls.warm import Ended, WarmWorker
from batchtui.work.programs.output import Written
from batchtui.work.programs.process import uninterrupted
from batchtui.work.programs.slots import Slots

IMPORT_SECONDS = 120.0
"""What the import of a module may take where jobs have a time limit, which counts from then on."""
PATIENCE = 0.02
"""Seconds that a chunk of the size that the user named waits to be full."""


@dataclass(frozen=True, slots=True)
class Order:
    """What jobs of one group have in common. `chunk`: the function takes a list of argument tables.

    `most`: the jobs of a chunk that the user asked for. `timeout`: seconds for each job.
    """

    function: str
    path: tuple[str, ...]
    chunk: bool
    group: str
    most: int | None = None
    timeout: float | None = None


@dataclass(slots=True)
class Done:
    """A job's answer: `value`, or `fault` {kind, message, transient, traceback}; `printed` by stream."""

    value: Json
    fault: dict[str, Json] | None
    seconds: float
    printed: dict[str, Written]


class Lost(Exception):
    """The worker was lost with the job under way. `kind`: `worker` where it died, `timeout` where it was ended.

    `printed`, by stream, is what came since the answer before.
    """

    def __init__(self, kind: str, message: str, printed: dict[str, Written]) -> None:
        super().__init__(message)
        self.kind, self.message, self.printed = kind, message, printed


class NotStarted(Exception):
    """There is no worker to be had: the run folder cannot be used, or the system starts no process."""


@dataclass(eq=False, slots=True)
class _Ticket:
    """A job that waits, or is with a worker."""

    order: Order
    arguments: Json
    note: Callable[[dict[str, Json]], None]
    number: int
    done: asyncio.Future[Done]
    alone: bool = False
    """It was in a chunk that took its worker with it, and which job did that is unknown."""
    chunk: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        return not self.done.done()

    def fail(self, fault: Exception) -> None:
        if self.open:
            self.done.set_exception(fault)


@dataclass(slots=True)
class Pool:
    """Up to `workers` processes. Belongs to one event loop; `slots` gives the run folder when the first is started."""

    slots: Callable[[], Slots]
    workers: int = 1
    _waiting: dict[str, deque[_Ticket]] = field(default_factory=dict)
    _paces: dict[str, Pace] = field(default_factory=dict)
    _idle: list[WarmWorker] = field(default_factory=list)
    _chunks: set[asyncio.Task[None]] = field(default_factory=set)
    _count: int = 0
    _numbers: int = 0
    _due: bool = False
    _size: int = 1
    """Jobs in a chunk, by the last one that was done."""

    @property
    def window(self) -> int:
        """Jobs that are worth having here: those under way and enough for the next chunks."""
        return self.workers * (1 + 3 * self._size) if self._size > 1 else self.workers

    async def do(self, order: Order, arguments: Json, note: Callable[[dict[str, Json]], None]) -> Done:
        """Do a job, first come first served within its group. Raises Lost, NotStarted.

        Cancelled while a worker has it, it ends that worker before it returns; the others of its chunk go on waiting.
        """
        self._numbers += 1
        done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        ticket = _Ticket(order, arguments, note, self._numbers, done)
        queue = self._waiting.setdefault(order.group, deque())
        queue.append(ticket)
        if order.most and len(queue) < order.most:
            self._size = max(self._size, order.most)
            asyncio.get_running_loop().call_later(PATIENCE, self._dispatch_soon)
        else:
            self._dispatch_soon()
        try:
            return await done
        except asyncio.CancelledError:
            done.cancel()
            if ticket.chunk and not ticket.chunk.done():
                await uninterrupted(_ended(ticket.chunk))
            raise

    async def close(self) -> None:
        """End every worker; what waits is cancelled."""
        for queue in self._waiting.values():
            for ticket in queue:
                ticket.done.cancel()
        self._waiting.clear()
        await asyncio.gather(*(uninterrupted(_ended(task)) for task in list(self._chunks)))
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._let_go(worker) for worker in idle))

    # ---- who works on what

    def _dispatch_soon(self) -> None:
        """Once all that comes in this turn of the loop is there."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._due = False
        while len(self._chunks) < self.workers and (self._idle or self._count < self.workers):
            tickets = self._next()
            if not tickets:
                return
            worker = self._idle.pop() if self._idle else None
            self._count += worker is None
            task = asyncio.get_running_loop().create_task(self._serve(worker, tickets))
            self._chunks.add(task)
            task.add_done_callback(self._served)
            for ticket in tickets:
                ticket.chunk = task

    def _next(self) -> list[_Ticket]:
        """The job that came first, with others of its group: so many that there is work for every worker."""
        for group, queue in list(self._waiting.items()):
            while queue and not queue[0].open:
                queue.popleft()
            if not queue:
                del self._waiting[group]
        if not self._waiting:
            return []
        queue = min(self._waiting.values(), key=lambda queue: queue[0].number)
        pace = self._pace(queue[0].order)
        share = -(-len(queue) // (self.workers if pace.fixed else 2 * self.workers))
        most = 1 if queue[0].alone else min(pace.size, share)
        tickets: list[_Ticket] = []
        while queue and len(tickets) < most and (not tickets or not queue[0].alone):
            ticket = queue.popleft()
            if ticket.open:
                tickets.append(ticket)
        return tickets

    def _pace(self, order: Order) -> Pace:
        if order.group not in self._paces:
            self._paces[order.group] = Pace(order.chunk, order.most or MOST, fixed=order.most is not None)
        return self._paces[order.group]

    def _served(self, task: asyncio.Task[None]) -> None:
        self._chunks.discard(task)
        self._dispatch_soon()

    def _back(self, tickets: Sequence[_Ticket]) -> None:
        """These wait again, before all others of their group; no attempt is counted."""
        for ticket in reversed(tickets):
            if ticket.open:
                ticket.chunk = None
                self._waiting.setdefault(ticket.order.group, deque()).appendleft(ticket)

    # ---- one chunk

    async def _serve(self, worker: WarmWorker | None, tickets: list[_Ticket]) -> None:
        fresh = worker is None
        if worker is None:
            try:
                worker = WarmWorker(self.slots().take())
            except OSError as fault:
                self._count -= 1
                for ticket in tickets:
                    ticket.fail(NotStarted(f"no worker process can be started: {fault}"))
                return
        heard = _Heard()
        try:
            for ticket in tickets:
                ticket.note(worker.trace)
            await self._hear(worker, tickets, heard)
        except (Ended, TimeoutError, asyncio.CancelledError) as end:
            lost = self._lost(end, tickets[0].order.timeout, worker)
            await uninterrupted(self._let_go(worker))
            if lost is None or not (fresh or heard.ready):  # it may have been dead for long
                self._back(tickets)
            else:
                self._blame(tickets, lost)
        except Exception as fault:
            await uninterrupted(self._let_go(worker))
            for ticket in tickets:
                ticket.fail(fault)
        else:
            pace = self._pace(tickets[0].order)
            pace.took(len(tickets), heard.seconds)
            self._size = pace.size
            if self._count > self.workers:
                await uninterrupted(self._let_go(worker))
            else:
                self._idle.append(worker)

    async def _hear(self, worker: WarmWorker, tickets: list[_Ticket], heard: _Heard) -> None:
        """Hand the answers out as they come. Raises Ended, TimeoutError."""
        order, loop = tickets[0].order, asyncio.get_running_loop()
        first = None if order.timeout is None else max(IMPORT_SECONDS, order.timeout)
        jobs = [ticket.arguments for ticket in tickets]
        async with asyncio.timeout(first) as limit:
            answers = worker.answers(order.function, order.path, order.chunk, jobs)
            async with contextlib.aclosing(answers):
                async for answer in answers:
                    if order.timeout is not None:
                        limit.reschedule(loop.time() + order.timeout)
                    if "ready" in answer:
                        heard.ready = True
                        continue
                    ticket = tickets[answer["job"]]
                    heard.seconds += answer["seconds"]
                    printed = worker.printed(answer)
                    if ticket.open:
                        done = Done(answer.get("value"), answer.get("fault"), answer["seconds"], printed)
                        ticket.done.set_result(done)

    def _lost(self, end: BaseException, timeout: float | None, worker: WarmWorker) -> Lost | None:
        """None where we ended the worker ourselves, for a job that was cancelled."""
        if isinstance(end, asyncio.CancelledError):
            return None
        if isinstance(end, Ended):
            return Lost("worker", end.how, worker.last_words())
        words = f"no answer within {timeout:g} s" if timeout else "timed out"
        return Lost("timeout", words, worker.last_words())

    def _blame(self, tickets: list[_Ticket], lost: Lost) -> None:
        """The job under way fails; where that may be any of several, each goes again alone."""
        rest = [ticket for ticket in tickets if ticket.open]
        if len(rest) > 1 and rest[0].order.chunk:
            for ticket in rest:
                ticket.alone = True
        elif rest:
            rest.pop(0).fail(lost)
        self._back(rest)

    async def _let_go(self, worker: WarmWorker) -> None:
        try:
            await worker.end()
        finally:
            self._count -= 1


@dataclass(slots=True)
class _Heard:
    """What a worker has said of a chunk so far."""

    ready: bool = False
    seconds: float = 0.0


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
