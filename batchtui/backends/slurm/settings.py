"""The `[backends.NAME]` table of kind `slurm`, and what follows from it for one submission."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

from batchtui.backends.base import BackendSettings
from batchtui.backends.slurm.commands import SECONDS
from batchtui.model import seconds
from batchtui.work.job import ProgramWork

MOST_ELEMENTS = 1000
SHORTEST = 60.0
"""Seconds that an element should take at least, where it can be told."""
TASK_SECONDS = {"dc": 0.005, "ac": 0.02, "n1": 0.5, "dcopf": 0.3, "acopf": 2.0}
"""What a scenario takes, roughly and on the safe side."""
SLOWER = 20
"""How much slower than that a node may be, all in all."""
OURS = frozenset((
    "account", "array", "chdir", "clusters", "error", "export", "export-file", "input", "job-name", "no-requeue",
    "open-mode", "output", "parsable", "partition", "qos", "requeue", "test-only", "time", "wait", "wrap",
))  # fmt: skip
"""Options of sbatch that this program sets by itself, or that would break what it counts on."""
_SHORT = {
    "a": "array", "D": "chdir", "M": "clusters", "e": "error", "i": "input", "J": "job-name", "o": "output", "t": "time",
    "W": "wait", "p": "partition", "A": "account", "q": "qos",
}  # fmt: skip
_INSTEAD = {name: name for name in ("partition", "account", "qos", "time", "export")} | {
    "clusters": "cluster"
}


class SlurmSettings(BackendSettings, kw_only=True):
    """No key and no address: Slurm's commands are on the PATH of the machine that this runs on."""

    folder: str = "~/.batchtui-slurm"
    """For run folders, on a file system that the nodes share."""
    partition: str | None = None
    """As `sbatch --partition`."""
    account: str | None = None
    """As `sbatch --account`."""
    qos: str | None = None
    """As `sbatch --qos`."""
    cluster: str | None = None
    """As `sbatch --clusters`."""
    options: list[str] = []
    """More options of `sbatch`, as they are."""
    python: str | None = None
    """The Python of the nodes; left out: the one that runs here."""
    max_jobs: int | None = None
    """Elements of an array that run at once, where the batch's `concurrency` is not less."""
    chunk: int | None = None
    """Jobs of an element; left out: from what is known of their time."""
    time: float | str | None = None
    """Limit of an element; left out: from the jobs' timeouts."""
    margin: float = 0.5
    """What is laid on top of the jobs' timeouts, as a share."""
    export: list[str] = []
    """Variables that jobs may see beside PATH, HOME and the like."""
    lag: float | str = 30.0
    """How long results may take to show on the shared file system."""
    delete_folders: bool = False
    """Whether a run folder goes once all that came of it is stored here."""
    answer: float | str = SECONDS
    """Seconds after which a command of Slurm's is ended."""

    def __post_init__(self) -> None:
        for name in ("max_jobs", "chunk"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected 1 or more, got {value}")
        if self.margin < 0:
            raise ValueError(
                f"margin: expected 0 or more, such as 0.5 for half as much again, got {self.margin}"
            )
        for name in ("time", "lag", "answer"):
            if (value := getattr(self, name)) is not None:
                seconds(value)
        for option in self.options:
            _check_option(option)

    @property
    def place(self) -> Path:
        """Where run folders go, absolute."""
        return Path(os.path.abspath(os.path.expanduser(self.folder)))

    @property
    def interpreter(self) -> str:
        return self.python or sys.executable

    @property
    def ours(self) -> bool:
        """Whether the nodes start the Python that this runs on, so that it finds what is installed here."""
        return self.interpreter == sys.executable

    def elements_at_once(self, asked: int | None) -> int | None:
        """The smallest of what the batch asks for and what the table allows; None: as many as Slurm starts."""
        given = [most for most in (asked, self.max_jobs, self.concurrency) if most]
        return min(given, default=None)

    def chunk_of(self, jobs: int, first: ProgramWork, most: int) -> int:
        """Jobs an element: as many elements as there may be (`most`), but none that is over in less than a minute."""
        if self.chunk is not None:
            return max(self.chunk, math.ceil(jobs / most))
        fewest = math.ceil(jobs / min(MOST_ELEMENTS, most))
        known = TASK_SECONDS.get(first.task or "")
        return max(1, fewest, min(jobs, int(SHORTEST / known)) if known else 1)

    def minutes(
        self, chunk: int, first: ProgramWork, timeout: float | None, retries: int, most: float | None
    ) -> int | None:
        """The time limit of an element in whole minutes; None: the partition's default. `most`: seconds it allows.

        Every job is given its whole timeout, but for scenarios, of which few in a chunk take that long.
        """
        if self.time is not None:
            wanted = seconds(self.time)
        elif timeout is None:
            return None
        else:
            known = TASK_SECONDS.get(first.task or "")
            each = min(timeout, SLOWER * known) if known else timeout * (retries + 1)
            wanted = chunk * each * (1 + self.margin) + (timeout * (retries + 1) if known else 0) + 60
        return max(1, math.ceil(min(wanted, most or wanted) / 60))

    def where(self) -> list[str]:
        """Options of `sbatch` that say where and as whom to run."""
        named = {"partition": self.partition, "account": self.account, "qos": self.qos}
        return [
            *self.clusters(),
            *(f"--{name}={value}" for name, value in named.items() if value),
            *self.options,
        ]

    def clusters(self) -> list[str]:
        """The option that all of Slurm's commands take, where a cluster is named."""
        return [f"--clusters={self.cluster}"] if self.cluster else []


def _check_option(option: str) -> None:
    """Refuse what this program sets by itself. Raises ValueError."""
    if not option.startswith("-") or "\n" in option or "\0" in option:
        raise ValueError(
            f'options: "{option}" is no option of sbatch; write it as one text such as "--mem=4G"'
        )
    name = option.lstrip("-").partition("=")[0]
    if not option.startswith("--"):
        name = _SHORT.get(option[1:2], "")
    if name in OURS:
        instead = _INSTEAD.get(name, "")
        hint = f"; say {instead} in the backend's table" if instead else "; leave it out"
        raise ValueError(f'options: "{option}" is set by batchtui{hint}')
