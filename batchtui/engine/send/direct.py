"""Direct jobs: as many at once as allowed, retried after transient failures, at least once over a crash."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchtui.amounts import counted
from batchtui.backends.base import LOADING, Direct, Job, NeedsPerson, Refused, Transient, TryLater
from batchtui.engine.plan.compose.attaching import brings_files
from batchtui.engine.shared.backoff import delay
from batchtui.engine.shared.judging import judge_outcome, schema_of
from batchtui.engine.shared.limits import Effective
from batchtui.errors import BatchtuiError
from batchtui.model import JobState, Json, Outcome
from batchtui.store.disk import clock, ranges
from batchtui.store.disk.lines import StoreFull, is_disk
from batchtui.store.fold.progress import PENDING, PROCESSING
from batchtui.work.programs.process import uninterrupted

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch

STARTS = 64
"""Jobs started in one turn of the loop, which other batches share."""


class DirectLane:
    """Runs the pending jobs of one batch on one direct backend."""

    def __init__(self, batch: LiveBatch, backend: Direct[msgspec.Struct]) -> None:
        self._batch = batch
        self._backend = backend
        self._ready: deque[int] = deque()
        self._later: list[tuple[float, int]] = []
        self._running: dict[int, asyncio.Task[None]] = {}
        self._unwanted: set[int] = set()
        self._waits: Counter[int] = Counter()
        """How often in a row each job was asked to come later, where that costs no retry: the pauses grow."""
        self._told_loading = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        return len(self._running)

    @property
    def idle(self) -> bool:
        """Nothing runs, and nothing is due that could."""
        return not self._running

    def limits(self) -> Effective:
        return self._batch.limits(self._backend)

    # ---- opening

    def use_output(self, folder: Path, earlier: Sequence[Path]) -> None:
        """Where the batch's output goes, before `recover`; and where results of the same inputs may be."""
        self._backend.use_output(folder, earlier)

    async def recover(self) -> None:
        """After a crash: end what still lives, then put jobs without a stored result back, counted."""
        progress, writer = self._batch.progress, self._batch.writer
        if self._batch.folder.header.follows:
            return  # what runs is of the store that it was copied from
        self._backend.use_run_dir(self._batch.folder.path / "run")
        mine = self._batch.owners.of
        traced = mine(self._backend.name, list(progress.traces))
        await self._backend.settle([progress.traces[n] for n in traced])
        lost = mine(self._backend.name, progress.numbers(JobState.PROCESSING))
        waited = [n for n in lost if not self._may_have_begun(n)]
        if waited:
            writer.record("mark", jobs=ranges.encode(waited), state=JobState.PENDING)
            lost = sorted(set(lost) - set(waited))
        if lost:
            writer.record("lost", jobs=ranges.encode(lost))
            self._batch.log(
                "warning", f"in flight when the last run ended, and run again: {counted(len(lost), 'job')}"
            )
        self.offer(self._batch.sendable(self._backend.name))

    def _may_have_begun(self, n: int) -> bool:
        """Whether an attempt that was handed over may have done anything."""
        template = self._batch.folder.header.template_of(self._backend.name)
        return n in self._batch.progress.traces or not self._backend.notes_first(template)

    def offer(self, numbers: Iterable[int]) -> None:
        """These pending jobs may run."""
        waiting = {n for _, n in self._later}
        known = waiting.union(self._ready, self._running)
        self._ready.extend(n for n in numbers if n not in known)

    # ---- running

    def pump(self) -> None:
        """Start as many jobs as may run now."""
        if self._batch.stopping or not self._batch.may_send():
            return
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._ready.appendleft(heapq.heappop(self._later)[1])
        gate = self._batch.services.gate(self._backend.name).remaining
        if gate > 0 and (self._ready or self._later):
            self._wake_in(gate)
            return
        most = self._backend.hands_over(self.limits().concurrency)
        states, started = self._batch.progress.states, 0
        while self._ready and len(self._running) < most and started < STARTS:
            n = self._ready[0]
            if states[n] != PENDING:
                self._ready.popleft()
                continue
            if not self._batch.blocks.take(n):
                break
            self._ready.popleft()
            task = asyncio.get_running_loop().create_task(self._run(n))
            self._running[n] = task
            started += 1
            task.add_done_callback(lambda task, n=n: self._done(n, task))  # type: ignore[misc]
        if started and self._ready:  # a backend that gathers jobs may take more once it has seen these
            asyncio.get_running_loop().call_soon(self._batch.attempt, self.pump)
        elif self._later:
            self._wake_in(self._later[0][0] - time.monotonic())

    def _wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, seconds), self._batch.attempt, self.pump)

    def _done(self, n: int, task: asyncio.Task[None]) -> None:
        self._running.pop(n, None)
        self._batch.blocks.give_back(n)
        self._unwanted.discard(n)
        if not task.cancelled() and (fault := task.exception()):
            self._batch.faults.met(fault)
        self._batch.attempt(self.pump)
        if not self._running:
            self._batch.wake()

    async def _run(self, n: int) -> None:
        """One attempt; whatever comes of it, the job is not left as one that runs."""
        try:
            await self._attempt(n)
        except Exception as fault:
            self._batch.faults.met(fault)
            await self._batch.persist(partial(self._give_back, n, fault))

    def _give_back(self, n: int, fault: Exception) -> None:
        """Without space it runs once more when there is some; of a fault of ours it fails, lest it is paid for again."""
        if self._batch.progress.states[n] != PROCESSING:
            self.offer([n] if self._batch.progress.states[n] == PENDING else [])
        elif is_disk(fault):
            twice = {"maybe_twice": 1} if self._may_have_begun(n) else {}
            self._batch.writer.record("mark", jobs=str(n), state=JobState.PENDING, **twice)
            heapq.heappush(self._later, (time.monotonic(), n))
        else:
            facts = {"error_kind": "internal", "error": f"{type(fault).__name__}: {fault}"[:500]}
            self._batch.writer.record("mark", jobs=str(n), state=JobState.FAILED, **facts)

    async def _attempt(self, n: int) -> None:
        batch, writer = self._batch, self._batch.writer
        tries = batch.progress.tries[n] + 1
        started = clock.now()
        try:
            backend, job = batch.renderer.job(n, tries, batch.folder.id)
            if brings_files(job.work):
                await asyncio.to_thread(batch.renderer.fill, backend, job)
        except BatchtuiError as fault:
            await self._store(n, tries, started, _failure(getattr(fault, "kind", "input"), str(fault)))
            return
        await batch.persist(lambda: writer.record("start", n=n, **{"try": tries}))
        job.timeout = self.limits().timeout
        try:
            async with asyncio.timeout(None if self._backend.times_itself else job.timeout):
                outcome = await self._backend.run(job, lambda facts: self._trace(n, facts))
        except asyncio.CancelledError:
            await batch.persist(lambda: self._cancelled(n))
        except TimeoutError:
            await self._timed_out(n, tries, started)
        except Refused as fault:
            await self._store(n, tries, started, _failure(fault.kind, fault.message, fault.body))
        except TryLater as fault:
            await self._later_again(n, tries, started, fault)
        except Transient as fault:
            await self._retry(n, tries, started, fault)
        except NeedsPerson as fault:
            facts: dict[str, Json] = {"error_kind": fault.kind, "error": fault.message, "counts": False}
            await batch.persist(lambda: writer.record("retry", n=n, **{"try": tries}, **facts))
            batch.need_person(fault)
            self._ready.appendleft(n)
        except StoreFull:  # of its own files, before it could do its work
            raise
        except Exception as fault:
            batch.log("error", f"internal fault: {type(fault).__name__}: {fault}"[:300])
            await self._store(n, tries, started, _failure("internal", f"{type(fault).__name__}: {fault}"))
        else:
            if schema := schema_of(batch.folder, self._backend, n):
                await uninterrupted(judge_outcome(batch.services.judge, schema, outcome))
            await self._store(n, tries, started, outcome, job)

    def _trace(self, n: int, facts: dict[str, Json]) -> None:
        self._batch.writer.record("trace", n=n, facts=facts)

    async def _store(
        self, n: int, tries: int, started: str, outcome: Outcome, job: Job[msgspec.Struct] | None = None
    ) -> None:
        self._waits.pop(n, None)
        self._told_loading = False
        model = self._backend.model(job) if job else None
        await self._batch.keep(n, tries, outcome, backend=self._backend, model=model, started=started)

    # ---- what did not work

    async def _timed_out(self, n: int, tries: int, started: str) -> None:
        limit = self.limits().timeout
        message = f"no answer within {limit:g} s" if limit else "timed out"
        if self._backend.timeouts_pass:
            await self._retry(n, tries, started, Transient(message, kind="timeout", maybe_done=True))
        else:
            await self._store(n, tries, started, _failure("timeout", message))

    async def _later_again(self, n: int, tries: int, started: str, fault: TryLater) -> None:
        fails = self._batch.progress.fails[n] + 1
        if fault.counts and fails > self.limits().retries:
            await self._store(n, tries, started, _failure(fault.kind, fault.message))
            return
        self._waits[n] += not fault.counts
        if (
            fault.kind == LOADING and not self._told_loading
        ):  # it may take minutes: whoever waits had better know
            self._told_loading = True
            words = f"{self._backend.name} is waited for: {fault.message}"
            self._batch.services.log(self._batch.folder.id, "warning", words, told=True)
        wait = delay(fails + max(0, self._waits[n] - 1), fault.after, fault.most)
        self._batch.services.gate(self._backend.name).close_for(wait)
        await self._again(n, tries, fault.kind, fault.message, wait, counts=fault.counts, asked=fault.after)

    async def _retry(self, n: int, tries: int, started: str, fault: Transient) -> None:
        fails = self._batch.progress.fails[n] + 1
        if fails > self.limits().retries:
            await self._store(n, tries, started, fault.outcome or _failure(fault.kind, fault.message))
            return
        wait = delay(fails, fault.after)
        await self._again(n, tries, fault.kind, fault.message, wait, maybe_twice=fault.maybe_done)

    async def _again(
        self,
        n: int,
        tries: int,
        kind: str,
        message: str,
        wait: float,
        *,
        counts: bool = True,
        maybe_twice: bool = False,
        asked: float | None = None,
    ) -> None:
        facts: dict[str, Json] = {"n": n, "try": tries, "error_kind": kind, "error": message[:200]}
        facts |= {"wait": round(wait, 3), "asked": asked, "counts": counts, "maybe_twice": maybe_twice}
        await self._batch.persist(lambda: self._batch.writer.record("retry", **facts))
        self._batch.log("info", f"{message}; job {self._batch.folder.jobs.ids[n]} again in {wait:.1f} s")
        heapq.heappush(self._later, (time.monotonic() + wait, n))

    # ---- cancelling and stopping

    def _cancelled(self, n: int) -> None:
        if n in self._unwanted and self._batch.folder.header.stopping == "time_limit":
            facts = {"error_kind": "time_limit", "error": "ended by the time limit"}
            self._batch.writer.record("mark", jobs=str(n), state=JobState.FAILED, **facts)
        elif n in self._unwanted:
            facts = {"error_kind": "cancelled", "error": "cancelled while it ran"}
            self._batch.writer.record("mark", jobs=str(n), state=JobState.CANCELLED, **facts)
        elif self._batch.progress.states[n] == PROCESSING:
            twice = {"maybe_twice": 1} if self._may_have_begun(n) else {}
            self._batch.writer.record("mark", jobs=str(n), state=JobState.PENDING, **twice)

    def cancel(self, numbers: set[int]) -> None:
        """End the attempts of these jobs that are in flight."""
        for n in numbers & set(self._running):
            self._unwanted.add(n)
            self._running[n].cancel()

    async def stop(self) -> None:
        """End what is in flight; its jobs go back to pending."""
        if self._timer:
            self._timer.cancel()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._backend.close()


def _failure(kind: str, message: str, body: Json = None) -> Outcome:
    return Outcome(state=JobState.FAILED, error=message, error_kind=kind, body=body)
