"""A submission that may have been made: wait out the backend's settle time, look it up, adopt what is found.

It is sent again only when it is surely absent. A journal without a look-up makes duplicates, and so does a
look-up that comes too early: a server may commit seconds after the reply was lost.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from batchtui.backends.base import Found, NeedsPerson, Refused, Transient, TryLater
from batchtui.engine.send.answered import take_kept
from batchtui.engine.shared.backoff import delay
from batchtui.model import SubmissionState
from batchtui.store.disk import clock
from batchtui.store.files.contacts import Contact
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.engine.context import BatchContext
    from batchtui.engine.submissions import Submissions


class Recovery:
    """Settles one unsure submission."""

    def __init__(self, submissions: Submissions, context: BatchContext, record: SubmissionRecord) -> None:
        self._submissions, self._context, self._record = submissions, context, record

    async def run(self) -> None:
        record, context = self._record, self._context
        if await take_kept(context, record):
            return
        if record.state is SubmissionState.SENDING:  # the journal ends between the intent and the remote id
            reason = "no reply was recorded after it was sent"
            await context.writer.record_durably("unsure", sub=record.id, reason=reason)
        backend = self._submissions.backend(record)
        if record.account and record.account != backend.account():
            self._ask("it was sent with another account's key; set that key again, or resolve it")
            return
        # The last moment at which it can have been sent is now: nobody wrote down when the sender died.
        settled = time.monotonic() + backend.limits.settle
        fails = 0
        pause = backend.limits.poll_interval
        while record.state is SubmissionState.UNSURE:
            waited = time.monotonic() >= settled
            try:
                found = await backend.find(replace(self._submissions.told(record), others=self._others()))
            except (Transient, TryLater) as fault:
                fails += 1
                wait = delay(fails, fault.after)
                last, following = context.folder.contacts.get(record.id, Contact()).last, time.time() + wait
                context.contacting.asked(record.id, record.backend, last, clock.stamp(following), fault)
                await asyncio.sleep(wait)
                continue
            except (NeedsPerson, Refused) as fault:
                self._ask(f"it cannot be looked up: {fault}")
                return
            if fails:
                context.contacting.asked(record.id, record.backend, clock.now(), clock.now(), None)
            fails = 0
            if await self._concluded(found, waited):
                return
            if found.later and waited:
                await asyncio.sleep(pause)
                pause = min(1.3 * pause, max(backend.limits.poll_interval_max, pause))
                continue
            await asyncio.sleep(
                min(max(0.05, settled - time.monotonic()), max(1.0, backend.limits.settle / 4))
            )

    async def _concluded(self, found: Found, waited: bool) -> bool:
        record, context = self._record, self._context
        if record.state is not SubmissionState.UNSURE:  # a person settled it meanwhile
            return True
        if found.remote_id:
            await context.writer.record_durably("submitted", sub=record.id, remote_id=found.remote_id)
            context.log("info", f"submission {record.id} was found as {found.remote_id}")
            return True
        if found.absent and waited and self._was_answered_twice():
            self._ask("the backend took it and answered without an id, and its list does not show it")
            return True
        if found.absent and waited:
            context.writer.record(
                "waiting", sub=record.id, kind="resent", reason="it was not made; it is sent again"
            )
            context.log("info", f"submission {record.id} was surely not made")
            return True
        if found.later:
            if found.reason != record.reason:
                context.writer.record("unsure", sub=record.id, reason=found.reason)
                context.log("info", f"submission {record.id}: {found.reason}")
            return False
        if not found.absent and waited:
            why = f"{record.reason}; " if record.unnamed and record.reason else ""
            self._ask(f"{why}{found.reason or 'the backend cannot tell whether it was made'}")
            return True
        return False

    def _was_answered_twice(self) -> bool:
        """Whether a create without a usable id was repeated before: each may be paid for, so none follows by itself."""
        if not self._record.unnamed:
            return False
        records = self._context.progress.submissions.values()
        return sum(one.unnamed for one in records if one.backend == self._record.backend) > 1

    def _others(self) -> frozenset[str]:
        records = self._context.progress.submissions.values()
        return frozenset(one.remote_id for one in records if one.remote_id and one.id != self._record.id)

    def _ask(self, reason: str) -> None:
        record = self._record
        self._context.writer.record(
            "attention",
            kind="unsure",
            sub=record.id,
            text=f"submission {record.id} may have been made: {reason[:400]}",
            actions=["resend", "adopt", "abandon"],
        )
