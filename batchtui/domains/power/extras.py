"""Whether what solves a task is installed, without importing it."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from typing import Final

from batchtui.domains.power.fault import Fault

INSTALL: Final = "pip install 'batchtui[power]'"
_FLOW: Final = ("numpy", "lightsim2grid")
_OPF: Final = (*_FLOW, "scipy", "pypower")


def modules_of(task: str) -> tuple[str, ...]:
    """What solves a task on a grid in MATPOWER's tables."""
    return _OPF if task.endswith("opf") else _FLOW


@functools.cache
def missing_extra(task: str) -> Fault | None:
    """The fault (missing_extra) of a task whose libraries are not there; says what to install."""
    lacking = [name for name in modules_of(task) if find_spec(name) is None]
    if not lacking:
        return None
    return Fault("missing_extra", f"task {task} needs {', '.join(lacking)}; install it with `{INSTALL}`")
