"""Bringing home what an ended submission gave: joined by id alone, whatever the order, one bad row losing one row."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from contextlib import closing
from typing import TYPE_CHECKING

from batchtui.backends.base import (
    Answer,
    Forgotten,
    NeedsPerson,
    Refused,
    Submission,
    Transient,
    TryLater,
)
from batchtui.engine.adopting import learn_jobs
from batchtui.engine.backoff import delay
from batchtui.engine.joining import Joiner
from batchtui.engine.judging import judged, judges, schema_of
from batchtui.model import JobState, Json, Outcome
from batchtui.store import ranges
from batchtui.store.lines import StoreFull
from batchtui.store.progress import PROCESSING, SubmissionRecord
from batchtui.store.raw import RawFiles
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.engine.driver import Driver
    from batchtui.engine.remote import RemoteLane

STRAYS = "strays.jsonl"
_YIELD_EVERY = 200
_STRAYS_TOLD = 3
"""Answers that fit no job are told one by one up to here, then only counted."""
_MAY_NEVER_COME = frozenset({"bad_reply", "not_ready"})
_PATIENCE = 5
"""Tries after which results that cannot be read, or are not there, are given up."""
_LEFT_OVER = {
    "expired": (JobState.EXPIRED, "expired", "not done before the backend's time was up"),
    "cancelled": (JobState.CANCELLED, None, None),
    "failed": (JobState.FAILED, "submission", None),
}


async def collect(lane: RemoteLane, driver: Driver, record: SubmissionRecord) -> None:
    """Store every answer, then settle the jobs that got none. Repeats until it has read to the end."""
    fails, strays, lost = 0, 0, ""
    again: dict[int, Outcome] = {}
    while True:
        try:
            submission = lane.submission(record)
            if record.grows:
                submission = await lane.growing.learn(record, final=True)
            else:
                await learn_jobs(driver, record, lane.backend(record), submission)
            again.clear()
            strays, lost = await read(lane, driver, record, submission, again)
            break
        except (Transient, TryLater) as fault:
            fails += 1
            if fault.kind in _MAY_NEVER_COME and fails > _PATIENCE:
                lost = f"its results could not be read: {fault.message}"
                break
            driver.log("warning", f"submission {record.id}: results could not be read: {fault}")
            await asyncio.sleep(delay(fails, fault.after))
        except NeedsPerson as fault:
            driver.need_person(fault)
            await driver.person_answered()
        except StoreFull as fault:
            fails += 1
            driver.store_full(fault)
            await asyncio.sleep(delay(fails))
        except Refused as fault:
            lost = f"its results were refused: {fault.message}"
            break
        except Forgotten as fault:
            lost = f"its results are gone: {fault}"
            break
    if _settle_rest(driver, record, lost, again):
        driver.log("error", f"submission {record.id}: {lost or 'it left jobs without a result'}")
    facts = {"reason": _summary(record, strays), **_retried(again)}
    await driver.writer.record_durably("collected", sub=record.id, **facts)
    driver.log("info", f"submission {record.id} is collected")
    if again:
        driver.log("warning", f"submission {record.id}: {facts['error']}: {len(again):,} jobs are sent again")
        lane.offer(again)
    if not lost and not lane.backend(record).leaves_files:
        await lane.backend(record).tidy(lane.submission(record))


async def read(
    lane: RemoteLane,
    driver: Driver,
    record: SubmissionRecord,
    submission: Submission,
    again: dict[int, Outcome] | None = None,
) -> tuple[int, str]:
    """Store the answers as they come; how many belong to no job, and why more cannot be had.

    `again` takes those that are not stored, since their jobs are to go once more.
    """
    backend, progress = lane.backend(record), driver.progress
    later = [other for other in progress.submissions.values() if other.id > record.id]
    joiner = Joiner(backend, driver.folder.jobs, record, later)
    seen = bytearray(progress.total)
    strays = count = 0
    keeps = driver.folder.header.spec.output.raw
    lost = ""

    def wanted(answer: Answer) -> dict[str, Json] | None:
        n = joiner.number(answer.job_id)
        return None if n is None else schema_of(driver.folder, backend, n)

    judging = wanted if judges(driver.folder, backend) else None
    with closing(RawFiles(driver.folder.path / "raw", record.id)) as raw:
        answers = backend.results(submission, raw.keep if keeps else None)
        try:
            async for answer in judged(driver.services.judge, judging, answers):
                count += 1
                if count % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
                n = joiner.number(answer.job_id)
                if n is None or seen[n]:
                    strays += 1
                    raw.keep(STRAYS, answer.raw.encode("utf-8", "surrogatepass") + b"\n")
                    if strays <= _STRAYS_TOLD:
                        driver.log("warning", f"submission {record.id}: {_what(answer, n)}; kept in raw/")
                    continue
                seen[n] = 1
                if progress.states[n] != PROCESSING:
                    continue
                if again is not None and answer.again and _may_go_again(lane, driver, record, n):
                    again[n] = answer.outcome
                else:
                    await _store(driver, record, n, answer)
        except Forgotten as fault:
            lost = f"its results are gone: {fault}"
        raw.finish()
    return strays, lost


def _what(answer: Answer, n: int | None) -> str:
    if not answer.job_id:
        return f"an answer names no job ({answer.outcome.error})"
    return f'"{cell(answer.job_id, 60)}" is {"no job of it" if n is None else "answered twice"}'


def _summary(record: SubmissionRecord, strays: int) -> str | None:
    """What a reader of the submission must know beside its counts; None where all went as it should."""
    jobs = ranges.count(record.jobs)
    if record.grows and isinstance(total := record.facts.get("total"), int):
        jobs = max(jobs, total)
    said = []
    if record.cancel_asked and record.ended_as in ("completed", "failed"):
        said.append(f"cancelled (server finished {record.completed + record.failed:,})")
    elif record.ended_as not in (None, "completed") or not (record.completed or record.grows):
        said.append(f"ended as {record.ended_as}: {record.completed:,} of {jobs:,} jobs completed")
    if strays:
        what = "1 answer fits" if strays == 1 else f"{strays:,} answers fit"
        said.append(f"{what} no job of it, see raw/{record.id}-{STRAYS}")
    return "; ".join(said) or None


async def _store(driver: Driver, record: SubmissionRecord, n: int, answer: Answer) -> None:
    outcome = answer.outcome
    stopping = driver.folder.header.stopping
    if outcome.state is JobState.CANCELLED and stopping and outcome.error_kind != stopping:
        outcome.state, outcome.error_kind = JobState.FAILED, stopping
        outcome.error = outcome.error or "cancelled when the batch was stopped"
    await driver.keep(
        n,
        driver.progress.tries[n],
        outcome,
        backend=driver.services.backends.get(record.backend),
        model=None,
        sub=record.id,
        batch_id=record.remote_id,
        started=record.submitted,
    )


def _may_go_again(lane: RemoteLane, driver: Driver, record: SubmissionRecord, n: int) -> bool:
    """Whether a job that was lost without a fault of its own has a try left, and time."""
    return not driver.too_late() and driver.progress.fails[n] < lane.submission(record).retries


def _retried(again: dict[int, Outcome]) -> dict[str, Json]:
    """What the journal is told of jobs that go once more: with the end of their submission, in one line."""
    if not again:
        return {}
    first = next(iter(again.values()))
    numbers = ranges.encode(sorted(again))
    return {"retried": numbers, "error_kind": first.error_kind, "error": (first.error or "")[:200]}


def _settle_rest(
    driver: Driver, record: SubmissionRecord, lost: str, again: Container[int] = frozenset()
) -> bool:
    """Jobs of an ended submission that it never answered; whether that is a fault. `lost`: why there is no answer."""
    progress = driver.progress
    rest = [n for n in ranges.decode(record.jobs) if progress.states[n] == PROCESSING and n not in again]
    if record.early:  # jobs that failed while others still ran may have been sent again by now
        later = [other.jobs for other in progress.submissions.values() if other.id > record.id]
        sent_again = {n for jobs in later for n in ranges.decode(jobs)}
        rest = [n for n in rest if n not in sent_again]
    if not rest:
        return False
    said = f'the backend says "{record.ended_as}", but gave no result for this job'
    state: JobState = JobState.FAILED
    kind: str | None = "missing"
    text: str | None = lost or said
    if not lost:
        state, kind, text = _LEFT_OVER.get(record.ended_as or "", (state, kind, text))
    if state is JobState.CANCELLED and driver.folder.header.stopping:
        state, kind, text = JobState.FAILED, driver.folder.header.stopping, "the batch was stopped"
    if record.ended_as == "failed":
        text = record.first_error or lost or "the backend refused the whole submission"
    facts: dict[str, Json] = {"jobs": ranges.encode(rest), "state": state}
    if kind:
        facts |= {"error_kind": kind, "error": (text or "")[:500]}
    driver.writer.record("mark", **facts)
    if state is JobState.FAILED:
        driver.early_end.job_failed()
    return state is JobState.FAILED
