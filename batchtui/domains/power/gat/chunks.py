"""One chunk of scenarios through gat: what stands is taken, grids are changed, gat is called, its tables are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from batchtui.backends.base import Job, Note, Transient
from batchtui.domains.power.gat.answers import GatAnswer, GatFault
from batchtui.domains.power.gat.program import PANIC, GatCall, Ran
from batchtui.domains.power.gat.settings import LINEAR, GatSettings, GatWork
from batchtui.domains.power.gat.steps import do_step, stand
from batchtui.model import JobState, Json, Outcome
from batchtui.results.scenarios.files import folder_name
from batchtui.text import cell
from batchtui.work.calls.gathering import Waiting
from batchtui.work.calls.pool import Pool
from batchtui.work.programs.slots import Slots
from batchtui.work.scenarios.keeping import Scenario, Value
from batchtui.work.scenarios.words import in_words


@dataclass(slots=True)
class Order:
    """A job as it waits for its chunk."""

    job: Job[GatWork]
    note: Note


_Waiting: TypeAlias = Waiting[Order, Outcome]


class Chunk:
    """Jobs of one task, answered one by one.

    `folder` is the chunk's own and fresh, `output` that of the batch, `earlier` those of batches before it.
    """

    def __init__(
        self,
        chunk: Sequence[_Waiting],
        settings: GatSettings,
        threads: int,
        slots: Slots,
        pool: Pool,
        folder: Path,
        output: Path | None,
        earlier: Sequence[str] = (),
    ) -> None:
        self._chunk, self._settings, self._threads, self._earlier = chunk, settings, threads, list(earlier)
        self._slots, self._pool, self._folder, self._output = slots, pool, folder, output

    async def go(self, version: str) -> None:
        """Answer or fail every job. Raises OSError, ValueError where gat cannot be run at all.

        `version` is what gat says of itself. Cancelled, it ends what runs before it returns.
        """
        asked = [_Asked(waiting, self._scenario(waiting.job.job)) for waiting in self._chunk]
        stands = await asyncio.to_thread(stand, [ask.scenario for ask in asked], version, self._settings)
        for ask, value in zip(asked, stands, strict=True):
            if value is not None:
                ask.waiting.answer(_outcome(value))
        changing = [ask for ask in asked if ask.waiting.open and ask.waiting.job.job.work.changes_grid]
        for place, ask in enumerate(changing):
            ask.scenario["changed"] = str(self._folder / f"grid-{place}")
        answers = await do_step("materialise", [ask.scenario for ask in changing], self._pool)
        for ask, answer in zip(changing, answers, strict=True):
            if isinstance(answer, GatFault):
                ask.settle(answer)
            else:
                ask.scenario["solved"] = answer["grid"]
        await self._solve([ask for ask in asked if ask.waiting.open])

    async def _solve(self, asked: list[_Asked]) -> None:
        """One call of gat for all; where it ends without a word on them, those at fault are found by themselves."""
        asked = [ask for ask in asked if ask.waiting.open]
        if not asked:
            return
        first = asked[0].waiting.job.job
        call = GatCall(self._folder, self._settings, first.work.task or "", self._threads)

        def note(trace: dict[str, Json]) -> None:
            for ask in asked:
                ask.waiting.job.note(trace)

        ran = await call.run([ask.scenario["solved"] for ask in asked], self._slots, first.timeout, note)
        if ran.answers is not None:
            await self._collect(asked, call, ran.answers)
        elif len(asked) > 1 and (ran.stalled or ran.code < 0 or ran.code == PANIC):
            came = [ask for place, ask in enumerate(asked) if call.came(place)]
            if len(came) == len(asked):  # it stuck after the last of them
                came = []
            await self._solve(came)
            for ask in asked:
                if ask not in came:
                    await self._solve([ask])
        else:
            for ask in asked:
                ask.settle(_cut_short(ran, first.timeout))
        call.remove()

    async def _collect(self, asked: list[_Asked], call: GatCall, answers: dict[str, GatAnswer]) -> None:
        solved: list[_Asked] = []
        for place, ask in enumerate(asked):
            answer = answers.get(call.name(place))
            if answer is None:
                ask.settle(GatFault("gat", "gat's batch_manifest.json does not name this scenario"))
            elif answer.fault is not None:
                ask.settle(answer.fault)
            else:
                result, solved_grid = str(call.result(place)), ask.scenario["solved"]
                facts = {"result": result, "grid": solved_grid, "duration_ms": answer.duration_ms}
                ask.scenario.update(facts)
                solved.append(ask)
        values = await do_step("collect", [ask.scenario for ask in solved], self._pool)
        for ask, value in zip(solved, values, strict=True):
            ask.settle(value)

    def _scenario(self, job: Job[GatWork]) -> Scenario:
        work = job.work
        folder = None if self._output is None else str(self._output / folder_name(job.id))
        scenario: Scenario = work.table(job.id, job.attempt, folder)
        scenario["solved"], scenario["earlier"] = work.grid, self._earlier
        if work.task != "dc":
            scenario["method"] = LINEAR
        return scenario


@dataclass(slots=True)
class _Asked:
    """A job of a chunk that is under way, and its scenario as the steps hand it on."""

    waiting: _Waiting
    scenario: Scenario

    def settle(self, answer: Value | GatFault) -> None:
        if not isinstance(answer, GatFault):
            self.waiting.answer(_outcome(answer))
        elif answer.passing:
            self.waiting.fail(Transient(answer.message, kind=answer.kind))
        else:
            self.waiting.answer(_failed(answer))


def _cut_short(ran: Ran, limit: float | None) -> GatFault:
    """Why a call left no manifest."""
    words = f": {cell(ran.last_words, 200)}" if ran.last_words else ""
    if ran.stalled:
        return GatFault("timeout", f"gat gave no result within {limit:g} s", passing=True)
    if ran.code < 0:
        return GatFault("worker_died", f"gat was ended by signal {-ran.code}{words}", passing=True)
    if ran.code == PANIC:
        return GatFault("gat", f"gat panicked{words}")
    return GatFault("gat", f"gat wrote no batch_manifest.json (exit {ran.code}){words}")


def _outcome(value: Value) -> Outcome:
    return Outcome(state=JobState.COMPLETED, raw_response=in_words(value) or None, output=value)


def _failed(fault: GatFault) -> Outcome:
    return Outcome(state=JobState.FAILED, error=fault.message, error_kind=fault.kind)
