"""One cluster as its controller answers: its limits, what is queued, what became of what is not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from batchtui.backends.base import Refused, Transient
from batchtui.backends.slurm import commands as slurm
from batchtui.backends.slurm.facts import PARTITIONS_FORMAT, Facts, facts_of, most_submitted
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
HASTE = 8.0
"""Seconds that whoever only wants to know more may wait for Slurm's commands."""
AGAIN = 30.0
"""Seconds after which they are asked again that did not answer."""


class Site:
    """Made without I/O. All methods raise Transient where the controller does not answer, Refused where it says no."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._patience = seconds(settings.answer)
        self._facts: Facts | None = None
        self._tried, self._silent = -AGAIN, ""

    async def facts(self) -> Facts:
        """Asked once a session."""
        if self._facts is None:
            config = await self._ask("scontrol", "show", "config")
            found = facts_of(config, await self._ask("sinfo", "-h", "-a", "-o", PARTITIONS_FORMAT))
            if found.accounting:
                with contextlib.suppress(Refused, Transient):  # then `sbatch` says what it does not take
                    found = replace(found, most_submitted=await self._most_submitted(found.cluster))
            self._facts = found
        return self._facts

    @property
    def known(self) -> Facts | None:
        """The facts, where they were asked for."""
        return self._facts

    def learn(self) -> str:
        """Ask for the facts, from whatever thread; why they cannot be had, which is not asked again for a while."""
        now = time.monotonic()
        if self._facts is None and now - self._tried > AGAIN:
            self._tried = now
            with ThreadPoolExecutor(1) as alone:  # this one may run a loop of its own
                self._silent = alone.submit(asyncio.run, self._learned()).result()
        return "" if self._facts else self._silent

    async def _learned(self) -> str:
        try:
            async with asyncio.timeout(HASTE):
                await self.facts()
        except TimeoutError:
            return f"Slurm gave no answer in {HASTE:g} s; see `scontrol ping`"
        except (Transient, Refused) as fault:
            return fault.message
        return ""

    @property
    def partition(self) -> str | None:
        """Where its jobs go; None: to the default partition."""
        return self._settings.partition or os.environ.get("SBATCH_PARTITION") or None

    async def no_partition(self) -> str:
        """Why jobs cannot go where the backend's table sends them; empty where they can. One may be made meanwhile."""
        if (await self.facts()).no_partition(self.partition):
            self._facts = None
        return (await self.facts()).no_partition(self.partition)

    async def _most_submitted(self, cluster: str) -> int | None:
        show, which = ("sacctmgr", "-n", "-P", "show"), (f"user={slurm.user()}", f"cluster={cluster}")
        own = await self._call(*show, "assoc", "where", *which, "format=Account,MaxSubmit,DefaultQOS")
        qos = await self._call(*show, "qos", "format=Name,MaxSubmitPU,MaxSubmitPA")
        return most_submitted(own, qos, self._settings.account, self._settings.qos)

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

    async def _call(self, *command: str) -> str:
        return await slurm.ask(*command, seconds=self._patience)
