"""One look at the results of a submission: answers joined by id alone and stored as they come, whatever the order.

One bad row loses one row, and of several rows of one job the first that is an answer is kept. What cannot be read is
not stored at the first look, since the next may have it whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batchtui.backends.answers.said import add_note
from batchtui.backends.base import Answer, Submission
from batchtui.engine.shared.joining import Joiner
from batchtui.engine.shared.judging import judged, judges, schema_of
from batchtui.model import JOB_STATES, LIVE_JOB_STATES, JobState, Json, Outcome
from batchtui.store.files.raw import RawFiles
from batchtui.store.fold.progress import PROCESSING, SubmissionRecord
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.engine.live_batch import LiveBatch
    from batchtui.engine.submissions import Submissions

STOPPED = {
    "time_limit": "the time limit of the batch ended it before there was an answer",
    "stopped": "ended with the batch: an earlier job failed and error_policy is stop",
}
"""By what stopped the batch, what is said of jobs that were at a backend then."""
STRAYS = "strays.jsonl"
_WORTH = {JobState.COMPLETED: 2, JobState.INVALID: 1}
_YIELD_EVERY = 200
_NAMED = 3
"""Answers that fit no job are named one by one up to here, then only counted."""


@dataclass(slots=True)
class Look:
    """What one reading gave, beside what was stored."""

    rows: int = 0
    """Lines that held something, readable or not."""
    unknown: list[str] = field(default_factory=list)
    """Ids of answers that are no job of the submission."""
    twice: list[str] = field(default_factory=list)
    """Jobs that were answered again, and otherwise, by nothing better: the answer before is kept."""
    nameless: list[str] = field(default_factory=list)
    """What is wrong with lines that name no job."""
    unreadable: list[str] = field(default_factory=list)
    """Those of them that cannot be read at all."""
    again: dict[int, Outcome] = field(default_factory=dict)
    """Jobs that are to go once more, so that nothing of them is stored."""

    @property
    def strays(self) -> int:
        return len(self.unknown) + len(self.twice) + len(self.nameless)

    def words(self, submission: int) -> str:
        """What a reader must know of answers that were not taken; empty where there are none."""
        said = []
        if self.unknown:
            fits = "1 answer fits" if len(self.unknown) == 1 else f"{len(self.unknown):,} answers fit"
            said.append(f"{fits} no job of it ({_some(self.unknown)})")
        if self.twice:
            jobs = "1 job is" if len(self.twice) == 1 else f"{len(self.twice):,} jobs are"
            said.append(
                f"{jobs} answered twice, each time otherwise ({_some(self.twice)}): the first that is an answer is kept"
            )
        if self.nameless:
            lines = "1 line" if len(self.nameless) == 1 else f"{len(self.nameless):,} lines"
            said.append(f"{lines} of its results cannot be read or names no job")
        return "; ".join(said) + f", see raw/{submission}-{STRAYS}" if said else ""


def _some(names: list[str]) -> str:
    shown = ", ".join(f'"{cell(name, 60)}"' for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"


async def read(
    submissions: Submissions,
    batch: LiveBatch,
    record: SubmissionRecord,
    submission: Submission,
    look: Look,
    *,
    answers: AsyncIterator[Answer] | None = None,
    ended: bool = False,
    last: bool = False,
) -> None:
    """Store the answers as they come, telling `look` of the rest. Raises what `results` raises.

    `answers` stand in place of those that the backend gives. `ended`: the submission runs no more, so that jobs may
    go again. `last`: lines that cannot be read are their jobs' answers, since another look did not mend them.
    """
    backend, progress = submissions.backend(record), batch.progress
    later = [other for other in progress.submissions.values() if other.id > record.id]
    joiner = Joiner(backend, batch.folder.jobs, record, later, batch.folder.nameless)
    seen: dict[int, int] = {}
    keeps = batch.folder.header.spec.output.raw

    def wanted(answer: Answer) -> dict[str, Json] | None:
        n = joiner.number(answer.job_id)
        return None if n is None else schema_of(batch.folder, backend, n)

    judging = wanted if judges(batch.folder, backend) else None
    with closing(RawFiles(batch.folder.path / "raw", record.id)) as raw:
        given = answers or backend.results(submission, raw.keep if keeps else None)
        async for answer in judged(batch.services.judge, judging, given):
            look.rows += 1
            if look.rows % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            n = joiner.number(answer.job_id)
            told = hash((answer.outcome.state, answer.outcome.raw_response, answer.outcome.error))
            better = n is not None and _is_better(batch, record, n, answer.outcome)
            if n is None or (n in seen and not better):
                if n is None or seen[n] != told:
                    _stray(batch, record, look, answer, n)
                    raw.keep(STRAYS, answer.raw.encode("utf-8", "surrogatepass") + b"\n")
                continue
            seen[n] = told
            if not better and (progress.states[n] != PROCESSING or (answer.unreadable and not last)):
                continue
            if ended and answer.again and _may_go_again(submissions, batch, record, n):
                look.again[n] = answer.outcome
            else:
                look.again.pop(n, None)
                await _store(batch, record, n, answer)
        raw.finish()


def _is_better(batch: LiveBatch, record: SubmissionRecord, n: int, outcome: Outcome) -> bool:
    """Whether an answer is worth more than what this submission said of its job before: it may have been paid for."""
    state = JOB_STATES[batch.progress.states[n]]
    if _WORTH.get(outcome.state, 0) <= _WORTH.get(state, 0):
        return False
    if state is JobState.PROCESSING:
        return True
    if state in LIVE_JOB_STATES or batch.progress.offsets[n] < 0:
        return False
    before = batch.folder.result(n)
    if before.batch_id != record.remote_id or before.error_kind == "damaged":
        return False
    add_note(outcome, f"it was answered twice, and not the first time: {cell(before.error or '', 100)}")
    return True


def _stray(batch: LiveBatch, record: SubmissionRecord, look: Look, answer: Answer, n: int | None) -> None:
    if not answer.job_id:
        look.nameless.append(answer.outcome.error or "")
        if answer.unreadable:
            look.unreadable.append(answer.outcome.error or "")
        what = f"an answer names no job ({answer.outcome.error})"
    elif n is None:
        look.unknown.append(answer.job_id)
        what = f'"{cell(answer.job_id, 60)}" is no job of it'
    else:
        look.twice.append(batch.folder.jobs.ids[n])
        what = f'"{cell(answer.job_id, 60)}" is answered twice, each time otherwise'
    if look.strays <= _NAMED:
        batch.log("warning", f"submission {record.id}: {what}; kept in raw/")


async def _store(batch: LiveBatch, record: SubmissionRecord, n: int, answer: Answer) -> None:
    outcome = answer.outcome
    stopping = batch.folder.header.stopping
    if outcome.state is JobState.CANCELLED and stopping and outcome.error_kind != stopping:
        outcome.state, outcome.error_kind = JobState.FAILED, stopping
        outcome.error = STOPPED.get(stopping, "the batch was stopped")
    await batch.keep(
        n,
        batch.progress.tries[n],
        outcome,
        backend=batch.services.backends.get(record.backend),
        model=None,
        sub=record.id,
        batch_id=record.remote_id,
        started=record.submitted,
    )


def _may_go_again(submissions: Submissions, batch: LiveBatch, record: SubmissionRecord, n: int) -> bool:
    """Whether a job that was lost without a fault of its own has a try left, and time."""
    return not batch.too_late() and batch.progress.fails[n] < submissions.told(record).retries
