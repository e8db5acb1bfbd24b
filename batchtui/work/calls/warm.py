"""One warm worker process, seen from the program that drives it: orders out, answers in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec

from batchtui.model import Json
from batchtui.work import call_worker
from batchtui.work.programs.output import Written, read_output
from batchtui.work.programs.process import Process
from batchtui.work.programs.slots import Slot
from batchtui.work.programs.survivors import end_escaped, trace_of

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
"""Every worker has a processor of its own to keep busy; libraries that start threads would only disturb each other."""
_LONGEST_LINE = call_worker.LARGEST + (1 << 20)
_TO_EXIT = 1.0
"""Seconds from the end of a worker's answers to its exit, where that is what ended them."""
_TO_READ = 0.2
"""Seconds in which the last answers of an ended worker are read."""
_SCRIPT = call_worker.__file__
_STREAMS = (("stdout", "out"), ("stderr", "err"))
"""Output files, and where an answer says what of them is its own."""


class Ended(Exception):
    """The worker ended without answering. `how` says in words how."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class WarmWorker:
    """A process of call_worker.py in a group of its own; it holds a slot, and ends when its stdin does."""

    def __init__(self, slot: Slot) -> None:
        """Start it. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, _SCRIPT, "0"]
            try:
                self.process = Process(command, ONE_THREAD, None, theirs.fileno(), slot)
            except BaseException:
                ours.close()
                raise
        self.slot = slot
        self.trace = trace_of(self.process.pid, slot)
        self._socket = ours
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._told: dict[str, int] = {}
        """Up to where the output files hold what the answers of this order have told."""

    async def answers(
        self, call: str, path: Sequence[str], chunk: bool, jobs: list[Json]
    ) -> AsyncGenerator[Json, None]:
        """Send an order and give its answers as they come, `{"ready": true}` first. Raises Ended, OSError."""
        reader, writer = await self._open()
        order = {"call": call, "path": path, "chunk": chunk, "tell_ready": True}
        order["jobs"] = [{"arguments": arguments} for arguments in jobs]
        self._told = {}
        writer.write(_line(order))
        while True:
            try:
                line = await reader.readline()
            except (OSError, ValueError) as fault:  # cut off, or longer than any answer may be
                raise Ended(f"the worker process cannot be read from any more: {fault}") from fault
            if not line.endswith(b"\n"):
                raise Ended(await self._how())
            answer = _decoded(line)
            if "done" in answer:
                return
            self._told |= {name: answer[key][1] for name, key in _STREAMS if key in answer}
            yield answer

    def printed(self, answer: Json) -> dict[str, Written]:
        """What the job of this answer wrote to stdout and stderr. Raises OSError."""
        return {
            name: read_output(self.slot.file(name), *answer[key]) for name, key in _STREAMS if key in answer
        }

    def last_words(self) -> dict[str, Written]:
        """What was written since the last answer, for a job that will give none. Empty where it cannot be read."""
        found: dict[str, Written] = {}
        for name, _ in _STREAMS:
            path, begin = self.slot.file(name), self._told.get(name, 0)
            with contextlib.suppress(OSError):
                if (end := os.stat(path).st_size) > begin:
                    found[name] = read_output(path, begin, end)
        return found

    async def end(self) -> None:
        """End it with all that it started; its slot is free afterwards."""
        try:
            await self.process.end()
            await end_escaped(self.slot)
        finally:
            self.slot.release()
            if self._watch:
                self._watch.cancel()
            if self._streams:
                self._streams[1].close()
            self._socket.close()

    async def _how(self) -> str:
        """How it ended, in words."""
        try:
            async with asyncio.timeout(_TO_EXIT):
                return _how(await self.process.exited())
        except TimeoutError:
            return "the worker process closed its connection"

    async def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        """Once the worker has ended: a process that it forked may hold its connection open."""
        await self.process.exited()
        await asyncio.sleep(_TO_READ)
        writer.transport.abort()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._socket, limit=_LONGEST_LINE)
            self._watch = asyncio.create_task(self._hang_up(self._streams[1]))
        return self._streams


def package_folder() -> str:
    """Where a worker finds our own package."""
    return str(Path(call_worker.__file__).parents[2])


def _line(order: Json) -> bytes:
    """One line of ASCII, so that lone halves of an emoji pass as well."""
    return json.dumps(order).encode() + b"\n"


def _decoded(line: bytes) -> Json:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:  # numbers and characters that only the slower reader takes
        return json.loads(line)


def _how(code: int) -> str:
    if code >= 0:
        return f"the worker process ended with exit {code}"
    try:
        return f"the worker process was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the worker process was ended by signal {-code}"
