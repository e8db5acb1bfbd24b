"""What a program, a call or a task gave, as the outcome of its job."""

from __future__ import annotations

import signal

from batchtui.model import JobState, Json, Outcome
from batchtui.work.calls.pool import Done
from batchtui.work.programs.output import Written
from batchtui.work.scenarios.words import in_words


def outcome_of_program(code: int, seconds: float, stdout: Written, stderr: Written) -> Outcome:
    """Completed where the exit code is 0; the error quotes the last line of stderr."""
    output: dict[str, Json] = {
        "stdout": stdout.text,
        "stderr": stderr.text,
        "exit_code": code,
        "seconds": round(seconds, 6),
    }
    if cut := _cut({"stdout": stdout, "stderr": stderr}):
        output["truncated"] = cut
    if code == 0:
        return Outcome(state=JobState.COMPLETED, raw_response=stdout.text, output=output)
    kind, error = ("exit", f"exit {code}") if code > 0 else ("signal", f"ended by {_signal_name(-code)}")
    if stderr.last_line:
        error = f"{error}: {stderr.last_line}"
    return Outcome(
        state=JobState.FAILED, raw_response=stdout.text, output=output, error=error, error_kind=kind
    )


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
        return Outcome(state=JobState.FAILED, output=about, error=error, error_kind=kind)
    if task and isinstance(done.value, dict):
        output = {**about, **done.value}
        return Outcome(state=JobState.COMPLETED, raw_response=in_words(done.value) or None, output=output)
    text = done.value if isinstance(done.value, str) else None
    return Outcome(state=JobState.COMPLETED, raw_response=text, parsed_response=done.value, output=about)


def not_started(error: str) -> Outcome:
    return Outcome(state=JobState.FAILED, error=error, error_kind="start")


def unusable(fault: OSError) -> Outcome:
    error = f"cannot use the batch's run folder: {fault}"
    return Outcome(state=JobState.FAILED, error=error, error_kind="output")


def reason(fault: OSError | ValueError) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror}: {fault.filename}" if fault.filename else fault.strerror
    return str(fault)


def _cut(streams: dict[str, Written]) -> dict[str, Json]:
    return {name: stream.size for name, stream in streams.items() if stream.cut}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
