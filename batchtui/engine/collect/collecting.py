"""Bringing home what an ended submission gave.

It is collected when every row is there, or when a body that is whole lacks a row at the second look. Whole is what
its backend's own checks (length, size, form) and the backend's counts agree with. A body that is not is asked for
again, with growing pauses, for as long as the backend says that results exist: a paid answer is never given up for
one bad download. What is missing then, and why, is told; only a person may give up sooner.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.backends.base import Forgotten, NeedsPerson, Progress, Refused, Submission, Transient, TryLater
from batchtui.engine.adopt.adopted import learn_jobs
from batchtui.engine.collect.homing import kept_answers
from batchtui.engine.collect.leftovers import counts_told, sent_of, settle_rest, unanswered
from batchtui.engine.collect.reading import Look, read
from batchtui.engine.send.answered import let_go
from batchtui.engine.shared.asking import ask_one
from batchtui.model import Json, Outcome, SubmissionState
from batchtui.store.disk import clock, ranges
from batchtui.store.disk.lines import StoreFull
from batchtui.store.files.contacts import Contact
from batchtui.store.fold.progress import SubmissionRecord
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.engine.collect.growing import Growing
    from batchtui.engine.live_batch import LiveBatch
    from batchtui.engine.submissions import Submissions

LONGEST_PAUSE = 900.0
_PAUSES = 60
"""The longest pause between two looks, in poll intervals of the backend."""
LOOKS = 2
"""Looks at a whole body after which a row that it lacks is missing."""
_BELIEVED = 5
"""How often in a row the backend must say that it holds nothing more before that is believed."""
_ASK_AFTER = 3
"""Looks at bodies that are not whole after which a person is told what can be done."""


async def collect(
    submissions: Submissions, growing: Growing, batch: LiveBatch, record: SubmissionRecord
) -> None:
    """Store every answer, then settle the jobs that got none."""
    await Collecting(submissions, growing, batch, record).run()


class Collecting:
    """The looks at one submission's results, until they are home."""

    def __init__(
        self, submissions: Submissions, growing: Growing, batch: LiveBatch, record: SubmissionRecord
    ) -> None:
        self._submissions, self._growing = submissions, growing
        self._batch, self._record = batch, record
        self._looks = self._whole = self._gone = self._torn = 0
        self._look = Look()
        self._learned = False
        """Whether the backend has told which jobs there are, where it alone knows."""

    async def run(self) -> None:
        batch, record = self._batch, self._record
        if record.homing:
            await self._read_kept()
            if self._is_there():
                await self._settle("")
        lost = ""
        while record.state is SubmissionState.ENDED:
            try:
                trouble = await self._look_once()
            except NeedsPerson as fault:
                batch.need_person(fault)
                await batch.person_answered()
                continue
            except StoreFull as fault:
                batch.faults.met(fault)
                await batch.faults.space()
                continue
            if record.state is not SubmissionState.ENDED:
                return  # a person gave it up
            lost = self._lost(trouble)
            if lost or self._is_there() or (trouble is None and self._settled()):
                break
            await self._pause(trouble)
        if record.state is SubmissionState.ENDED:
            await self._settle(lost)

    # ---- looking

    async def _look_once(self) -> Exception | None:
        """Read all there is; what was wrong with it, None where it was whole. Raises NeedsPerson, StoreFull.

        A key is refused where the submission is asked for, which is before each further look; a download alone that
        is refused comes from the way there.
        """
        self._looks += 1
        self._look = look = Look()
        known = self._looks == 1
        try:
            if not known:
                await self._ask_again()
                known = True
            submission = await self._submission()
            last = self._whole >= LOOKS - 1
            await read(self._submissions, self._batch, self._record, submission, look, ended=True, last=last)
        except (Transient, TryLater, Refused, Forgotten, NeedsPerson) as fault:
            if isinstance(fault, NeedsPerson) and not known:
                raise
            enough = self._counted()
            if enough is None or look.rows < enough or isinstance(fault, Forgotten):
                return fault
        else:
            enough = self._counted()
            if enough is not None and look.rows < enough:
                told = counts_told(self._record)
                came = f"{look.rows:,} row{'' if look.rows == 1 else 's'} came"
                return Transient(f"{came}, and the backend counts {told}", kind="not_whole")
        self._whole += 1
        return None

    async def _submission(self) -> Submission:
        """With its jobs known, where they are born at the backend."""
        submissions, batch, record = self._submissions, self._batch, self._record
        if record.grows:
            submission = await self._growing.learn(record, final=True)
        else:
            submission = replace(submissions.told(record), look=self._looks)
            await learn_jobs(batch, record, submissions.backend(record), submission, self._counted())
        self._learned = True
        return replace(submission, look=self._looks)

    async def _ask_again(self) -> None:
        """What the backend says of the submission now: files may be named late, counts and expiry change."""
        record = self._record
        try:
            progress = await ask_one(self._submissions.backend(record), self._submissions.told(record))
        except Transient as fault:
            if not fault.answered:
                raise
            return  # a word for its end that is not known takes nothing away from what is there
        if progress is None or progress.state is not SubmissionState.ENDED:
            return
        if progress.ended_as == "forgotten":
            raise Forgotten(progress.error or "the backend no longer knows this submission")
        if self._is_news(progress):
            self._batch.writer.record(
                "poll", sub=record.id, state=progress.state, completed=progress.completed, failed=progress.failed,
                total=progress.total, ended_as=progress.ended_as, expires=progress.expires, facts=progress.facts,
            )  # fmt: skip

    def _is_news(self, progress: Progress) -> bool:
        record = self._record
        told = {"completed": progress.completed, "failed": progress.failed, "total": progress.total}
        counted = {key: count for key, count in told.items() if count is not None}
        facts = any(record.facts.get(key) != value for key, value in progress.facts.items())
        expiry = progress.expires not in (None, record.expires)
        return bool(counted and counted != record.counted) or facts or expiry

    def _counted(self) -> int | None:
        """How many rows there must be by the backend's own counts; None where they do not say."""
        record, counted = self._record, self._record.counted
        if record.grows or record.early or not {"completed", "failed"} & counted.keys():
            return None  # of those that grow or come early only what is new is read
        done = counted.get("completed", 0) + counted.get("failed", 0)
        if not done and record.ended_as in (None, "completed"):
            return None  # a server that does not keep its counts
        return min(done, counted.get("total") or done, sent_of(self._batch, record) or done)

    async def _read_kept(self) -> None:
        """What came earlier and was kept word for word is read first: it costs nothing, not even a call."""
        submissions, batch, record = self._submissions, self._batch, self._record
        answers = kept_answers(batch.folder, record, submissions.backend(record))
        await read(submissions, batch, record, submissions.told(record), Look(), answers=answers)

    # ---- judging

    def _lacking(self) -> list[int]:
        return unanswered(self._batch, self._record, self._look.again)

    def _is_there(self) -> bool:
        """Whether every job has its answer, and every job is known."""
        return not self._lacking() and (self._learned or not (self._record.grows or not self._record.jobs))

    def _settled(self) -> bool:
        """Whether a whole body that lacks rows is the last word on them."""
        record = self._record
        nothing = not self._look.rows and not record.counted.get("completed")
        return self._whole >= LOOKS or (nothing and record.ended_as not in (None, "completed"))

    def _lost(self, trouble: Exception | None) -> str:
        """Why there is nothing more to be had; empty while there may be."""
        self._gone = self._gone + 1 if isinstance(trouble, Forgotten) else 0
        if self._gone >= _BELIEVED:
            return f"its results are gone: {trouble}"
        expires = self._record.expires
        if trouble is not None and self._looks > 1 and expires and clock.unix(expires) < time.time():
            return f"its results were kept until {expires}: {trouble}"
        return ""

    # ---- pausing

    async def _pause(self, trouble: Exception | None) -> None:
        """Longer each time; a person's `collect` ends it."""
        batch, record = self._batch, self._record
        first = self._submissions.backend(record).limits.poll_interval
        wait = min(first * 2 ** min(self._looks - 1, 20), first * _PAUSES, LONGEST_PAUSE)
        wait = max(wait, min(getattr(trouble, "after", None) or 0.0, LONGEST_PAUSE))
        if trouble is not None:
            self._torn += 1
            self._tell(trouble)
        else:
            lacking = len(self._lacking())
            batch.log(
                "info",
                f"submission {record.id}: {counted(lacking, 'row')} not among its results: asked once more",
            )
        batch.folder.contacts[record.id] = Contact(clock.now(), clock.stamp(time.time() + wait))
        await self._submissions.rests.rest(record.id, wait)

    def _tell(self, trouble: Exception) -> None:
        batch, record = self._batch, self._record
        reason = f"its results are not whole: {cell(str(trouble), 200)}"
        if record.reason != reason:
            batch.writer.record("uncollected", sub=record.id, reason=reason)
            text = f"submission {record.id}: {reason}; asked again until they are"
            batch.services.log(batch.folder.id, "warning", text, told=True)
        if self._torn == _ASK_AFTER and ("results", record.id) not in batch.progress.attention:
            id_ = batch.folder.id
            text = (
                f"submission {record.id}: {reason}; it goes on asking: batchtui collect {id_} asks now, "
                f"batchtui resolve {id_} --submission {record.id} abandon gives them up"
            )
            actions = ["collect", "abandon"]
            batch.writer.record("attention", kind="results", sub=record.id, text=text, actions=actions)

    # ---- the end

    async def _settle(self, lost: str) -> None:
        submissions, batch, record, look = self._submissions, self._batch, self._record, self._look
        if settle_rest(batch, record, lost, look):
            batch.log("error", f"submission {record.id}: {lost or 'it left jobs without a result'}")
        facts = {"reason": _summary(record, look), **_retried(look.again)}
        await batch.writer.commit()  # the journal never says so of answers that a power cut can still take
        await batch.writer.record_durably("collected", sub=record.id, **facts)
        batch.log("info", f"submission {record.id} is collected")
        let_go(batch, record)
        if again := look.again:
            are = "is" if len(again) == 1 else "are"
            told = f"{counted(len(again), 'job')} {are} sent again"
            batch.log("warning", f"submission {record.id}: {facts['error']}: {told}")
            if batch.lanes:
                batch.lanes.offer(again)
        mine = not batch.folder.header.follows  # what it leaves may be needed by the store that sent it
        if mine and not lost and not submissions.backend(record).leaves_files:
            await submissions.backend(record).tidy(submissions.told(record))


def _summary(record: SubmissionRecord, look: Look) -> str | None:
    """What a reader of the submission must know beside its counts; None where all went as it should."""
    jobs = ranges.count(record.jobs)
    if record.grows and isinstance(total := record.facts.get("total"), int):
        jobs = max(jobs, total)
    said = []
    if record.cancel_asked and record.ended_as in ("completed", "failed"):
        said.append(f"cancelled (server finished {record.completed + record.failed:,})")
    elif record.ended_as not in (None, "completed") or not (record.completed or record.grows):
        said.append(f"ended as {record.ended_as}: {record.completed:,} of {counted(jobs, 'job')} completed")
    if strays := look.words(record.id):
        said.append(strays)
    return "; ".join(said) or None


def _retried(again: dict[int, Outcome]) -> dict[str, Json]:
    """What the journal is told of jobs that go once more: with the end of their submission, in one line."""
    if not again:
        return {}
    first = next(iter(again.values()))
    numbers = ranges.encode(sorted(again))
    return {"retried": numbers, "error_kind": first.error_kind, "error": (first.error or "")[:200]}
