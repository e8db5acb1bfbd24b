"""Polls of kind `rest`: by a list where many are asked for, else one by one; what cannot be told of one hides no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from time import monotonic, time

from batchtui.backends.base import Progress, Refused, Submission, Transient
from batchtui.backends.rest.find import GONE, Lookup
from batchtui.backends.rest.lists import ask, request_of, understood
from batchtui.backends.rest.parts import ENDED, KEPT, SEE_OTHER, Parts, kept_of
from batchtui.backends.rest.session import CALL_TIMEOUT, Session
from batchtui.backends.wire.calls import insist
from batchtui.backends.wire.ids import ADOPTED_TOKEN
from batchtui.backends.wire.replies import Reply, raise_for
from batchtui.backends.wire.waits import wait_of
from batchtui.model import Json, SubmissionState

HELD_MOST = 100
"""Calls that are held open at a time."""
Told = dict[int, Progress | Transient]


class Polls:
    """`settle`: seconds after which the API must know what was made; `floor`: those that the table asks for between polls."""

    def __init__(
        self, parts: Parts, session: Session, lookup: Lookup, settle: float, floor: float = 0.0
    ) -> None:
        self._parts, self._session, self._lookup = parts, session, lookup
        self._settle, self._floor = settle, floor
        self._not_before: dict[str, float] = {}
        self.deleted: set[str] = set()
        """Remote ids that were cancelled by taking them away: that they are gone is their end."""
        self._held: dict[str, asyncio.Task[Progress | Exception]] = {}
        """By remote id: calls that the API holds open until something changes; they outlast a round."""

    async def poll(self, waiting: dict[str, Submission]) -> Told:
        """Those of these remote ids. Raises Transient, TryLater, NeedsPerson."""
        told: Told = {}
        if not self._parts.is_asked:
            why = "this API is asked for nothing later: the table of the backend has no poll"
            return {one.id: _forgotten(why) for one in waiting.values()}
        now = monotonic()
        waiting = {key: one for key, one in waiting.items() if self._not_before.get(key, now) <= now}
        if self._parts.poll_list is not None and (len(waiting) > 1 or self._parts.poll is None):
            await self._by_list(waiting, told)
        if self._parts.poll is not None and self._parts.hold:
            await self._by_held(waiting, told)
        elif self._parts.poll is not None:
            for one in waiting.values():
                try:
                    told[one.id] = await self._alone(one)
                except Transient as fault:  # the others are worth asking for
                    told[one.id] = fault
        insist(told)
        return told

    def wait_first(self, remote_id: str, reply: Reply) -> None:
        """The reply to a create may say how long its first poll is to wait."""
        if after := wait_of(reply.headers)[0]:
            self._not_before[remote_id] = monotonic() + after

    async def close(self) -> None:
        for task in self._held.values():
            task.cancel()
        await asyncio.gather(*self._held.values(), return_exceptions=True)
        self._held.clear()

    async def _by_held(self, waiting: dict[str, Submission], told: Told) -> None:
        """Until the first of them is answered; the others are held on, and asked about in the next round."""
        for remote_id, one in waiting.items():
            if remote_id not in self._held and len(self._held) < HELD_MOST:
                self._held[remote_id] = asyncio.create_task(self._caught(one))
        mine = {remote_id: self._held[remote_id] for remote_id in waiting if remote_id in self._held}
        if not mine:
            return
        await asyncio.wait(mine.values(), return_when=asyncio.FIRST_COMPLETED)
        faults: list[Exception] = []
        for remote_id, task in mine.items():
            if task.done():
                del self._held[remote_id]
                answer = task.result()
                if isinstance(answer, Progress | Transient):
                    told[waiting[remote_id].id] = answer
                else:
                    faults.append(answer)
        if faults:
            raise faults[0]

    async def _caught(self, submission: Submission) -> Progress | Exception:
        try:
            return await self._alone(submission)
        except Exception as fault:  # told in the round that asks for it
            return fault

    async def _by_list(self, waiting: dict[str, Submission], told: Told) -> None:
        """Takes out of `waiting` those that the list shows; all of them, where it is the only way to ask."""
        parts = self._parts
        assert parts.poll_list is not None
        oldest = min(waiting.values(), key=lambda one: one.created, default=None)
        if oldest is None:
            return
        values = self._values(replace(oldest, remote_id=None))
        complete = False
        try:
            async with aclosing(parts.poll_list.pages(self._session, values)) as pages:
                async for page in pages:
                    for item in page.items:
                        one = waiting.pop(parts.list_id.id(item) or "", None)
                        if one is not None:
                            told[one.id] = self._paced(self._told(item, one), page.reply)
                    complete = page.complete
                    if not waiting:
                        return
        except Refused as fault:
            raise Transient(fault.message, kind=fault.kind) from None
        if complete and parts.poll is None:
            for one in waiting.values():
                if self._is_old(one):
                    told[one.id] = _forgotten("its list no longer shows it")

    async def _alone(self, submission: Submission) -> Progress | Transient:
        call = self._parts.poll
        assert call is not None
        submission = await self._lookup.whole(submission, call.names)
        try:
            request = request_of(call, self._values(submission))
        except Refused as fault:
            raise Transient(fault.message, kind=fault.kind) from None
        timeout = self._parts.hold + CALL_TIMEOUT if self._parts.hold else None
        reply = await ask(self._session, request, timeout)
        if reply.status in GONE and submission.remote_id in self.deleted:
            return Progress(SubmissionState.ENDED, ended_as="cancelled", facts={ENDED: "cancelled"})
        if reply.status in GONE and not self._parts.is_named(reply.status):
            if not self._is_old(submission):
                raise Transient(f"it is not there yet ({reply.status})", kind="not_ready")
            return _forgotten(f"the API no longer knows it ({reply.status})")
        if reply.status != SEE_OTHER and not self._parts.is_named(reply.status):
            if reply.problem is None or self._parts.reads_body(reply):
                understood(reply)
            else:
                raise_for(reply)
        return self._paced(self._told(reply, submission), reply)

    def _paced(self, told: Progress | Transient, reply: Reply) -> Progress | Transient:
        """With the pause that the reply asks for; the table's own holds where that is longer."""
        if isinstance(told, Progress) and told.state is not SubmissionState.ENDED:
            after = wait_of(reply.headers)[0]
            told.after = max(after, self._floor) if after else None
        return told

    def _values(self, submission: Submission) -> Mapping[str, Json]:
        return self._parts.values(submission, self._session.env)

    def _is_old(self, submission: Submission) -> bool:
        """Whether the API must know it by now: what was just made may not be shown everywhere at once."""
        adopted = submission.token == ADOPTED_TOKEN
        return adopted or time() - submission.created >= self._settle

    def _told(self, item: Json | Reply, submission: Submission) -> Progress | Transient:
        try:
            progress = self._parts.progress(item)
        except Transient as fault:
            return fault
        before = submission.facts.get(KEPT)
        kept = {
            **(before if isinstance(before, dict) else {}),
            **self._lookup.learnt(submission),
            **kept_of(self._parts.poll_keep, item),
        }
        if kept:
            progress.facts[KEPT] = kept
        return progress


def _forgotten(reason: str) -> Progress:
    return Progress(state=SubmissionState.ENDED, ended_as="forgotten", error=reason)
