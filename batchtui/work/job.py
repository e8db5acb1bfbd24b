"""The work of a job on our own cores or a cluster's: a command, a Python call, or a task on a grid."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from batchtui.catalog import domain_of
from batchtui.catalog.domains import tasks
from batchtui.errors import nearest
from batchtui.model import Json

Scalar: TypeAlias = str | int | float | bool
"""A rendered template that is one `{{ x }}` keeps its JSON type; a program gets it as text."""

Form: TypeAlias = Literal["command", "call", "task"]

DC_MODELS: Final = ("matpower", "powermodels")
OF_FORM: Final[dict[Form, tuple[str, ...]]] = {
    "command": ("env", "cwd", "stdin", "retry_exit_codes"),
    "call": ("arguments", "chunk"),
    "task": ("grid", "loads", "outages", "load_scale", "generation_scale", "dc_model", "slack"),
}
"""The keys that go with each form of work."""
_SHARED: Final = ("task", "grid", "outages", "dc_model", "slack")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


class Outage(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is out of service: `id` is the 1-based row of the case's table, or a name where the format has names."""

    type: str
    id: int | str

    def __post_init__(self) -> None:
        if self.type not in ("branch", "generator", "gen"):
            known = ("branch", "generator")
            raise ValueError(f'"{self.type}" is not branch or generator{nearest(self.type, known)}')

    @property
    def row(self) -> int | str:
        """The id as a number where it is one, however it was written."""
        text = str(self.id).strip()
        return int(text) if text.isdecimal() else text


class ProgramWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Exactly one of `command`, `call` and `task` says what the job does; None: not given.

    `command` is a program and its arguments, passed as they are, without a shell; all values end as text.
    `call` is a Python function that gets `arguments` by keyword, or with `chunk` a list of argument tables.
    `task` is solved on `grid`; paths start at the source's or the batch file's folder (`rooted`).
    """

    command: list[Scalar] | str | None = None
    """A program and its arguments, as a list; no shell reads it."""
    env: dict[str, Scalar] = {}
    """More variables of the program; `env:NAME` hands one of yours over."""
    cwd: str | None = None
    """The folder it runs in; left out: the batch file's."""
    stdin: Scalar | None = None
    """What it reads from standard input."""
    retry_exit_codes: list[int] = []
    """Exit codes that are worth another try."""
    call: str | None = None
    """A Python function, `package.module:function`."""
    arguments: dict[str, Json] = {}
    """Its keyword arguments."""
    chunk: int | None = None
    """Jobs that the function takes at a time, as a list."""
    task: str | None = None
    """On a grid: `dc`, `ac`, `n1`, `dcopf`, `acopf`."""
    grid: str | None = None
    """The file or folder of the grid."""
    loads: str | None = None
    """A CSV `bus_id,p_mw,q_mvar` that replaces demand."""
    outages: list[Outage] | None = None
    """Elements out of service: tables of `type` and `id`."""
    load_scale: float | None = None
    """What demand is multiplied with."""
    generation_scale: float | None = None
    """What generation is multiplied with."""
    dc_model: str | None = None
    """`powermodels` takes the susceptances of pglib-opf's published results."""
    slack: int | None = None
    """The reference bus, where the grid's own is not meant."""
    python_path: list[str] = []
    """Folders in which a call's module is looked for, beside the batch file's."""

    def __post_init__(self) -> None:
        self._one_form()
        if self.form == "command":
            self._as_text()
        elif self.form == "call":
            self._check_call()
        else:
            self._check_task()

    @property
    def form(self) -> Form:
        return "command" if self.command is not None else "call" if self.call is not None else "task"

    def _one_form(self) -> None:
        given = [form for form in OF_FORM if getattr(self, form) is not None]
        if not given:
            raise ValueError("says no work: name one of command, call, task")
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given: a job does one of command, call, task")
        for form, keys in OF_FORM.items():
            stray = [key for key in keys if getattr(self, key) not in (None, {}, [])]
            if stray and form != given[0]:
                raise ValueError(f"{stray[0]}: belongs to a {form}, and this job is a {given[0]}")

    # ---- commands

    def _as_text(self) -> None:
        if isinstance(self.command, str):
            raise ValueError(
                f"command: expected a list of a program and its arguments{_as_list(self.command)}"
            )
        if 0 in self.retry_exit_codes:
            raise ValueError("retry_exit_codes: 0 is the code of success")
        self.command = [_text(part) for part in self.command or ()]
        self.env = {name: _text(value) for name, value in self.env.items()}
        self.stdin = None if self.stdin is None else _text(self.stdin)

    @property
    def argv(self) -> list[str]:
        return [_text(part) for part in self.command or ()]

    @property
    def variables(self) -> dict[str, str]:
        return {name: _text(value) for name, value in self.env.items()}

    @property
    def input(self) -> bytes | None:
        return None if self.stdin is None else _text(self.stdin).encode("utf-8", "surrogatepass")

    # ---- calls

    def _check_call(self) -> None:
        if not _FUNCTION.fullmatch(self.call or ""):
            raise ValueError(f'call: expected "package.module:function", got "{self.call}"')
        if self.chunk is not None and self.chunk < 1:
            raise ValueError(f"chunk: expected 1 or more jobs, got {self.chunk}")

    # ---- tasks

    def _check_task(self) -> None:
        if domain_of(str(self.task)) is None:
            known = tasks()
            hint = nearest(str(self.task), known) or f"; known are {', '.join(known) or 'none'}"
            raise ValueError(f'task: there is no task "{self.task}"{hint}')
        if not self.grid:
            raise ValueError("grid: missing; a task needs the file of its grid")
        if self.dc_model is not None and self.dc_model not in DC_MODELS:
            hint = nearest(self.dc_model, DC_MODELS) or f"; known are {', '.join(DC_MODELS)}"
            raise ValueError(f'dc_model: there is no model "{self.dc_model}"{hint}')

    def rooted(self, folders: Sequence[Path]) -> None:
        """Make paths absolute: from the first of `folders` that holds them, else from the last.

        A command runs in the last one, the batch file's, wherever it is started or resumed from; where that folder is gone,
        as of a batch that another machine made, it runs where batchtui does.
        """
        if self.form == "command":
            if folders and (self.cwd is not None or os.path.isdir(folders[-1])):
                self.cwd = os.path.normpath(os.path.join(folders[-1], os.path.expanduser(self.cwd or "")))
        elif self.form == "task":
            self.grid = _found(self.grid, folders)
            self.loads = _found(self.loads, folders)
        elif self.form == "call":
            own = [path for path in (_found(path, folders) for path in self.python_path) if path]
            self.python_path = list(dict.fromkeys([*own, *map(str, folders[-1:])]))

    # ---- what a worker is told (see call_worker.py)

    @property
    def function(self) -> str:
        """The `package.module:function` that does a call or a task."""
        if self.call is not None:
            return self.call
        domain = domain_of(str(self.task))
        assert domain, "a job's task is looked at when it is made"
        return domain.solver

    @property
    def takes_chunk(self) -> bool:
        """Whether the function takes a list of argument tables."""
        return self.form == "task" or self.chunk is not None

    @property
    def group(self) -> str:
        """Jobs of one group may share a chunk: the same call, or the same task, grid, outages and options."""
        if self.form == "call":
            return msgspec.json.encode([self.call, self.chunk, self.python_path]).decode()
        return msgspec.json.encode([getattr(self, key) for key in _SHARED]).decode()

    def table(self, job_id: str, attempt: int, folder: str | None, input_hash: str | None = None) -> Json:
        """The arguments of a call, or of a task: then `folder` is where its tables go, None: they come inline."""
        if self.form == "call":
            return self.arguments
        outages = [{"type": one.type, "id": one.row} for one in self.outages or ()]
        return {
            "id": job_id,
            "task": self.task,
            "grid": self.grid,
            "loads": self.loads,
            "outages": outages or None,
            "load_scale": self.load_scale,
            "generation_scale": self.generation_scale,
            "dc_model": self.dc_model,
            "slack": self.slack,
            "folder": folder,
            "input_hash": input_hash,
            "attempt": attempt,
        }


def form_of(template: dict[str, Json]) -> Form:
    """The form of work of a `[job]` that is not rendered yet."""
    return next((form for form in OF_FORM if template.get(form) is not None), "command")


def _found(path: str | None, folders: Sequence[Path]) -> str | None:
    """An absolute form of `path`; an empty one is none."""
    if not path or not path.strip():
        return None
    name = os.path.expanduser(path)
    places = [os.path.normpath(os.path.join(folder, name)) for folder in folders] or [os.path.abspath(name)]
    return next((place for place in places if os.path.exists(place)), places[-1])


def _as_list(command: str) -> str:
    try:
        parts = shlex.split(command)
    except ValueError:
        return ', such as ["wc", "-w", "notes.txt"]'
    return f": write {msgspec.json.encode(parts).decode()}"


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
