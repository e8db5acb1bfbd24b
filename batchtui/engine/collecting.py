"""Bringing home what an ended submission gave: joined by id alone, whatever the order, one bad row losing one row."""

from __future__ import annotations

import asyncio
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
from batchtui.engine.outputs.rawfiles import RawFiles
from batchtui.model import JobState, Json
from batchtui.store import ranges
from batchtui.store.lines import StoreFull
from batchtui.store.progress import PROCESSING, SubmissionRecord
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
    while True:
        try:
            submission = lane.submission(record)
            if record.grows:
                submission = await lane.growing.learn(record, final=True)
            else:
                await learn_jobs(driver, record, lane.backend(record), submission)
            strays, lost = await read(lane, driver, record, submission)
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
    if _settle_rest(driver, record, lost):
        driver.log("error", f"submission {record.id}: {lost or 'it left jobs without a result'}")
    await driver.writer.record_durably("collected", sub=record.id, reason=_summary(record, strays))
    driver.log("info", f"submission {record.id} is collected")
    if not lost:
        await lane.backend(record).tidy(lane.submission(record))


async def read(
    lane: RemoteLane, driver: Driver, record: SubmissionRecord, submission: Submission
) -> tuple[int, str]:
    """Store the answers as they come; how many belong to no job, and why more cannot be had."""
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
                if progress.states[n] == PROCESSING:
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


def _settle_rest(driver: Driver, record: SubmissionRecord, lost: str) -> bool:
    """Jobs of an ended submission that it never answered; whether that is a fault. `lost`: why there is no answer."""
    progress = driver.progress
    rest = [n for n in ranges.decode(record.jobs) if progress.states[n] == PROCESSING]
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
        driver.job_failed()
    return state is JobState.FAILED
