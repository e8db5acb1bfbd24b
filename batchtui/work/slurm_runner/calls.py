"""Calls of Python functions, in one warm process of call_worker.py an element."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from .endings import Cancelled, Overdue
from .files import say, write_all
from .programs import KEPT_BYTES, LOOK, end_group, signal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from .files import Around, Record, Task

    Step: TypeAlias = tuple[list[Task], int]
    """Tasks that go together, and which attempt this is."""

ORDER = 64
"""Calls handed to a worker at a time."""
READY_SECONDS = 120.0
"""A worker may take that long to import what it needs, whatever the time limit of a task."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Libraries start as many threads as the node has processors, of which an element has its share only."""
SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "call_worker.py")


def orders(found: list[Task]) -> Iterator[list[Task]]:
    """Tasks as they go together: calls of the same function and group, a command by itself."""
    order: list[Task] = []
    for task in found:
        most = (task["work"].get("chunk") or ORDER) if "call" in task["work"] else 1
        if order and (_key(order[0]) != _key(task) or len(order) >= most):
            yield order
            order = []
        order.append(task)
    if order:
        yield order


def _key(task: Task) -> tuple[object, ...]:
    work = task["work"]
    return work.get("call"), work.get("chunk"), work.get("group")


class Caller:
    """Hands the calls of an element to a worker; one that dies or hangs is replaced."""

    def __init__(self, element: Around) -> None:
        self._element = element
        self._worker: Worker | None = None

    def close(self) -> None:
        if self._worker:
            self._worker.end()
            self._worker = None

    def do(self, order: list[Task]) -> None:
        """All calls of an order, to their last attempt. Raises Leave."""
        queue: list[Step] = [(order, 1)]
        while queue:
            given, attempt = queue.pop(0)
            given = [task for task in given if not self._element.skip(task)]
            if given:
                if attempt > 1:
                    self._element.rest(attempt - 1)
                queue = [*self._try(given, attempt), *queue]

    def _try(self, given: list[Task], attempt: int) -> list[Step]:
        """One order of a worker; what of it is still to be done."""
        element = self._element
        rest, again = list(given), []
        begun, heard, least = time.time(), time.monotonic(), READY_SECONDS

        def tick() -> None:
            element.tick(rest[0] if rest else given[-1], heard, least)

        try:
            if self._worker is None:
                self._worker = Worker(element.run["cwd"], element.scratch)
            self._worker.send(given)
            while "done" not in (answer := self._worker.answer(tick)):
                if "job" in answer:
                    task = given[answer["job"]]
                    rest.remove(task)
                    if not self._answered(task, answer, begun, attempt):
                        again.append(([task], attempt + 1))
                begun, heard, least = time.time(), time.monotonic(), 0.0
        except (Cancelled, Overdue, EOFError) as end:
            return [*self._blame(end, rest, attempt, begun, alone=len(given) == 1), *again]
        return again

    def _answered(self, task: Task, answer: Record, begun: float, attempt: int) -> bool:
        """Keep an answer; False where it is a fault that may pass and there are attempts left."""
        assert self._worker
        fault = answer.get("fault")
        facts = {"seconds": answer.get("seconds", 0.0), **self._worker.output(answer)}
        if fault is None:
            facts.update(state="completed", value=answer.get("value"))
        elif fault.get("transient") and attempt <= self._element.retries:
            say(f"{task['id']} {fault.get('message')}, trying again")
            return False
        else:
            facts.update({"traceback": fault["traceback"]} if fault.get("traceback") else {})
            facts.update(state="failed", error=fault.get("message"), error_kind=fault.get("kind"))
        self._element.record(task, begun, attempt, **facts)
        return True

    def _blame(
        self, end: Exception, rest: list[Task], attempt: int, begun: float, *, alone: bool
    ) -> list[Step]:
        """The worker is lost, with the first of the rest under way: whether it has another try, and what follows."""
        facts = (
            {"state": "cancelled"} if isinstance(end, Cancelled) else {"state": "failed", "error": str(end)}
        )
        if self._worker:
            facts.update(self._worker.output({}))
        self.close()
        if not rest:
            return []
        if isinstance(end, EOFError):
            self._element.leave_if_shot()
        if rest[0]["work"].get("chunk") and not alone:  # which one it was is not told: one by one
            return [([task], attempt) for task in rest]
        follow: list[Step] = [(rest[1:], attempt)] if rest[1:] else []
        if facts["state"] == "failed":
            facts["error_kind"] = "timeout" if isinstance(end, Overdue) else "worker_died"
            if attempt <= self._element.retries:
                say(f"{rest[0]['id']} {end}, trying again")
                return [*follow, ([rest[0]], attempt + 1)]
        self._element.record(rest[0], begun, attempt, **facts)
        return follow


class Worker:
    """A warm process: orders on its stdin, answers on a pipe of their own, prints into files."""

    def __init__(self, cwd: str, scratch: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
        self._printed = [
            os.open(os.path.join(scratch, f"call.{name}"), flags, 0o600) for name in ("out", "err")
        ]
        self._reader, writer = os.pipe()
        self._buffer = b""
        try:
            self._process = subprocess.Popen(
                [sys.executable, SCRIPT, str(writer)],
                stdin=subprocess.PIPE,
                stdout=self._printed[0],
                stderr=self._printed[1],
                cwd=cwd,
                env={**dict.fromkeys(THREADS, os.environ.get("SLURM_CPUS_PER_TASK") or "1"), **os.environ},
                pass_fds=(writer,),
                start_new_session=True,
            )
        finally:
            os.close(writer)

    def send(self, given: list[Task]) -> None:
        """Raises EOFError where it has ended."""
        work = given[0]["work"]
        jobs = [{"arguments": task["work"].get("arguments") or {}} for task in given]
        order = {"call": work["call"], "path": work.get("path") or [], "chunk": bool(work.get("chunk"))}
        line = json.dumps({**order, "tell_ready": True, "jobs": jobs}).encode() + b"\n"
        assert self._process.stdin
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            raise EOFError(self._died()) from None

    def answer(self, tick: Callable[[], None]) -> Record:
        """The next answer; `tick` is called while there is none. Raises EOFError where the worker has ended."""
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._reader], [], [], LOOK)
            if ready:
                data = os.read(self._reader, 1 << 20)
                if not data:
                    raise EOFError(self._died())
                self._buffer += data
            else:
                tick()
        line, _, self._buffer = self._buffer.partition(b"\n")
        found: Record = json.loads(line)
        return found

    def output(self, answer: Record) -> Record:
        """What a job printed, by its answer; where there is none, all that the order printed."""
        found: Record = {}
        for name, key, fd in (("stdout", "out", self._printed[0]), ("stderr", "err", self._printed[1])):
            start, end = answer.get(key) or ((0, 0) if answer else (0, os.fstat(fd).st_size))
            if end > start:
                text = os.pread(fd, min(end - start, KEPT_BYTES), start)
                found[name] = text.decode("utf-8", "replace")
                write_all(1, text)
        return found

    def end(self) -> None:
        end_group(self._process)
        for fd in (self._reader, *self._printed):
            os.close(fd)

    def _died(self) -> str:
        code = self._process.wait()
        return (
            f"the worker ended by {signal_name(-code)}" if code < 0 else f"the worker ended with exit {code}"
        )
