"""Kind `local`: a program for every job, run on this machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

import msgspec

from batchtui.backends.base import BackendSettings, Direct, Job, KindLimits, Note, Probe, Setup
from batchtui.model import JobState, Json, Outcome
from batchtui.work.output import Written, take_output
from batchtui.work.process import Process, uninterrupted
from batchtui.work.slots import Slot, Slots
from batchtui.work.survivors import end_escaped, end_survivors, trace_of

Scalar: TypeAlias = str | int | float | bool
"""A rendered template that is one `{{ x }}` keeps its JSON type; a program gets it as text."""

_STDIN_SHOWN = 500
_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)


class LocalWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`command` is a program and its arguments, passed as they are, without a shell; all values end as text."""

    command: list[Scalar] | str
    env: dict[str, Scalar] = {}
    cwd: str | None = None
    stdin: Scalar | None = None

    def __post_init__(self) -> None:
        if isinstance(self.command, str):
            raise ValueError(
                f"command: expected a list of a program and its arguments{_as_list(self.command)}"
            )
        self.command = [_text(part) for part in self.command]
        self.env = {name: _text(value) for name, value in self.env.items()}
        self.stdin = None if self.stdin is None else _text(self.stdin)

    @property
    def argv(self) -> list[str]:
        return [_text(part) for part in self.command]

    @property
    def variables(self) -> dict[str, str]:
        return {name: _text(value) for name, value in self.env.items()}

    @property
    def input(self) -> bytes | None:
        return None if self.stdin is None else _text(self.stdin).encode("utf-8", "surrogatepass")


class LocalBackend(Direct[LocalWork]):
    """Runs every job's program in a process group of its own. What a program leaves running ends with it."""

    kind: ClassVar[str] = "local"
    summary: ClassVar[str] = "programs on this machine"
    Work: ClassVar[type[msgspec.Struct]] = LocalWork

    run_dir: Path | None = None
    """Where slot and output files go; a temporary folder where it is not set."""

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        self._open_slots: Slots | None = None
        self._temporary: str | None = None
        self._found: set[tuple[str, str | None, str | None]] = set()

    @property
    def limits(self) -> KindLimits:
        return KindLimits(concurrency=os.cpu_count() or 1, timeout=None, retries=0)

    timeouts_pass = False

    def use_run_dir(self, path: Path) -> None:
        """Keep slot and output files here, so that what runs is found again after a crash. Call before use."""
        self.run_dir = path
        self._open_slots = None

    def check(self, job: Job[LocalWork]) -> list[tuple[str, str]]:
        work = job.work
        problems = [
            (key, "holds a NUL character, which no program can be given")
            for key, text in [("command", " ".join(work.argv)), ("cwd", work.cwd or "")]
            + [(f"env.{name}", name + value) for name, value in work.variables.items()]
            if "\0" in text
        ]
        problems += [
            (f"env.{name}", "is not a name for a variable: it may not be empty or hold =")
            for name in work.env
            if not name or "=" in name
        ]
        if problems:
            return problems
        if work.cwd is not None and not os.path.isdir(work.cwd):
            return [("cwd", f"there is no folder {work.cwd}")]
        if not work.argv or not work.argv[0]:
            return [("command", "is empty: name a program")]
        return self._check_program(work)

    def _check_program(self, work: LocalWork) -> list[tuple[str, str]]:
        program, path = work.argv[0], work.variables.get("PATH")
        if (program, path, work.cwd) in self._found:
            return []
        if os.sep in program:
            place = os.path.join(work.cwd or "", program)
            if not os.path.isfile(place):
                return [("command", f"there is no program {place}")]
            if not os.access(place, os.X_OK):
                return [("command", f"{place} is not executable (chmod +x makes it so)")]
        elif shutil.which(program, path=path) is None:
            return [("command", f"there is no program {program} on the PATH")]
        self._found.add((program, path, work.cwd))
        return []

    def describe(self, job: Job[LocalWork]) -> Json:
        work = job.work
        shown: dict[str, Json] = {"command": work.argv}
        if work.cwd is not None:
            shown["cwd"] = work.cwd
        if work.env:
            shown["env"] = {
                name: "•••" if _SECRET.search(name) else value for name, value in work.env.items()
            }
        if work.stdin is not None:
            text = _text(work.stdin)
            more = len(text) - _STDIN_SHOWN
            shown["stdin"] = text if more <= 0 else f"{text[:_STDIN_SHOWN]}… +{more}"
        return shown

    async def run(self, job: Job[LocalWork], note: Note) -> Outcome:
        work = job.work
        if not work.argv:
            return _not_started("the command is empty: name a program")
        try:
            slot = self._slots().take()
        except OSError as fault:
            return _unusable(fault)
        try:
            begin = time.monotonic()
            try:
                process = Process(work.argv, work.variables, work.cwd, work.input, slot)
            except (OSError, ValueError) as fault:
                return _not_started(f"cannot start {work.argv[0]}: {_reason(fault)}")
            try:
                note(trace_of(process.pid, slot))
                code = await process.exited()
                seconds = time.monotonic() - begin
                if process.left_some():
                    await process.end()
            except BaseException:
                await uninterrupted(_end(process, slot))
                raise
            try:
                stdout, stderr = take_output(slot.file("stdout")), take_output(slot.file("stderr"))
            except OSError as fault:
                return _unusable(fault)
            return _outcome(code, seconds, stdout, stderr)
        finally:
            slot.release()

    async def settle(self, traces: Sequence[dict[str, Json]]) -> None:
        await end_survivors(self._slots(), traces)

    async def probe(self) -> Probe:
        return Probe(ok=True, message=f"ready, {self.limits.concurrency} processors")

    async def close(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = self._open_slots = None

    def _slots(self) -> Slots:
        if self._open_slots is None:
            folder = self.run_dir
            if folder is None:
                self._temporary = tempfile.mkdtemp(prefix="batchtui-run-")
                folder = Path(self._temporary)
            self._open_slots = Slots(folder)
        return self._open_slots


async def _end(process: Process, slot: Slot) -> None:
    await process.end()
    await end_escaped(slot)


def _outcome(code: int, seconds: float, stdout: Written, stderr: Written) -> Outcome:
    output: dict[str, Json] = {
        "stdout": stdout.text,
        "stderr": stderr.text,
        "exit_code": code,
        "seconds": round(seconds, 6),
    }
    cut = {name: stream.size for name, stream in (("stdout", stdout), ("stderr", stderr)) if stream.cut}
    if cut:
        output["truncated"] = cut
    if code == 0:
        return Outcome(state=JobState.COMPLETED, raw_response=stdout.text, output=output)
    kind, error = ("exit", f"exit {code}") if code > 0 else ("signal", f"ended by {_signal_name(-code)}")
    if stderr.last_line:
        error = f"{error}: {stderr.last_line}"
    return Outcome(
        state=JobState.FAILED, raw_response=stdout.text, output=output, error=error, error_kind=kind
    )


def _not_started(error: str) -> Outcome:
    return Outcome(state=JobState.FAILED, error=error, error_kind="start")


def _unusable(fault: OSError) -> Outcome:
    error = f"cannot use the batch's run folder: {fault}"
    return Outcome(state=JobState.FAILED, error=error, error_kind="output")


def _reason(fault: OSError | ValueError) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror}: {fault.filename}" if fault.filename else fault.strerror
    return str(fault)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _as_list(command: str) -> str:
    try:
        parts = shlex.split(command)
    except ValueError:
        return ', such as ["wc", "-w", "notes.txt"]'
    return f": write {msgspec.json.encode(parts).decode()}"


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
