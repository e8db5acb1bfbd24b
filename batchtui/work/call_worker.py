"""A warm process that calls Python functions for whoever holds its stdin: `call_worker.py DESCRIPTOR`.

Standard library only, and a plain file, since a copy of it also runs on clusters. An order is one line of JSON on stdin:

    {"call": "package.module:function", "path": [folders], "chunk": false, "jobs": [{"arguments": {…}}, …]}

Answers are lines on the given descriptor, in the order of the jobs: `{"job": 0, "value": …, "seconds": 0.1}` or
`{"job": 0, "fault": {"kind": "exception", "message": "…", "transient": false, "traceback": "…"}}`, then `{"done": true}`.
With `"tell_ready": true` in the order, `{"ready": true}` goes before them, once the module is imported.
`out` and `err` of an answer are the bytes of the files behind stdout and stderr that hold what the job printed; an
order begins with both files empty.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

LARGEST = 16 << 20
"""Bytes of JSON that a result may have."""
_TRACE_LINES, _TRACE_CHARACTERS = 20, 4000
_MESSAGE_CHARACTERS = 2000

Order = dict[str, Any]
Fault = dict[str, Any]


class Unusable(Exception):
    """The function cannot be called, or gives what no result can be. `kind` goes with the fault."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Answers:
    """Where the answers of one order go."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self.given = 0
        self._since = time.monotonic()
        self._printed = (0, 0)

    def begin(self) -> None:
        """The next order begins."""
        self.given = 0
        self.start_clock()
        _flush()
        for fd in (1, 2):
            with contextlib.suppress(OSError):  # a terminal or a pipe, from which nothing is read back
                os.ftruncate(fd, 0)
        self._printed = _sizes()

    def start_clock(self) -> None:
        """Seconds count from here on: what the import of the module took is no job's."""
        self._since = time.monotonic()

    def say(self, **facts: Any) -> None:
        self._write(json.dumps(facts, separators=(",", ":")).encode())

    def give(self, value: Any) -> None:
        """Answer the next job: with its value, or with the fault that an exception stands for."""
        line = b""
        if not isinstance(value, BaseException):
            try:
                line = _encoded(value)
            except Unusable as fault:
                value = fault
        facts = {"job": self.given, "seconds": round(time.monotonic() - self._since, 6), **self._captured()}
        if isinstance(value, BaseException):
            facts["fault"] = fault_of(value)
        head = json.dumps(facts, separators=(",", ":")).encode()
        self._write(head if "fault" in facts else head[:-1] + b',"value":' + line + b"}")
        self.given += 1
        self._since = time.monotonic()

    def _captured(self) -> dict[str, Any]:
        _flush()
        before, self._printed = self._printed, _sizes()
        spans = zip(("out", "err"), before, self._printed, strict=True)
        return {name: [start, end] for name, start, end in spans if end > start}

    def _write(self, line: bytes) -> None:
        rest = memoryview(line + b"\n")
        while rest:
            rest = rest[os.write(self._fd, rest) :]


def obey(order: Order, answers: Answers) -> None:
    """Do an order; every job of it gets its answer."""
    answers.begin()
    jobs = [job.get("arguments") or {} for job in order["jobs"]]
    try:
        function = load(order["call"], order.get("path") or ())
    except Exception as fault:
        function = _failing(fault)
    if order.get("tell_ready"):
        answers.say(ready=True)
    answers.start_clock()
    if order.get("chunk"):
        _by_chunk(function, jobs, answers)
    else:
        for arguments in jobs:
            answers.give(_result(lambda arguments=arguments: function(**arguments)))  # type: ignore[misc]
    answers.say(done=True)


def load(call: str, path: Any) -> Callable[..., Any]:
    """The function of `package.module:function`, its module looked for in the folders of `path` first. Raises Unusable."""
    for folder in reversed(list(path)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
            importlib.invalidate_caches()
    module_name, _, name = call.partition(":")
    try:
        module = importlib.import_module(module_name)
    except BaseException as fault:
        raise Unusable(
            "call",
            f"cannot import {module_name}: {_in_words(fault)}; it is looked for beside the batch file, then as Python does",
        ) from fault
    function = getattr(module, name, None)
    if not callable(function):
        what = "has no function" if function is None else "holds something that cannot be called as"
        raise Unusable("call", f"{module_name} {what} {name}")
    return function  # type: ignore[no-any-return]


def fault_of(exception: BaseException) -> Fault:
    """What the answer says of an exception. Its own `kind` and `transient` count; any other is final."""
    kind = getattr(exception, "kind", None)
    named = isinstance(kind, str) and bool(kind)
    message = str(exception) if named else _in_words(exception)
    fault: Fault = {
        "kind": kind if named else "exception",
        "message": message[:_MESSAGE_CHARACTERS],
        "transient": getattr(exception, "transient", False) is True,
    }
    trace = _trace(exception)
    if trace:
        fault["traceback"] = trace
    return fault


def _by_chunk(function: Callable[..., Any], jobs: list[Any], answers: Answers) -> None:
    """Call with the list of all jobs; where that fails as a whole and one may be to blame, with each of the rest alone."""
    failed: BaseException | None = None
    try:
        for value in _values(function, jobs):
            answers.give(value)
    except BaseException as fault:
        failed = fault
    rest = jobs[answers.given :]
    if failed is not None and (len(rest) == 1 or isinstance(failed, Unusable)):
        for _ in rest:
            answers.give(failed)
        return
    for arguments in rest:
        answers.give(_result(lambda arguments=arguments: next(_values(function, [arguments]))))  # type: ignore[misc]


def _values(function: Callable[..., Any], jobs: list[Any]) -> Iterator[Any]:
    """As many values as there are jobs. Raises Unusable where the function gives another number."""
    given = function(jobs)
    if isinstance(given, (str, bytes, dict)) or not hasattr(given, "__iter__"):
        raise Unusable("call", f"expected a list with a value a job, got {type(given).__name__}")
    if hasattr(given, "__len__") and len(given) != len(jobs):
        raise Unusable("call", _other_number(len(given), len(jobs)))
    count = 0
    for value in given:
        if count == len(jobs):
            return
        count += 1
        yield value
    if count < len(jobs):
        raise Unusable("call", _other_number(count, len(jobs)))


def _other_number(values: int, jobs: int) -> str:
    given, wanted = (
        f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in ((values, "value"), (jobs, "job"))
    )
    return f"gave {given} for {wanted}; a value for each job is expected, in their order"


def _result(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except BaseException as fault:  # a call to sys.exit ends the job, not the worker
        return fault


def _failing(fault: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise fault

    return fail


def _encoded(value: Any) -> bytes:
    """Raises Unusable."""
    try:
        line = json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain).encode()
    except RecursionError:
        raise Unusable("not_json", "the result is nested too deeply for JSON") from None
    except (TypeError, ValueError) as fault:
        why = str(fault)
        if "JSON compliant" in why:
            why = "it holds NaN or infinity; give None in their place"
        raise Unusable("not_json", f"the result is not JSON: {why}") from None
    if len(line) > LARGEST:
        size, most = len(line) / (1 << 20), LARGEST >> 20
        text = f"the result has {size:.1f} MB of JSON, and at most {most} MB are kept; write a file and give its name"
        raise Unusable("too_large", text)
    return line


def _plain(value: Any) -> Any:
    """Arrays and scalars of numeric libraries, dates and the like as JSON has them. Raises TypeError."""
    for name in ("tolist", "isoformat"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    raise TypeError(f"{type(value).__name__} has no form there")


def _in_words(fault: BaseException) -> str:
    text = str(fault)
    name = type(fault).__name__
    return f"{name}: {text}" if text else name


def _trace(exception: BaseException) -> str:
    """The last lines of the traceback, without our own frames."""
    cause = exception.__cause__ if isinstance(exception, Unusable) else exception
    if cause is None or cause.__traceback__ is None:
        return ""
    frames = cause.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next  # type: ignore[assignment]
    if frames is None:
        return ""
    text = "".join(traceback.format_exception(type(cause), cause, frames))
    return "\n".join(text.rstrip().split("\n")[-_TRACE_LINES:])[-_TRACE_CHARACTERS:]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the user's code may have replaced or closed it
            stream.flush()


def _sizes() -> tuple[int, int]:
    return os.fstat(1).st_size, os.fstat(2).st_size


def main() -> int:
    answers_fd = os.dup(int(sys.argv[1]))
    orders = os.fdopen(os.dup(0), "rb")
    # neither the user's code nor what it starts may read orders or write answers
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if int(sys.argv[1]) > 2:
        os.close(int(sys.argv[1]))
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # what was said before the worker is ended
    answers = Answers(answers_fd)
    for line in orders:
        obey(json.loads(line), answers)
    return 0


if __name__ == "__main__":
    try:
        code = main()
    except BrokenPipeError:  # nobody waits for the answer any more
        code = 0
    _flush()
    os._exit(code)  # what threads and exit handlers of the user's code hold open is of no interest
