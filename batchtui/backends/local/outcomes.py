"""What a program, a call or a task gave, as the outcome of its job."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Sequence

from batchtui.model import JobState, Json, Outcome
from batchtui.work.calls.pool import Done, Lost
from batchtui.work.programs.output import Written
from batchtui.work.scenarios.words import in_words


def outcome_of_program(
    code: int, seconds: float, stdout: Written, stderr: Written, places: Sequence[str] = ()
) -> Outcome:
    """Completed where the exit code is 0; the error quotes the last line of stderr.

    `places` are the folders it wrote to: one without space is why it failed, whatever it could still say.
    """
    output = _said(seconds, stdout, stderr) | {"exit_code": code}
    if code == 0:
        return Outcome(state=JobState.COMPLETED, raw_response=stdout.text, output=output)
    kind, error = ("exit", f"exit {code}") if code > 0 else ("signal", f"ended by {_signal_name(-code)}")
    if full := _no_space(stderr.text, places):
        kind, error = "disk", f"{error}: {full}"
    if stderr.last_line:
        error = f"{error}: {stderr.last_line}"
    return Outcome(
        state=JobState.FAILED, raw_response=stdout.text, output=output, error=error, error_kind=kind
    )


def outcome_at_timeout(error: str, seconds: float, stdout: Written, stderr: Written) -> Outcome:
    """What a program had said when its time ran out is often why it did."""
    output = _said(seconds, stdout, stderr)
    return Outcome(
        state=JobState.FAILED, raw_response=stdout.text, output=output, error=error, error_kind="timeout"
    )


def outcome_of_lost(lost: Lost) -> Outcome:
    """Of a call that took its worker with it: what it had printed by then."""
    output: dict[str, Json] = {name: written.text for name, written in lost.printed.items()}
    if cut := _cut(lost.printed):
        output["truncated"] = cut
    return Outcome(state=JobState.FAILED, output=output or None, error=lost.message, error_kind=lost.kind)


def outcome_of_call(done: Done, *, task: bool) -> Outcome:
    """A call's value is the parsed response, a task's the output itself; what was printed and the time go with both."""
    about: dict[str, Json] = {name: written.text for name, written in done.printed.items()}
    about["seconds"] = done.seconds
    if cut := _cut(done.printed):
        about["truncated"] = cut
    if done.fault is not None:
        if trace := done.fault.get("traceback"):
            about["traceback"] = trace
        error, kind = str(done.fault.get("message") or "failed"), str(done.fault.get("kind") or "exception")
        if full := _no_space(error, ()):
            error, kind = f"{full}: {error}", "disk"
        return Outcome(state=JobState.FAILED, output=about, error=error, error_kind=kind)
    if task and isinstance(done.value, dict):
        output = {**about, **done.value}
        return Outcome(state=JobState.COMPLETED, raw_response=in_words(done.value) or None, output=output)
    text = done.value if isinstance(done.value, str) else None
    return Outcome(state=JobState.COMPLETED, raw_response=text, parsed_response=done.value, output=about)


_LEAST = 64 * 1024
"""Bytes: a disk with less is full, for whatever was written to it."""
_SAID = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


def _no_space(said: str, places: Sequence[str]) -> str:
    """What a failure owes to a full disk; empty where it owes nothing to it."""
    for place in places:
        with contextlib.suppress(OSError):
            disk = os.statvfs(place)
            if disk.f_blocks and disk.f_bavail * disk.f_frsize < _LEAST:
                return f"the disk is full ({place})"
    return "the disk is full" if any(words in said for words in _SAID) else ""


def not_started(error: str) -> Outcome:
    return Outcome(state=JobState.FAILED, error=error, error_kind="start")


def unusable(fault: OSError) -> Outcome:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return Outcome(state=JobState.FAILED, error=f"the disk is full: {fault}", error_kind="disk")
    error = f"cannot use the batch's run folder: {fault}"
    return Outcome(state=JobState.FAILED, error=error, error_kind="output")


def reason(fault: OSError | ValueError) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror}: {fault.filename}" if fault.filename else fault.strerror
    return str(fault)


def _said(seconds: float, stdout: Written, stderr: Written) -> dict[str, Json]:
    output: dict[str, Json] = {"stdout": stdout.text, "stderr": stderr.text, "seconds": round(seconds, 6)}
    if cut := _cut({"stdout": stdout, "stderr": stderr}):
        output["truncated"] = cut
    return output


def _cut(streams: dict[str, Written]) -> dict[str, Json]:
    return {name: stream.size for name, stream in streams.items() if stream.cut}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
