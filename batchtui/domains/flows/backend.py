"""Kind `buttermilk`: one flow over the server's own records, which become our jobs as they show."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from batchtui.amounts import counted
from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    NeedsPerson,
    Note,
    Probe,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    RemoteJob,
    Setup,
    Submission,
    Transient,
    TryLater,
)
from batchtui.backends.prompts.work import dumps
from batchtui.backends.settings import limits_of
from batchtui.backends.wire.address import is_loopback
from batchtui.backends.wire.replies import object_of
from batchtui.backends.wire.values import unix, usable_id
from batchtui.domains.flows import wire
from batchtui.domains.flows.calls import Calls
from batchtui.domains.flows.card import CARD
from batchtui.model import JobState, Json, Outcome, SubmissionState

AT_ONCE = 4
"""Results that are fetched at a time."""
ONE_BY_ONE = 2
"""Batches that are asked for one by one; more go by the list."""
LOOK_BACK = 600.0
"""Seconds before our intent from which a batch could still be ours, were the clocks apart."""
PATIENCE = 5
"""Tries after which a result that the server fails on is given up."""
SHORTEST_POLL = 1.0
QUIET = 10
"""Settle times without a sign after which a cancelled batch is taken for over."""


class ButtermilkSettings(BackendSettings, kw_only=True):
    """The server's address, with or without its /api; it asks for no key, a proxy before it may (`headers`)."""

    base_url: str | None = "http://127.0.0.1:8000"
    """The server's address, with or without its /api."""


class ButtermilkWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One flow over the server's own records, which become the batch's jobs.

    `parameters` go to every run of the flow as they are; `shuffle` and then `max_records` (None: all) choose the records;
    `concurrency` records run at once, as far as the server keeps to it; `error_policy` says whether a record that fails
    ends the others. In a batch file the last two may stand under `[limits]` as well. What an `interactive` run asks is
    answered at the server: the batch API has no route for it.
    """

    flow: str
    """One of the server's flows."""
    shuffle: bool = True
    """Whether the server shuffles the records first."""
    max_records: int | None = None
    """At most so many records; left out: all."""
    concurrency: int = 5
    """Records at once, as far as the server keeps to it; `[limits]` may say it as well."""
    error_policy: Literal["continue", "stop"] = "continue"
    """Whether a record that fails ends the others; `[limits]` may say it as well."""
    parameters: dict[str, Json] = {}
    """Go to every run of the flow as they are."""
    interactive: bool = False
    """What such a run asks is answered at the server."""


class ButtermilkBackend(Remote[ButtermilkWork]):
    """The server's memory is all there is of a batch: what it answers is fetched while the rest still runs."""

    card = CARD
    lists_tokens = False
    names_jobs = False
    untold_cost = True
    Settings = ButtermilkSettings
    Work = ButtermilkWork
    grows = True
    defaults = KindLimits(
        jobs_per_submission=1,
        bytes_per_submission=10_000_000,
        submissions_at_once=10,
        poll_interval=5.0,
        poll_interval_max=5.0,
        backoff=30.0,
        settle=60.0,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        limits = replace(limits_of(setup.settings, self.defaults), jobs_per_submission=1)
        base = setup.settings.base_url or ""
        if not is_loopback(urlsplit(base).hostname or ""):
            limits = replace(limits, poll_interval=max(SHORTEST_POLL, limits.poll_interval))
        self._limits = limits
        self._fails: Counter[tuple[str, str]] = Counter()
        assert setup.connect is not None, f"{self.name} was built without a connection"
        self.calls = Calls(setup.connect, base)

    async def close(self) -> None:
        await self.calls.close()

    @property
    def limits(self) -> KindLimits:
        return self._limits

    # ---- jobs

    def check(self, job: Job[ButtermilkWork]) -> list[tuple[str, str]]:
        work, faults = job.work, []
        if not work.flow.strip():
            faults.append(("flow", "names no flow"))
        if work.max_records is not None and work.max_records < 1:
            faults.append(
                ("max_records", f"expected at least 1, got {work.max_records}; leave it out for all")
            )
        if work.concurrency < 1:
            faults.append(("concurrency", f"expected at least 1, got {work.concurrency}"))
        return faults

    def notices(self, job: Job[ButtermilkWork]) -> list[tuple[str, str]]:
        if not job.work.interactive:
            return []
        return [
            (
                "interactive",
                (
                    "what its runs ask is answered at the server and not here: the batch API has no route for it, and a "
                    "record may wait there until somebody answers"
                ),
            )
        ]

    def body(self, work: ButtermilkWork) -> dict[str, Json]:
        """A stop on errors goes among the parameters too: servers read it only there."""
        parameters = dict(work.parameters)
        if work.error_policy == "stop":
            parameters.setdefault("error_policy", "stop")
        return {
            "flow": work.flow,
            "shuffle": work.shuffle,
            "max_records": work.max_records,
            "concurrency": work.concurrency,
            "error_policy": work.error_policy,
            "parameters": parameters,
            "interactive": work.interactive,
        }

    def describe(self, job: Job[ButtermilkWork]) -> Json:
        return self.body(job.work)

    def group(self, job: Job[ButtermilkWork]) -> str:
        return ""

    def line(self, job: Job[ButtermilkWork]) -> bytes:
        return dumps(self.body(job.work)).encode() + b"\n"

    # ---- sending

    async def submit(self, submission: Submission, jobs: Iterable[Job[ButtermilkWork]], note: Note) -> str:
        """One create; before it the list, which tells afterwards what was there already."""
        found = list(jobs)
        if len(found) != 1:
            raise Refused("a flow goes to the server by itself", "request")
        body = self.body(found[0].work)
        try:
            known = [batch["id"] for batch in await self.calls.batches()]
        except Forgotten as fault:
            raise Refused(str(fault), "no_batch_api") from None
        except Transient as fault:
            raise TryLater(fault.message, fault.after, kind=fault.kind, counts=True) from None
        note({"after": known[-1] if known else "", "asked": body})
        return await self.calls.create(body)

    async def find(self, submission: Submission) -> Found:
        """By what was asked and when: a batch bears no mark of ours, and the server takes none."""
        try:
            batches = await self.calls.listed()
        except Forgotten as fault:
            return Found(absent=True, reason=str(fault))
        asked, after = submission.facts.get("asked"), submission.facts.get("after")
        asked = asked if isinstance(asked, dict) else {}
        places = [place for place, batch in enumerate(batches) if batch.get("id") == after]
        newer = batches[places[0] + 1 :] if places else batches  # a restart forgets all that was before
        alike = [
            batch
            for batch in newer
            if batch.get("id") not in submission.others and _may_be(batch, asked, submission.created)
        ]
        fitting = [batch["id"] for batch in alike if usable_id(batch.get("id"))]
        if len(fitting) < len(alike):
            return Found(reason="the server holds one like it under an id that cannot be used")
        if len(fitting) == 1:
            return Found(remote_id=fitting[0])
        if fitting:
            return Found(reason=f"it may be any of {', '.join(fitting[:5])}, which ask for the same")
        return Found(absent=True)

    # ---- looking

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress]:
        found: dict[str, dict[str, Json]] | None = None
        if len(submissions) > ONE_BY_ONE:
            try:
                found = {batch["id"]: batch for batch in await self.calls.batches()}
            except Forgotten:
                found = {}
        return {one.id: await self._progress(one, found) for one in submissions}

    async def _progress(self, submission: Submission, found: dict[str, dict[str, Json]] | None) -> Progress:
        """`found`: the batches by id; one that is not among them is asked for by itself."""
        try:
            batch = (found or {}).get(submission.remote_id or "")
            return await self._read(submission, batch or await self.calls.batch(submission.remote_id))
        except Forgotten as fault:
            return Progress(state=SubmissionState.ENDED, ended_as="forgotten", error=str(fault))

    async def _read(self, submission: Submission, batch: dict[str, Json]) -> Progress:
        """A cancelled batch goes on with what runs, and may come back as completed: that is waited for.

        It has ended once nothing runs, or nothing has moved for long.
        """
        progress = wire.progress_of(batch)
        if progress.ended_as != "cancelled":
            return progress
        done = (progress.completed or 0) + (progress.failed or 0)
        quiet = submission.facts.get("quiet")
        if not isinstance(quiet, dict) or quiet.get("done") != done:
            quiet = {"done": done, "since": time.time()}
        progress.facts["quiet"] = quiet
        if time.time() - float(quiet["since"]) >= QUIET * self.limits.settle:
            return progress
        idle = [job for job in await self.calls.records(submission.remote_id) if not job.ended]  # none runs
        if done + len(idle) < (progress.total or 0):
            progress.state, progress.ended_as = SubmissionState.CANCELLING, None
        return progress

    async def cancel(self, submission: Submission) -> None:
        await self.calls.cancel(submission.remote_id)

    async def list(self) -> Sequence[RemoteBatch]:
        try:
            return [
                replace(wire.remote_batch(batch, batch["id"]), fits=partial(_asks_for, batch))
                for batch in await self.calls.batches()
            ]
        except Forgotten as fault:
            raise Refused(str(fault), "no_batch_api") from None

    async def probe(self) -> Probe:
        """Asks for the batches, which costs nothing, and for the flows where the server lists them."""
        try:
            batches, flows = await self.calls.batches(), await self.calls.flows()
        except Forgotten as fault:
            return Probe(ok=False, message=str(fault))
        except (Refused, TryLater, Transient, NeedsPerson) as fault:
            return Probe(ok=False, message=fault.message)
        told = counted(len(flows), "flow") if flows else "it does not list its flows"
        return Probe(
            ok=True,
            message=f"{self.calls.http.place} answers; {counted(len(batches), 'batch', 'batches')}; {told}",
            models=flows,
        )

    # ---- collecting

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """The records that show: those that run are missing, so it is never the whole before the end."""
        for job in await self.calls.records(submission.remote_id):
            yield job

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """An answer each, four at a time; those of `submission.wanted` where that is given."""
        wanted = submission.wanted
        rest = iter(await self.calls.records(submission.remote_id) if wanted is None else wanted)
        under_way: set[asyncio.Task[Answer | None]] = set()
        faults: list[BaseException] = []
        try:
            while True:
                while (
                    len(under_way) < AT_ONCE
                    and len(faults) < AT_ONCE
                    and (job := next(rest, None)) is not None
                ):
                    under_way.add(asyncio.create_task(self._answer(submission, job)))
                if not under_way:
                    break
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if fault := task.exception():
                        faults.append(fault)
                    elif (answer := task.result()) is not None:
                        yield answer
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        if faults:
            raise faults[0]

    async def _answer(self, submission: Submission, job: RemoteJob) -> Answer | None:
        """None where the server has no result of this record."""
        status = wire.status_of(job.work)
        if status not in (*wire.FINISHED, ""):
            asked = submission.facts.get("asked")
            return wire.not_run(job, asked.get("error_policy") if isinstance(asked, dict) else None)
        segment = wire.segment(job.wire_id)
        if segment is None:
            return wire.unreachable(job)
        reply = await self.calls.result(submission.remote_id, segment)
        if reply.status == 404:
            if status in wire.FINISHED:
                raise Transient(f"record {job.wire_id[:60]}: its result is not there (404)", kind="not_there")
            return None
        try:
            object_of(reply)
        except (Transient, Refused) as fault:
            if reply.status < 500:  # no answer of the server's own to this record, so that it may still come
                raise Transient(f"record {job.wire_id[:60]}: {fault.message}", kind=fault.kind) from None
            key = (submission.remote_id or "", job.wire_id)
            self._fails[key] += 1
            if self._fails[key] < PATIENCE:
                raise Transient(f"record {job.wire_id[:60]}: {fault.message}", kind=fault.kind) from None
            text = f"its result could not be read: {fault.message}"
            return Answer(job.wire_id, Outcome(state=JobState.FAILED, error=text, error_kind=fault.kind))
        return wire.answer_of(job, submission.remote_id or "", reply)


def _may_be(batch: dict[str, Json], asked: dict[str, Json], since: float) -> bool:
    """Whether a batch asks for what we asked for, and is not older than our asking."""
    created = unix(batch.get("created_at"))
    return _asks_for(batch, asked) and (created is None or created >= since - LOOK_BACK)


def _asks_for(batch: dict[str, Json], asked: Json) -> bool:
    most = asked.get("max_records")
    return (
        batch.get("flow") == asked.get("flow")
        and (batch.get("parameters") or {}) == (asked.get("parameters") or {})
        and bool(batch.get("interactive")) == bool(asked.get("interactive"))
        and (not isinstance(most, int) or wire.number(batch.get("total_jobs")) <= most)
    )
