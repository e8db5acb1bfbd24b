"""What jobs need where they run: the Python of the array with what they import, and files that the nodes can read.

That Python is asked on this machine, in the environment that the array gets: nodes share its folder, or it is told
that they alone know.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from batchtui.backends.slurm import commands as slurm
from batchtui.backends.slurm.settings import SlurmSettings
from batchtui.text import cell
from batchtui.work.calls.warm import package_folder
from batchtui.work.job import ProgramWork
from batchtui.work.tasks import libraries

SECONDS = 20.0
_KNOWN = 10_000
_LOOK = """\
import importlib.util, json, sys
sys.path[:0] = json.loads(sys.argv[1])
print(json.dumps(["%d.%d" % sys.version_info[:2], [n for n in sys.argv[2:] if importlib.util.find_spec(n) is None]]))
"""
_INSTALL = "-m pip install 'batchtui[power]'"


@dataclass(frozen=True, slots=True)
class Looked:
    """`missing`: modules that the Python does not find; `fault`: why it could not be asked."""

    version: str = ""
    missing: tuple[str, ...] = ()
    fault: str = ""


class Nodes:
    """Remembers what it was told: every job is asked about."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._looked: dict[tuple[str, ...], Looked] = {}
        self._libraries: dict[tuple[str, str], tuple[str, ...]] = {}

    def faults(self, work: ProgramWork) -> list[tuple[str, str]]:
        """(key, message) of what is surely missing there."""
        modules = self._modules(work)
        looked = self._look(work, modules)
        if not looked.missing:
            return []
        python, lacking = cell(self._settings.interpreter, 100), ", ".join(looked.missing)
        if work.form == "call":
            places = ", ".join(map(cell, work.python_path)) or "what is installed"
            return [("call", f"the nodes' Python, {python}, finds no {lacking} in {places}")]
        return [
            (
                "task",
                f"task {work.task} needs {lacking} on the nodes, where {python} does not have it; "
                f"install it with `{python} {_INSTALL}`",
            )
        ]

    def needs(self, work: ProgramWork) -> list[str]:
        """What they must have for it, in words."""
        python = f"Python {cell(self._settings.interpreter, 100)}"
        if work.form == "command":
            return [f"{python} for the runner", *(f"the program {cell(name, 100)}" for name in work.argv[:1])]
        modules = self._modules(work)
        doubt = self._look(work, modules).fault
        told = [f"{python} with {', '.join(modules)}" if modules else python]
        told += [f"(whether it has them is not known: {doubt})"] if doubt else []
        paths = [work.grid, os.path.dirname(work.loads or "")] if work.form == "task" else work.python_path
        return told + [f"to read {cell(path, 200)}" for path in paths if path]

    def _modules(self, work: ProgramWork) -> tuple[str, ...]:
        if work.form == "call":
            return ((work.call or "").partition(":")[0].partition(".")[0],)
        if work.form != "task" or not work.grid:
            return ()
        key = (str(work.task), work.grid)
        if key not in self._libraries:
            if len(self._libraries) >= _KNOWN:
                self._libraries.clear()
            self._libraries[key] = ("batchtui", *libraries(work))
        return self._libraries[key]

    def _look(self, work: ProgramWork, modules: tuple[str, ...]) -> Looked:
        if not modules:
            return Looked()
        given = work.python_path if work.form == "call" else [package_folder()]
        paths = given if work.form == "call" or self._settings.ours else []
        key = (*paths, "", *modules)
        if key not in self._looked:
            self._looked[key] = self._ask(paths, modules)
        return self._looked[key]

    def _ask(self, paths: Sequence[str], modules: Sequence[str]) -> Looked:
        python = self._settings.interpreter
        env = slurm.environment(*self._settings.export)
        try:
            said = subprocess.run(
                [python, "-c", _LOOK, json.dumps(list(paths)), *modules],
                capture_output=True, cwd="/", env=env, stdin=subprocess.DEVNULL, timeout=SECONDS, check=True,
            )  # fmt: skip
            version, missing = json.loads(said.stdout.splitlines()[-1])
        except OSError as fault:
            return Looked(fault=f"{cell(python, 100)} cannot be started on this machine ({fault.strerror})")
        except (subprocess.SubprocessError, ValueError, IndexError):
            return Looked(fault=f"{cell(python, 100)} does not say it on this machine")
        return Looked(str(version), tuple(map(str, missing)))
