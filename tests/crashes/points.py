"""Places on a batch's way at which a process can be made to end by a signal, from inside and to the instruction.

The product knows nothing of it: the functions named here are replaced in the process that is to die (see `nursery`).
A point is a step with a side, such as `create.after`: after the whole create went over the wire and before any of its
reply was read. `any` is every write, sync, rename and exchange on the way, before and after. A cluster's upload is its
run folder and its create the command `sbatch`: `underway.after`, it runs; `create.after`, it has ended.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import httpx

UPLOADS = re.compile(r"/(?:upload/v1\w*/)?files\b")
CREATES = re.compile(
    r"(?:/batches|/batch/jobs|:batchGenerateContent|/energymodels|/chat/completions|/execution)(?:\?.*)?$"
)
CHECKPOINT_EVENTS = 12
"""So few, that a small batch saves its columns on its way as a large one does."""

Kill = Callable[[str], None]
"""Told of every point that is passed."""


@dataclass(frozen=True)
class Step:
    """A function of the product; `only` says which of its calls are meant."""

    name: str
    module: str
    function: str
    only: Callable[..., bool] = lambda *_, **__: True
    sides: tuple[str, ...] = ("before", "after")


def _is(event: str) -> Callable[..., bool]:
    return lambda _, told, **__: told == event


def _named(name: str) -> Callable[..., bool]:
    return lambda _, target, *__, **___: os.path.basename(target) == name


def _submits(command: str, *_: object, **__: object) -> bool:
    return command == "sbatch"


WRITER, LIBC, SBATCH = "batchtui.store.writer:BatchWriter", "os", "batchtui.backends.slurm.commands"
STEPS = (
    Step("intent", WRITER, "record_intent"),
    Step("note", WRITER, "record", _is("note"), ("after",)),
    Step("record", WRITER, "record", lambda _, told, **__: told in ("submitted", "answered")),
    Step("answer", LIBC, "replace", lambda _, target, *__: "-answer." in os.path.basename(target)),
    Step("result", WRITER, "store"),
    Step("result", WRITER, "_result_event", sides=("middle",)),
    Step("checkpoint", "batchtui.store.files.checkpoint", "save"),
    Step("checkpoint", LIBC, "replace", _named("checkpoint.json"), ("middle",)),
    Step("collected", WRITER, "record", _is("collected")),
    Step("repair", "batchtui.cli.control.fsck", "repair"),
    Step("upload", "batchtui.backends.slurm.backend:SlurmBackend", "_write"),
    Step("upload", LIBC, "replace", _named("run.json"), ("middle",)),
    Step("create", SBATCH, "call", _submits),
    Step("underway", "asyncio", "create_subprocess_exec", _submits, ("after",)),
    Step("reply", SBATCH, "sbatch", sides=("after",)),
)
ON_THE_WIRE = (
    "upload.before", "upload.middle", "upload.after",
    "create.before", "create.middle", "create.after", "reply.before", "reply.after",
)  # fmt: skip
DISK = ("write", "pwrite", "fsync", "ftruncate", "replace", "rename", "unlink")
NAMES = (*(f"{step.name}.{side}" for step in STEPS for side in step.sides), *ON_THE_WIRE, "any")


def arm(point: str, nth: int, number: int = signal.SIGKILL) -> None:
    """From now on this process gets that signal when it passes `point` for the `nth` time, in whatever thread."""
    assert point in NAMES, point
    lock, left = threading.Lock(), nth

    def passed(name: str) -> None:
        nonlocal left
        if point not in (name, "any"):
            return
        with lock:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), number)
                if number == signal.SIGKILL:
                    signal.pause()

    for step in STEPS:
        _surround(step, passed)
    _listen_on_the_wire(passed)
    if point == "any":
        for name in DISK:
            _surround(Step(name, LIBC, name), passed)
    _save_columns_often()


def _save_columns_often() -> None:
    from batchtui.store import writer

    writer.CHECKPOINT_EVENTS = CHECKPOINT_EVENTS


def _surround(step: Step, passed: Kill) -> None:
    name, _, inside = step.module.partition(":")
    owner: Any = importlib.import_module(name)
    if inside:
        owner = getattr(owner, inside)
    really = getattr(owner, step.function)

    def before(*args: Any, **kwargs: Any) -> bool:
        meant = step.only(*args, **kwargs)
        for side in step.sides:
            if meant and side != "after":
                passed(f"{step.name}.{side}")
        return meant

    def after(meant: bool) -> None:
        if meant and "after" in step.sides:
            passed(f"{step.name}.after")

    if iscoroutinefunction(really):

        @wraps(really)
        async def waited(*args: Any, **kwargs: Any) -> Any:
            meant = before(*args, **kwargs)
            answer = await really(*args, **kwargs)
            after(meant)
            return answer

        setattr(owner, step.function, waited)
        return

    @wraps(really)
    def called(*args: Any, **kwargs: Any) -> Any:
        meant = before(*args, **kwargs)
        answer = really(*args, **kwargs)
        after(meant)
        return answer

    setattr(owner, step.function, called)


# ---- the wire


def _listen_on_the_wire(passed: Kill) -> None:
    from batchtui.backends.http import Http
    from batchtui.backends.wire.connection import Connection

    really, judged = Connection.handle_async_request, Http._reply

    async def exchange(transport: Connection, request: httpx.Request) -> httpx.Response:
        step = _step(request)
        passed(f"{step}.before")
        request.stream = _Told(request.stream, step, passed)
        response = await really(transport, request)
        passed("upload.after" if step == "upload" else "reply.before" if step == "create" else "read.after")
        response.extensions["step"] = step
        return response

    def reply(http: Http, response: httpx.Response, data: bytearray, *more: str) -> object:
        if response.extensions.get("step") == "create":
            passed("reply.after")
        return judged(http, response, data, *more)

    Connection.handle_async_request = exchange  # type: ignore[method-assign]
    Http._reply = reply  # type: ignore[method-assign, assignment]


def _step(request: httpx.Request) -> str:
    path = request.url.raw_path.decode()
    if request.method != "POST":
        return "read"
    if UPLOADS.search(path):
        return "upload"
    return "create" if CREATES.search(path) else "read"


class _Told(httpx.AsyncByteStream):
    """A body that tells how much of it has gone: its first half, and all of it."""

    def __init__(self, body: Any, step: str, passed: Kill) -> None:
        self._body, self._step, self._passed = body, step, passed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            half = len(piece) // 2
            if half:
                yield piece[:half]
                self._passed(f"{self._step}.middle")
            yield piece[half:]
        if self._step == "create":
            self._passed("create.after")

    async def aclose(self) -> None:
        if hasattr(self._body, "aclose"):
            await self._body.aclose()
