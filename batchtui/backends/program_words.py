"""What can be said of a job's program, call or task before it runs, wherever that will be."""

from __future__ import annotations

import re

import msgspec

from batchtui.backends.uses import PathUse
from batchtui.model import Json
from batchtui.work.job import ProgramWork, Scalar

PATH_FIELDS = {
    "grid": PathUse.READS,
    "loads": PathUse.READS,
    "cwd": PathUse.RUNS,
    "python_path": PathUse.RUNS,
}
RUN_FIELDS = {"command": ("env", "stdin", "cwd"), "call": ("arguments", "python_path")}
"""The tasks that are solved here are our own programs."""
_STDIN_SHOWN = 500
_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)


def unusable_text(work: ProgramWork) -> list[tuple[str, str]]:
    """(key, message) of what no program can be given; empty for calls and tasks."""
    if work.form != "command":
        return []
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
    if not problems and not (work.argv and work.argv[0]):
        return [("command", "is empty: name a program")]
    return problems


def shown_value(name: str, value: Scalar) -> Scalar:
    """The value of a job's variable for the preview; one that is taken over by name shows that name."""
    return "•••" if _SECRET.search(name) and not str(value).startswith("env:") else value


def described(work: ProgramWork) -> dict[str, Json]:
    """The job as it will run, for the preview: values of variables that look like keys are left out."""
    if work.form != "command":
        return {key: value for key, value in msgspec.to_builtins(work).items() if key != "python_path"}
    shown: dict[str, Json] = {"command": work.argv}
    if work.cwd is not None:
        shown["cwd"] = work.cwd
    if work.env:
        shown["env"] = {name: shown_value(name, value) for name, value in work.env.items()}
    if work.stdin is not None:
        text = str(work.stdin)
        more = len(text) - _STDIN_SHOWN
        shown["stdin"] = text if more <= 0 else f"{text[:_STDIN_SHOWN]}… +{more}"
    return shown
