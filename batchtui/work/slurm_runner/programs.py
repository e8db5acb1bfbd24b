"""A program a task: in a process group of its own, which ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from .endings import Cancelled, Overdue
from .files import write_all

if TYPE_CHECKING:
    from typing import BinaryIO

    from .files import Around, Record, Task

KEPT_BYTES = 1_000_000
"""Bytes of one output stream that a result keeps."""
GRACE = 1.0
"""Seconds between asking a program to end and making it end."""
LOOK = 0.2
_SHOT = frozenset(code for number in (signal.SIGTERM, signal.SIGKILL) for code in (-number, 128 + number))
"""Exits of a program, or of a shell around it, that one of these signals ended."""
_LAST_BYTES, _LINE_CHARACTERS = 4096, 500


def run_program(task: Task, element: Around) -> Record:
    """Run the program of a task to its end, whatever that is; state and output of its result. Raises Leave."""
    work = task["work"]
    with ExitStack() as opened:
        stdin, stdout, stderr = (
            opened.enter_context(open(os.path.join(element.scratch, name), "w+b"))
            for name in ("stdin", "stdout", "stderr")
        )
        stdin.write((work.get("stdin") or "").encode("utf-8", "surrogatepass"))
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                work["command"],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=work.get("cwd") or element.run["cwd"],
                env={**os.environ, **work.get("env", {})},
                start_new_session=True,
            )
        except (OSError, ValueError) as fault:
            error = f"cannot start {work['command'][0]}: {getattr(fault, 'strerror', None) or fault}"
            return {"state": "failed", "error": error, "error_kind": "start"}
        copies = [Copy(stdout), Copy(stderr)]
        try:
            facts = _ending(_exit_of(process, task, element, copies), stderr)
        except Overdue as fault:
            facts = {"state": "failed", "error": str(fault), "error_kind": "timeout"}
        except Cancelled:
            facts = {"state": "cancelled"}
        finally:
            end_group(process)
            for copy in copies:
                copy.go_on()
        return {**facts, **_output(stdout, stderr)}


def _exit_of(process: subprocess.Popen[bytes], task: Task, element: Around, copies: list[Copy]) -> int:
    begun = time.monotonic()
    while True:
        try:
            code = process.wait(timeout=LOOK)
        except subprocess.TimeoutExpired:
            element.tick(task, begun)
            for copy in copies:
                copy.go_on()
        else:
            if code in _SHOT:
                element.leave_if_shot()
            return code


class Copy:
    """What a program writes, copied to the element's log as it comes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._fd, self._at = stream.fileno(), 0

    def go_on(self) -> None:
        while True:
            data = os.pread(self._fd, 1 << 16, self._at)
            if not data:
                return
            self._at += len(data)
            write_all(1, data)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it left in its process group."""
    if not _signalled(process.pid, signal.SIGTERM if process.poll() is None else signal.SIGKILL):
        process.wait()
        return
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=GRACE)
    _signalled(process.pid, signal.SIGKILL)
    process.wait()


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _ending(code: int, stderr: BinaryIO) -> Record:
    facts: Record = {"state": "completed" if code == 0 else "failed", "exit_code": code}
    if code:
        error = f"exit {code}" if code > 0 else f"ended by {signal_name(-code)}"
        last = _last_line(stderr)
        facts["error"] = f"{error}: {last}" if last else error
        facts["error_kind"] = "exit" if code > 0 else "signal"
    return facts


def _last_line(stream: BinaryIO) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _LAST_BYTES))
    lines = stream.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[-_LINE_CHARACTERS:]


def _output(stdout: BinaryIO, stderr: BinaryIO) -> Record:
    found: Record = {}
    for name, stream in (("stdout", stdout), ("stderr", stderr)):
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        found[name] = stream.read(KEPT_BYTES).decode("utf-8", "replace")
        if size > KEPT_BYTES:
            found[name] += f"\n[cut here: {size - KEPT_BYTES:,} of {size:,} bytes were not kept]"
            found.setdefault("truncated", {})[name] = size
    return found
