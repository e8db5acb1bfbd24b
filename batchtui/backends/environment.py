"""What programs, calls and tasks on this machine see of our environment: all of it but keys, unless one is handed over."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from batchtui.text import cell
from batchtui.work.job import ProgramWork


def without_keys(hidden: Collection[str], handed: Collection[str] = ()) -> dict[bytes, bytes]:
    """Our environment without the `hidden` variables; those that are `handed` over stay."""
    left_out = {os.fsencode(name) for name in hidden if name not in handed}
    return {name: value for name, value in os.environb.items() if name not in left_out}


def filled_in(variables: Mapping[str, str]) -> dict[str, str]:
    """A job's variables, those that are `env:NAME` with the value that NAME has here.

    They are looked up as the job starts, so that a key is never part of a stored job. Raises ValueError where one
    is not set.
    """
    filled = dict(variables)
    for name, value in variables.items():
        if (taken := _taken(value)) is not None:
            if taken not in os.environ:
                raise ValueError(_unset(taken))
            filled[name] = os.environ[taken]
    return filled


def unset_variables(work: ProgramWork) -> list[tuple[str, str]]:
    """(key, message) of each variable that a job takes from our environment and that is not set."""
    taken = {name: _taken(value) for name, value in work.variables.items()}
    return [
        (f"env.{name}", _unset(variable))
        for name, variable in taken.items()
        if variable is not None and variable not in os.environ
    ]


def handed_over(work: ProgramWork) -> list[str]:
    """The variables of our environment that a job takes."""
    return [name for name in map(_taken, work.variables.values()) if name is not None]


def references(work: ProgramWork) -> list[str]:
    """Names of the job's variables whose value is taken from our environment."""
    return [name for name, value in work.variables.items() if _taken(value) is not None]


def _taken(value: str) -> str | None:
    """The variable that a value of the form `env:NAME` names."""
    name = value.removeprefix("env:")
    return name if name != value and name.isidentifier() else None


def _unset(variable: str) -> str:
    return f"the variable {cell(variable, 60)} is not set here"
