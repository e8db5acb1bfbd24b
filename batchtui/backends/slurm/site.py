"""One cluster as its controller answers: its limits, what is queued, what became of what is not."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from batchtui.backends.slurm import commands as slurm
from batchtui.backends.slurm.settings import SlurmSettings
from batchtui.backends.slurm.states import (
    SACCT_FIELDS,
    SQUEUE_FORMAT,
    Line,
    Queue,
    queues,
    sacct_lines,
    squeue_lines,
)
from batchtui.model import seconds

NAMES_A_CALL = 100
_MAX_ARRAY = 1001
"""What Slurm takes where nobody set it."""
_SET = re.compile(r"^(\w+)\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the controller says of itself. `most_seconds`: the time limit of the partition, None: none."""

    version: str
    cluster: str
    max_array: int
    accounting: bool
    most_seconds: float | None


class Site:
    """Made without I/O. All methods raise Transient where the controller does not answer, Refused where it says no."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._patience = seconds(settings.answer)
        self._facts: Facts | None = None

    async def facts(self) -> Facts:
        """Asked once a session."""
        if self._facts is None:
            config = dict(_SET.findall(await self._ask("scontrol", "show", "config")))
            partitions = await self._ask("sinfo", "-h", "-o", "%P|%l")
            most = config.get("MaxArraySize", "")
            self._facts = Facts(
                version=config.get("SLURM_VERSION", ""),
                cluster=config.get("ClusterName", ""),
                max_array=int(most) if most.isdecimal() and int(most) else _MAX_ARRAY,
                accounting=config.get("AccountingStorageType", "").endswith("slurmdbd"),
                most_seconds=time_limit(partitions, self._settings.partition),
            )
        return self._facts

    async def sbatch(self, options: Sequence[str], script: str) -> str:
        """Submit, once; the id of the array. Raises Unsure, Refused, TryLater."""
        env = slurm.environment(*self._settings.export) | {"LC_ALL": "C"}
        return await slurm.sbatch(
            [*options, *self._settings.where()], script, seconds=self._patience, env=env
        )

    async def scancel(self, jobs: str) -> None:
        await slurm.scancel([jobs], seconds=self._patience, options=self._settings.clusters())

    async def queued(self, names: Sequence[str]) -> dict[str, Queue]:
        """By name, not by id: an id that the queue no longer holds would be an error."""
        lines: list[Line] = []
        for start in range(0, len(names), NAMES_A_CALL):
            lines += await self._squeue("-n", ",".join(names[start : start + NAMES_A_CALL]))
        return queues(lines)

    async def all_queued(self) -> dict[str, Queue]:
        return queues(await self._squeue())

    async def accounted(self, names: Sequence[str], since: float) -> dict[str, Queue]:
        """What the accounting has of them since then (Unix seconds); empty where there is none."""
        if not (await self.facts()).accounting:
            return {}
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since - 60))
        named = f"--name={','.join(names)}"
        return queues(
            sacct_lines(
                await self._ask("sacct", "-X", "-D", "-P", "-n", named, "-S", start, "-o", SACCT_FIELDS)
            )
        )

    async def _squeue(self, *which: str) -> list[Line]:
        command = ("squeue", "-h", "-t", "all", "-u", slurm.user(), *which, "-o", SQUEUE_FORMAT)
        return list(squeue_lines(await self._ask(*command)))

    async def _ask(self, program: str, *arguments: str) -> str:
        return await slurm.ask(program, *self._settings.clusters(), *arguments, seconds=self._patience)


def time_limit(partitions: str, wanted: str | None) -> float | None:
    """Seconds that a partition (None: the default one) allows, of `sinfo -o %P|%l`; None where it has no limit."""
    for row in partitions.splitlines():
        name, _, limit = row.strip().partition("|")
        if name.rstrip("*") == wanted or (wanted is None and name.endswith("*")):
            days, _, clock = limit.rpartition("-")
            parts = clock.split(":")
            if not all(part.isdecimal() for part in parts):
                return None  # `infinite`, `n/a`
            return _seconds(int(days or 0), [int(part) for part in parts])
    return None


def _seconds(days: int, clock: list[int]) -> float:
    """Of `days-hours:minutes:seconds`, the first of them left out where they are nothing."""
    hours, minutes, rest = [0] * (3 - len(clock)) + clock
    return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
