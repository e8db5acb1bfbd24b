"""The run folder of one submission, on a file system that the cluster's nodes share.

run.json        how the tasks are cut into elements, their limits; written last
tasks.jsonl     one task a line
run.sh          what every element starts: slurm_runner.py, copied beside it, with the configured Python
array           the id of the array that took the folder
results/0/12.0.jsonl, tables/0/12.0.z    of element 12, not restarted
cancel/         `all`, or the numbers of jobs that are not to run; `element-12`: its tasks run elsewhere
logs/12.out     what the element's tasks printed
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

import batchtui.work
from batchtui import typed
from batchtui.backends.base import Job, Submission
from batchtui.durable import sync_file
from batchtui.model import Json
from batchtui.store.disk import ranges
from batchtui.work.calls.warm import package_folder
from batchtui.work.job import OF_FORM, ProgramWork

TASK_CHUNK = 64
"""Scenarios that a worker solves together."""
_READ = 1 << 20


class Plan(msgspec.Struct):
    """run.json. `starts`: where in tasks.jsonl an element begins; `jobs`: the numbers of its jobs, in order."""

    token: str
    chunk: int
    starts: list[int]
    tasks: int
    jobs: str
    timeout: float | None
    retries: int
    cwd: str
    schema: int = 1

    @property
    def elements(self) -> int:
        return len(self.starts)


@dataclass(slots=True)
class Seen:
    """What was read of the result files so far."""

    offsets: dict[str, int] = field(default_factory=dict)
    tasks: dict[int, str] = field(default_factory=dict)
    """State by task, of those with a result."""
    completed: int = 0


class RunFolder:
    """Made without I/O; its methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # ---- making

    def write(
        self,
        submission: Submission,
        jobs: Iterator[list[Job[ProgramWork]]],
        chunk: int,
        python: str,
        marker: str,
    ) -> Iterator[None]:
        """Write it by groups of jobs, with a pause after each. `marker`: lines of run.sh before the runner starts."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.path, *(self.path / name for name in ("results", "cancel", "logs"))):
            path.mkdir(mode=0o700, exist_ok=True)
        self._copy_runner()
        package = [package_folder()] if python == sys.executable else []  # another Python has its own
        starts: list[int] = []
        numbers: list[int] = []
        with _private(self.path / "tasks.jsonl") as file:
            at = 0
            for group in jobs:
                lines = []
                for job in group:
                    if len(numbers) % chunk == 0:
                        starts.append(at)
                    line = json.dumps(task_of(job, len(numbers), package)).encode() + b"\n"
                    numbers.append(job.index)
                    at += len(line)
                    lines.append(line)
                file.write(b"".join(lines))
                yield
            file.flush()
            sync_file(file.fileno(), self.path / "tasks.jsonl")
        plan = Plan(
            token=submission.token,
            chunk=chunk,
            starts=starts,
            tasks=len(numbers),
            jobs=ranges.encode(numbers),
            timeout=submission.timeout,
            retries=submission.retries,
            cwd=os.getcwd(),
        )
        folder, command = shlex.quote(str(self.path)), shlex.quote(python)
        script = f"#!/bin/sh\n{marker}cd {folder}/bin && exec {command} -m slurm_runner {folder}\n"
        for name, data in (("run.sh", script.encode()), ("run.json", msgspec.json.encode(plan))):
            with _private(self.path / f"{name}.new") as file:
                file.write(data)
                file.flush()
                sync_file(file.fileno(), self.path / name)
            os.replace(self.path / f"{name}.new", self.path / name)

    def _copy_runner(self) -> None:
        """As the nodes run it: standard library only, whatever is installed there."""
        source, target = Path(batchtui.work.__path__[0]), self.path / "bin"
        (target / "slurm_runner").mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source / "call_worker.py", target / "call_worker.py")
        for module in (source / "slurm_runner").glob("*.py"):
            shutil.copyfile(module, target / "slurm_runner" / module.name)

    # ---- reading

    def plan(self) -> Plan:
        """Raises OSError, msgspec.MsgspecError where there is no whole one."""
        return typed.decode((self.path / "run.json").read_bytes(), Plan)

    def claimed(self) -> str | None:
        """The id of the array that runs these tasks, once an element has started."""
        try:
            return (self.path / "array").read_text().strip() or None
        except OSError:
            return None

    def files(self) -> Iterator[str]:
        """Paths of the result files there are."""
        try:
            with os.scandir(self.path / "results") as groups:
                folders = sorted(entry.path for entry in groups if entry.name.isdecimal())
        except FileNotFoundError:
            return
        for folder in folders:
            with os.scandir(folder) as entries:
                yield from sorted(entry.path for entry in entries if entry.name.endswith(".jsonl"))

    def look(self, seen: Seen) -> None:
        """Read what was appended since the last look."""
        for path in self.files():
            at = seen.offsets.get(path, 0)
            if os.stat(path).st_size > at:
                for task, state, end in _heads(path, at):
                    seen.offsets[path] = end
                    if task not in seen.tasks:
                        seen.tasks[task] = state
                        seen.completed += state == "completed"

    def records(self, told: dict[str, int] | None = None) -> Iterator[list[dict[str, Json]]]:
        """Results in groups, the first of every task alone; torn lines are passed over.

        `told`: where the last look at each file ended, moved on as a group is taken; None: all of them.
        """
        known: set[int] = set()
        ends = {} if told is None else told
        for path in self.files():
            with open(path, "rb") as file:
                file.seek(ends.get(path, 0))
                while lines := [line for line in file.readlines(_READ) if line.endswith(b"\n")]:
                    group = []
                    for line in lines:
                        record = _record(line)
                        if record is not None and record["task"] not in known:
                            known.add(record["task"])
                            group.append(record)
                    yield group
                    ends[path] = ends.get(path, 0) + sum(map(len, lines))

    def tasks(self) -> Iterator[list[dict[str, Json]]]:
        """The lines of tasks.jsonl, in groups."""
        with open(self.path / "tasks.jsonl", "rb") as file:
            while lines := file.readlines(_READ):
                yield [json.loads(line) for line in lines]

    def log(self, element: int) -> Path:
        return self.path / "logs" / f"{element}.out"

    # ---- deleting

    def delete(self, token: str) -> str | None:
        """Delete it, where it is that of this token; why it stays. Half of one is never taken for a whole one."""
        try:
            if self.plan().token != token:
                return f"{self.path} is the run folder of another"
            gone = self.path.with_name(f".deleted-{self.path.name}")
            os.rename(self.path, gone)
            shutil.rmtree(gone)
        except (OSError, msgspec.MsgspecError) as fault:
            return f"the run folder {self.path} could not be deleted whole ({fault})"
        return None

    # ---- cancelling

    def cancel(self, numbers: Iterable[int] | None = None) -> None:
        """Mark jobs by their numbers, None: all; the runner looks before each task and while it runs."""
        marks = self.path / "cancel"
        marks.mkdir(mode=0o700, exist_ok=True)
        for name in ("all",) if numbers is None else map(str, numbers):
            (marks / name).touch(mode=0o600)

    def give_up(self, elements: Iterable[int]) -> None:
        """Have these elements leave, should any still live on a node that Slurm has lost: their jobs go elsewhere."""
        for element in elements:
            (self.path / "cancel" / f"element-{element}").touch(mode=0o600)

    def cancelled(self) -> set[str]:
        """The marks: `all`, numbers of jobs, elements that were given up."""
        try:
            return set(os.listdir(self.path / "cancel"))
        except OSError:
            return set()

    def idle_elements(self, seen: Seen, wanted: Iterable[int]) -> list[int]:
        """Elements of these jobs of whose tasks none is left that has neither a result nor a mark."""
        plan, marks = self.plan(), self.cancelled()
        numbers, some = list(ranges.decode(plan.jobs)), set(wanted)
        touched = {place // plan.chunk for place, number in enumerate(numbers) if number in some}
        idle = []
        for element in sorted(touched):
            places = range(element * plan.chunk, min(plan.tasks, (element + 1) * plan.chunk))
            if all(place in seen.tasks or str(numbers[place]) in marks for place in places):
                idle.append(element)
        return idle


def task_of(job: Job[ProgramWork], place: int, package: list[str]) -> dict[str, Json]:
    """A line of tasks.jsonl: what the runner needs to know of a job. `package`: where ours is, for tasks."""
    given = job.work
    work: dict[str, Json]
    if given.form == "command":
        work = {"command": given.argv, "env": given.variables, "cwd": given.cwd}
        work |= {"stdin": given.stdin, "retry_exit_codes": given.retry_exit_codes}
    else:
        work = {
            "call": given.function,
            "chunk": (given.chunk or TASK_CHUNK) if given.takes_chunk else None,
            "group": given.group,
            "path": package if given.form == "task" else given.python_path,
            "arguments": given.table(job.id, job.attempt, None),
        }
    return {
        "task": place,
        "n": job.index,
        "id": job.id,
        "form": given.form,
        "work": {k: v for k, v in work.items() if v},
    }


def work_of(task: dict[str, Json]) -> dict[str, Json]:
    """The `[job]` that a line of tasks.jsonl came from."""
    work: dict[str, Json] = task["work"]
    if task["form"] == "command":
        return work
    given = work.get("arguments") or {}
    if task["form"] == "task":
        return {key: given[key] for key in ("task", *OF_FORM["task"]) if given.get(key) is not None}
    chunk = {"chunk": work["chunk"]} if work.get("chunk") else {}
    return {"call": work["call"], "arguments": given, "python_path": work.get("path") or [], **chunk}


def folder_of(place: Path, array: str) -> RunFolder | None:
    """The run folder that an array has taken."""
    try:
        folders = [RunFolder(Path(entry.path)) for entry in os.scandir(place) if entry.is_dir()]
    except OSError:
        return None
    return next((folder for folder in folders if folder.claimed() == array), None)


def _private(path: Path) -> BinaryIO:
    """Open for writing, readable by its owner alone: jobs may hold what is nobody else's business."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _heads(path: str, at: int) -> Iterator[tuple[int, str, int]]:
    """Task, state and end of each whole line from there on."""
    with open(path, "rb") as file:
        file.seek(at)
        while lines := file.readlines(_READ):
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                at += len(line)
                if (record := _record(line)) is not None:
                    yield record["task"], record["state"], at


def _record(line: bytes) -> dict[str, Json] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    sound = (
        isinstance(record, dict)
        and isinstance(record.get("task"), int)
        and isinstance(record.get("state"), str)
    )
    return record if sound else None
