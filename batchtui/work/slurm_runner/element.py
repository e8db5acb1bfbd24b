"""One start of one element: its tasks one after another, tried again where a failure may pass."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import socket
import tempfile
import time
from typing import TYPE_CHECKING

from .calls import Caller, orders
from .endings import Cancelled, Leave, Overdue
from .files import SYNC_SECONDS, Results, finished, say, tasks
from .programs import run_program

if TYPE_CHECKING:
    from typing import Any

    from .files import Record, Task

LOOK_SECONDS = 1.0
"""Between looks for a mark that cancels the task under way."""
SHOT_SECONDS = 0.3
BACKOFF, BACKOFF_CAP = 1.0, 60.0

_asked_to_leave = False
_ears: list[int] = []
"""Where a signal is heard by whoever waits."""


def heed_signals() -> None:
    """Slurm announces the end of an element by TERM, or by USR1 where it was asked to."""
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    signal.set_wakeup_fd(mouth)
    _ears.append(ear)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leave)


def _leave(number: int, frame: object) -> None:
    global _asked_to_leave
    _asked_to_leave = True


def _leaves_within(seconds: float) -> bool:
    """Wait so long, or until Slurm asks to leave; whether it has."""
    if not _asked_to_leave:
        select.select(_ears, [], [], seconds)
    return _asked_to_leave


class Element:
    """Belongs to one process: what it is told by signals counts for all of it."""

    def __init__(self, folder: str, element: int, restart: int) -> None:
        self.folder, self.element, self.restart = folder, element, restart
        with open(os.path.join(folder, "run.json"), "rb") as file:
            self.run: Record = json.load(file)
        self.results = Results(folder, element, restart)
        self.node = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
        self.scratch = tempfile.mkdtemp(prefix="batchtui-slurm-")
        self._looked = 0.0

    @property
    def retries(self) -> int:
        return int(self.run["retries"])

    def go(self) -> None:
        """Do every task of it that has no result."""
        done = finished(self.folder, self.element)
        left = [task for task in tasks(self.folder, self.run, self.element) if task["task"] not in done]
        say(f"element {self.element} on {self.node}: {len(left)} tasks, {len(done)} have a result")
        caller = Caller(self)
        try:
            for order in orders(left):
                if "call" in order[0]["work"]:
                    caller.do(order)
                else:
                    self._command(order[0])
        except Leave:
            say("ending: " + ("its tasks run elsewhere" if self._given_up() else "Slurm asked for it"))
        finally:
            caller.close()
            self.results.sync()
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _command(self, task: Task) -> None:
        attempt, again = 1, task["work"].get("retry_exit_codes") or ()
        while not self.skip(task):
            begun = time.time()
            say(f"{task['id']} started" + (f", attempt {attempt}" if attempt > 1 else ""))
            facts = run_program(task, self)
            if facts.get("exit_code") not in again or attempt > self.retries:
                self.record(task, begun, attempt, **facts)
                return
            say(f"{task['id']} exit {facts['exit_code']}, trying again")
            self.rest(attempt)
            attempt += 1

    # ---- what may end a wait

    def skip(self, task: Task) -> bool:
        """Whether the task need not run, since it was cancelled. Raises Leave."""
        if _asked_to_leave or self._given_up():
            raise Leave
        if self._cancelled(task):
            self.record(task, time.time(), 0, state="cancelled")
            return True
        return False

    def tick(self, task: Task, begun: float, least: float = 0.0) -> None:
        """Called while a task runs. Raises Leave, Overdue, Cancelled. `least`: seconds it may take in any case."""
        self.results.sync_if_due()
        if _asked_to_leave:
            raise Leave
        now, limit = time.monotonic(), self.run["timeout"]
        if limit is not None and now - begun > max(limit, least):
            raise Overdue(f"no answer within {limit:g} s")
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            if self._given_up():
                raise Leave
            if self._cancelled(task):
                raise Cancelled

    def leave_if_shot(self) -> None:
        """Slurm shoots a whole element at once: what died of a signal may have died of that. Raises Leave."""
        if _leaves_within(SHOT_SECONDS):
            raise Leave

    def rest(self, attempt: int) -> None:
        """Wait after this attempt, longer each time and never in step with others. Raises Leave."""
        end = time.monotonic() + min(BACKOFF_CAP, BACKOFF * 2 ** (attempt - 1)) * random.uniform(0.5, 1)
        while time.monotonic() < end:
            self.results.sync_if_due()
            if _leaves_within(min(SYNC_SECONDS, max(0.0, end - time.monotonic()))):
                raise Leave

    def _cancelled(self, task: Task) -> bool:
        """Whether a mark in the run folder cancels the task, or all of them."""
        return self._marked("all") or self._marked(str(task["n"]))

    def _given_up(self) -> bool:
        """Whether Slurm counted this node as lost, so that the tasks run elsewhere by now."""
        return self._marked(f"element-{self.element}")

    def _marked(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.folder, "cancel", name))

    # ---- results

    def record(self, task: Task, begun: float, attempt: int, **facts: Any) -> None:
        """Write a result. `facts`: its state, and what else there is to say; `begun` in Unix seconds."""
        now = time.time()
        record = {"task": task["task"], "state": facts["state"], "id": task["id"], "attempt": attempt}
        record.update(form=task["form"], node=self.node, element=self.element, restart=self.restart)
        record.update(started=begun, ended=now, seconds=round(now - begun, 6))
        record.update(facts)
        self.results.write(record)
        told = f": {facts['error']}" if facts.get("error") else ""
        say(f"{task['id']} {record['state']} after {record['seconds']:.3f} s{told}")
