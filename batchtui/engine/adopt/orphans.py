"""Submissions that this batch's store does not know and that bear its token: they were sent from a store that it is a
copy of, or before it was set back. They are adopted as submissions of the batch, so that nothing of them is paid again.

A store that only follows looks for them when it is opened and every minute; a person's take-over comes into effect
once every backend has answered, and the jobs of all that live there are known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from batchtui.backends.base import (
    Forgotten,
    NeedsPerson,
    Refused,
    Remote,
    RemoteBatch,
    Submission,
    Transient,
    TryLater,
)
from batchtui.backends.wire.ids import ADOPTED_TOKEN
from batchtui.engine.adopt.belonging import Belonging
from batchtui.engine.adopt.following import ACTIONS, KIND, NOT_OURS, ask_words, may_be_ours
from batchtui.engine.shared.asking import ask_one
from batchtui.engine.shared.backoff import delay
from batchtui.engine.shared.joining import Joiner
from batchtui.model import UNSENT, JobState, SubmissionState
from batchtui.store.disk import clock, ranges
from batchtui.store.disk.lines import StoreFull
from batchtui.store.fold.progress import CODE, SubmissionRecord
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext

AnyRemote = Remote[msgspec.Struct]
LOOK_SECONDS = 60.0
_COMPLETED = CODE[JobState.COMPLETED]


class Orphans:
    """Looks for them, for one context."""

    def __init__(self, context: BatchContext) -> None:
        self._context = context
        self._task: asyncio.Task[None] | None = None
        self._due = 0.0
        self._fails = 0
        self._done: set[str] = set()
        """Remote ids of those of which nothing is wanted."""
        self._told = ""
        self._unclear: list[tuple[AnyRemote, list[str]]] = []
        """What lives at each backend, may be of the batch, and does not tell."""
        self._belonging = Belonging(context.folder, context.renderer)

    @property
    def idle(self) -> bool:
        """Whether nothing is being looked for, and nothing that a person decided waits for that."""
        header = self._context.folder.header
        return self._task is None and not (header.taking_over or header.adopting)

    def adopt(self, remote_id: str) -> None:
        """A person says that this is of the batch: take it in, once it can be told which jobs it has."""
        header = self._context.folder.header
        if remote_id not in header.adopting:
            header.adopting = [*header.adopting, remote_id]
            self._context.writer.save_header()
        self.hurry()

    def watch(self) -> None:
        """Each round: look again when it is time."""
        header = self._context.folder.header
        if not header.follows or self._task or self._context.stopping:
            return
        if time.monotonic() >= self._due:
            self._task = asyncio.get_running_loop().create_task(self.look())
            self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (fault := task.exception()):
            self._context.faults.met(fault)
        self._context.wake()

    def hurry(self) -> None:
        """A person asks: look now."""
        self._due = 0.0

    async def stop(self) -> None:
        if task := self._task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def look(self) -> None:
        """Adopt what is there; a take-over that was asked for is done once nothing more may be there."""
        context = self._context
        header = context.folder.header
        if not header.follows or not context.lanes:
            return
        self._due = time.monotonic() + LOOK_SECONDS
        asked = header.taking_over
        hindered = ""
        self._unclear.clear()
        for name in header.backends:
            backend = context.services.backends.get(name)
            if isinstance(backend, Remote):
                try:
                    hindered = await self._adopt_from(backend) or hindered
                except (Transient, TryLater, NeedsPerson, Refused) as fault:
                    hindered = f"{name} cannot be asked what lives there: {fault.message}"
                except StoreFull as fault:
                    context.faults.met(fault)
                    hindered = str(fault)
                except Exception as fault:  # one of ours: told, and tried again as any other
                    hindered = f"internal fault: {type(fault).__name__}: {fault}"
        if not hindered:
            self._fails = 0
            self._drop_unknown()
            if asked and not self._asks():
                await self._take_over()
            return
        self._fails += 1
        self._due = time.monotonic() + delay(self._fails)
        if hindered != self._told:
            self._told = hindered
            decided = header.taking_over or bool(header.adopting)
            prefix = "what was decided waits" if decided else "it only follows"
            context.services.log(context.folder.id, "warning", f"{prefix}: {hindered}", told=decided)

    def _asks(self) -> bool:
        """Whether something lives at a backend that may be of the batch, and that no person was shown yet."""
        context, header = self._context, self._context.folder.header
        for backend, remote_ids in self._unclear:
            if set(remote_ids) <= set(header.shown):
                continue
            header.shown, header.taking_over = sorted({*header.shown, *remote_ids}), False
            context.writer.save_header()
            context.settle_attention(KIND)
            text = ask_words(backend, context.folder.id, remote_ids)
            actions = ["adopt", *ACTIONS] if backend.names_jobs else ACTIONS
            context.writer.record("attention", kind=KIND, text=text, actions=actions)
            context.services.log(context.folder.id, "warning", text, told=True)
            return True
        return False

    def _drop_unknown(self) -> None:
        """What a person named and no backend lists: said, and no longer waited for."""
        header = self._context.folder.header
        if header.adopting:
            text = f"{cell(', '.join(header.adopting), 200)}: {NOT_OURS}"
            header.adopting = []
            self._context.writer.save_header()
            self._context.services.log(self._context.folder.id, "warning", text, told=True)

    async def _take_over(self) -> None:
        context = self._context
        context.folder.header.shown = []
        context.writer.take_home()
        context.settle_attention(KIND)
        if context.lanes:
            await context.lanes.recover_direct()
            context.lanes.offer(context.progress.numbers(JobState.PENDING))
        context.log("info", "this store sends from now on")
        context.wake()

    # ---- one backend

    async def _adopt_from(self, backend: AnyRemote) -> str:
        """Why not all of it is known yet; empty where it is. Raises what `list` and `jobs` of a backend raise."""
        try:
            listed = await backend.list()
        except Refused as fault:
            if fault.kind != "no_list":
                raise
            return ""  # whoever takes over has been asked, and there is nothing to look at
        progress, header = self._context.progress, self._context.folder.header
        known = {record.remote_id for record in progress.submissions.values()}
        found: list[tuple[int, RemoteBatch]] = []
        rest = [one for one in listed if one.remote_id not in known and one.remote_id not in self._done]
        for one in rest:
            if one.remote_id in header.adopting:
                found.append((0, replace(one, token=ADOPTED_TOKEN)))
            elif (number := self._belonging.number(one.token)) is not None:
                found.append((number, one))
        rest = [one for one in rest if one.remote_id not in header.adopting and one.token is None]
        hindered = ""
        for _, one in sorted(found, key=lambda pair: pair[0]):
            hindered = await self._adopt(backend, one) or hindered
        if unclear := await self._read(backend, rest):
            self._unclear.append((backend, unclear))
        return hindered

    async def _read(self, backend: AnyRemote, untold: list[RemoteBatch]) -> list[str]:
        """Adopt what turns out to be ours of that which the list does not tell; remote ids of what still may be."""
        context = self._context
        library = context.services.spending.library
        maybe = set(await asyncio.to_thread(may_be_ours, backend, untold, context.folder.header, library))
        unclear: list[str] = []
        for one in untold:
            if one.remote_id not in maybe:
                continue
            told = await self._belonging.marked(backend, one)
            if told is False:
                self._done.add(one.remote_id)
            elif told is True or not await self._adopt_marked(backend, told):
                unclear.append(one.remote_id)
        return unclear

    async def _adopt_marked(self, backend: AnyRemote, one: RemoteBatch) -> bool:
        """Whether that can be done by itself: where a run bears no id of a job, only one job may go by its name."""
        if backend.names_jobs:
            return not await self._adopt(backend, one)
        mine = self._context.owners.of(backend.name, range(self._context.progress.total))
        numbers = await self._belonging.job_called(backend, one, mine)
        return bool(numbers) and not await self._adopt(backend, one, numbers)

    async def _adopt(self, backend: AnyRemote, one: RemoteBatch, of: list[int] | None = None) -> str:
        """`of`: the numbers of its jobs, where they are known. Answers why it cannot be done yet; empty where it is."""
        progress = self._context.progress
        token = one.token or ""
        named = token == ADOPTED_TOKEN
        own = next((one for one in progress.submissions.values() if one.token == token and not named), None)
        if own is not None and own.remote_id is None and own.state in UNSENT:
            await self._record(backend, one, own.id, ranges.decode(own.jobs))
        elif own is not None and own.remote_id is None and own.state is not SubmissionState.COLLECTED:
            return ""  # it is unsure, and being looked up
        else:
            numbers = of if of is not None else await self._jobs_of(backend, one, token)
            if numbers is None:
                return f"the jobs of {cell(one.remote_id, 60)} will be known when it has ended"
            states = progress.states
            wanted = [n for n in numbers if states[n] != _COMPLETED]
            if named and not numbers:
                return ""  # it is of another batch
            if wanted:
                self._make_way(wanted)
                await self._record(backend, one, max(progress.submissions, default=0) + 1, wanted)
            else:
                self._done.add(one.remote_id)
            self._done_with(one.remote_id)
        return ""

    async def _jobs_of(self, backend: AnyRemote, one: RemoteBatch, token: str) -> list[int] | None:
        """Numbers of its jobs, from what its backend kept of them, else from its answers; None: not yet."""
        folder = self._context.folder
        everything = ranges.encode(range(self._context.progress.total))
        record = SubmissionRecord(0, backend.name, token, everything, folder.header.created)
        joiner = Joiner(backend, folder.jobs, record, [])
        submission = Submission(
            id=0,
            token=token,
            batch_name=folder.header.name,
            created=clock.unix(folder.header.created),
            remote_id=one.remote_id,
            jobs=one.jobs or 0,
        )
        found: set[int | None] = set()
        try:
            async with aclosing(backend.jobs(submission)) as jobs:
                async for job in jobs:
                    found.add(joiner.number(job.wire_id))
        except Forgotten:
            told = await ask_one(backend, submission)
            if told is None or told.state is not SubmissionState.ENDED:
                return None
            submission.facts.update(told.facts)
            try:
                async with aclosing(backend.results(submission, None)) as answers:  # type: ignore[type-var]
                    async for answer in answers:
                        found.add(joiner.number(answer.job_id))
            except Forgotten:
                pass  # it holds nothing, and never will
        return sorted(n for n in found if n is not None)

    def _done_with(self, remote_id: str) -> None:
        header = self._context.folder.header
        if remote_id in header.adopting:
            header.adopting = [one for one in header.adopting if one != remote_id]
            self._context.writer.save_header()

    def _make_way(self, numbers: list[int]) -> None:
        """What was to be sent of these jobs never is."""
        context, wanted = self._context, set(numbers)
        for record in list(context.progress.submissions.values()):
            if record.state not in UNSENT or wanted.isdisjoint(ranges.decode(record.jobs)):
                continue
            if record.attempted and context.lanes:
                context.lanes.withdraw(record)
            else:
                context.writer.record("unplanned", sub=record.id)

    async def _record(self, backend: AnyRemote, one: RemoteBatch, sub: int, numbers: Iterable[int]) -> None:
        context = self._context
        await context.writer.record_durably(
            "adopted",
            sub=sub,
            backend=backend.name,
            token=one.token,
            jobs=ranges.encode(numbers),
            account=backend.account(),
            remote_id=one.remote_id,
            **({"early": True} if backend.early else {}),
        )
        context.log("info", f"{one.remote_id} was sent from elsewhere: it is adopted as submission {sub}")
        context.wake()
