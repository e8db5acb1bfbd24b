"""The output folder of a batch of scenarios: claimed before they run, kept up as they end, summed up at the end.

Workers write the job folders; from here come `jobs.jsonl`, the manifest as it grows, and the process that writes the
rest (work/scenarios/summary.py), so that this one never imports pyarrow.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.engine.outputs.writing import output_failed
from batchtui.engine.scenarios.check import changed_since, changed_text, named, stale
from batchtui.engine.scenarios.progress import ScenarioProgress
from batchtui.errors import BadInput
from batchtui.model import LIVE_JOB_STATES, JobState, Outcome
from batchtui.results.scenarios.files import JOURNAL
from batchtui.results.scenarios.place import claim, earlier_places, mark, own_place, place_of
from batchtui.store.disk import ranges
from batchtui.work.scenarios.tasks import Tasks

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

MANY = 1000
"""Finished scenarios whose check takes long enough to be told."""
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Opened:
    """Where a batch writes to, where results of the same inputs may be, and whether some of its own may be there."""

    place: Path
    earlier: Sequence[Path]
    begun: bool


class ScenarioOutput:
    """Of one batch; belongs to the worker's loop."""

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self._tasks = Tasks(context.folder)
        self._progress: ScenarioProgress | None = None
        self._summary: asyncio.Task[Process] | None = None
        self._ended = False
        self._taken = self._solved = 0
        """Scenarios that ended here: whose result stood already, and the others."""

    # ---- before the first scenario

    async def open(self) -> Opened | None:
        """Claim the folder and put back what no longer stands; None where nothing is to be written now."""
        context = self._context
        if context.services.finishing:  # only a command is obeyed: nothing will run
            return None
        try:
            place = await self._claimed()
        except OSError as fault:
            self._failed(fault, "; the tables are kept among the batch's results")
            return None
        begun = (place / JOURNAL).exists() or any(context.progress.tries)
        earlier = await asyncio.to_thread(earlier_places, context.folder, place)
        self._progress = ScenarioProgress(context.folder, place, self._failed)
        if begun:
            await self._take_up(place)
        return Opened(place, earlier, begun)

    async def _claimed(self) -> Path:
        """The folder that was asked for, or the batch's own where that cannot be written."""
        folder = self._context.folder
        try:
            place = await asyncio.to_thread(claim, folder)
        except OSError as fault:
            place = own_place(folder)
            await asyncio.to_thread(mark, place, folder)
            self._failed(fault, f"; the results go to {place}")
        else:
            if place.name == folder.id:
                self._tell(f"{place.parent} holds the results of others: these go to {place}")
        return place

    async def _take_up(self, place: Path) -> None:
        """Tell what changed since it was solved; finished scenarios that no longer stand run again."""
        context, folder = self._context, self._context.folder
        finished = context.progress.numbers(JobState.COMPLETED)
        pending = context.progress.numbers(JobState.PENDING)
        if len(finished) > MANY:
            context.log(
                "info", f"comparing {len(finished):,} finished scenarios with their inputs and tables"
            )
        found = await asyncio.to_thread(stale, folder, context.renderer, place, finished)
        others = await asyncio.to_thread(changed_since, folder, context.renderer, place, pending)
        ids = folder.jobs.ids
        if changed := sorted([*found.changed, *others]):
            text = changed_text([ids[n] for n in changed])
            if any(context.progress.tries):
                self._tell(text)
            else:  # it was told before the batch was made
                context.log("warning", text)
        if found.gone:
            self._tell(
                f"the result files of {named([ids[n] for n in found.gone])} are gone or changed: run again"
            )
        if again := sorted([*found.changed, *found.gone]):
            context.writer.record("mark", jobs=ranges.encode(again), state=JobState.PENDING, fresh=True)
        over = context.progress.numbers(*(set(JobState) - LIVE_JOB_STATES))
        if self._progress:
            await asyncio.to_thread(self._progress.restore, over, self._tasks)

    def _tell(self, text: str) -> None:
        """What a person is to know at once, though nothing waits for them."""
        self._context.services.log(self._context.folder.id, "warning", text, told=True)

    # ---- as scenarios end

    def took(self, n: int, tries: int, outcome: Outcome) -> None:
        """A scenario ended. Called once its result is stored."""
        if self._progress:
            self._progress.took(n, self._tasks.of(n), tries, outcome)
        stood = isinstance(outcome.output, dict) and bool(outcome.output.get("reused"))
        self._taken, self._solved = self._taken + stood, self._solved + (not stood)
        progress = self._context.progress
        if self._summary is None and progress.live * 2 <= progress.total:
            self._begin_summary()

    def _begin_summary(self) -> None:
        """Start the process while others still run: it imports its libraries and waits."""
        if self._progress is None:
            return
        place = self._progress.place
        self._summary = asyncio.create_task(_summary_process(self._context.folder.path, place))

    # ---- the end

    async def finish(self) -> bool:
        """Write what is left to write; False where that was cut off by `stop`, so that it is still to be done."""
        if self._progress is None:
            try:
                place = await self._claimed()
            except OSError as fault:
                self._failed(fault)
                return True
            self._progress = ScenarioProgress(self._context.folder, place, self._failed)
        await self._progress.close()
        if self._ended:
            return False
        if self._summary is None:
            self._begin_summary()
        assert self._summary
        place = self._progress.place
        try:
            process = await self._summary
            said, _ = await process.communicate(b"write\n")
        except OSError as fault:
            self._failed(fault)
            return True
        finally:
            self._summary = None
        if self._ended:
            return False
        self._told(said, place)
        return True

    def _told(self, said: bytes, place: Path) -> None:
        """What the process said at its end."""
        try:
            found = json.loads(said)
        except ValueError:
            found = {"error": "the process that writes the tables ended before it was done"}
        if "error" in found:
            self._failed(found["error"])
            return
        asked = self._context.folder.header.spec.output.dir
        if not asked or place != own_place(self._context.folder):
            self._context.settle_attention("output")
        self._context.log(
            "info", f"in {place}: {counted(found['scenarios'], 'scenario')}, {found['ok']:,} ok"
        )
        if self._taken:
            self._tell(self._taken_words())

    def _taken_words(self) -> str:
        """That some, or all, of what this run is asked for stood already."""
        count = "the 1 scenario" if self._taken == 1 else f"all {self._taken:,} scenarios"
        solved = "nothing was solved now"
        if self._solved:
            count, solved = counted(self._taken, "scenario"), f"{self._solved:,} ran now"
        were = "was" if self._taken == 1 else "were"
        return f"{count} {were} solved before from the same inputs, and taken from there; {solved}"

    async def stop(self) -> None:
        """Let go: a summary that is being written is ended, and written when the batch is next driven."""
        self._ended = True
        if self._progress:
            await self._progress.close()
        if self._summary:
            with contextlib.suppress(OSError, ProcessLookupError):
                process = await self._summary
                process.kill()
                await process.wait()

    def _failed(self, fault: OSError | BadInput | str, more: str = "") -> None:
        """Keep with the batch what could not be written, and why."""
        context = self._context
        target = context.folder.header.spec.output.dir or place_of(context.folder) or ""
        why = fault.strerror or str(fault) if isinstance(fault, OSError) else str(fault)
        output_failed(context, f"the results could not be written to {target}: {why}{more}")


async def _summary_process(batch: Path, place: Path) -> Process:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if os.path.isabs(p))}
    # fmt: off
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "batchtui.work.scenarios.summary", str(batch), str(place),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/", env=environment, start_new_session=True, limit=_LONGEST_LINE,
    )
    # fmt: on
