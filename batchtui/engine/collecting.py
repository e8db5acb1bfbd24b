"""Bringing home what an ended submission gave: joined by id alone, whatever the order, one bad row losing one row."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.backends.base import Answer, Forgotten, NeedsPerson, Refused, Transient, TryLater
from batchtui.engine.backoff import delay
from batchtui.model import JobState, Json
from batchtui.store import ranges
from batchtui.store.progress import PROCESSING, SubmissionRecord
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.engine.driver import Driver
    from batchtui.engine.remote import RemoteLane

_YIELD_EVERY = 200
_LEFT_OVER = {
    "expired": (JobState.EXPIRED, "expired", "not done before the backend's time was up"),
    "cancelled": (JobState.CANCELLED, None, None),
    "failed": (JobState.FAILED, "submission", None),
}


async def collect(lane: RemoteLane, driver: Driver, record: SubmissionRecord) -> None:
    """Store every answer, then settle the jobs that got none. Repeats until it has read to the end."""
    fails = 0
    while True:
        try:
            await _read(lane, driver, record)
            break
        except (Transient, TryLater) as fault:
            fails += 1
            driver.log("warning", f"submission {record.id}: results could not be read: {fault}")
            await asyncio.sleep(delay(fails, fault.after))
        except NeedsPerson as fault:
            driver.need_person(fault)
            await driver.person_answered()
        except Forgotten as fault:
            record.first_error = record.first_error or str(fault)
            driver.log("error", f"submission {record.id}: its results are gone: {fault}")
            break
        except Refused as fault:
            driver.log("error", f"submission {record.id}: its results were refused: {fault.message}")
            record.first_error = record.first_error or fault.message
            break
    _settle_rest(driver, record)
    driver.writer.record("collected", sub=record.id)
    driver.log("info", f"submission {record.id} is collected")


async def _read(lane: RemoteLane, driver: Driver, record: SubmissionRecord) -> None:
    backend, progress = lane.backend(record), driver.progress
    ids = driver.folder.jobs.ids
    later = {
        n
        for other in progress.submissions.values()
        if other.id > record.id
        for n in ranges.decode(other.jobs)
    }
    numbers = {backend.wire_id(n, ids[n]): n for n in ranges.decode(record.jobs) if n not in later}
    seen: set[int] = set()
    keep, done = _keeper(driver, record)
    try:
        count = 0
        async for answer in backend.results(lane.submission(record), keep):
            count += 1
            if count % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            n = numbers.get(answer.job_id)
            if n is None or n in seen:
                what = "no job of ours" if n is None else "answered twice"
                driver.log(
                    "warning", f'submission {record.id}: "{cell(answer.job_id, 60)}" is {what}; kept in raw/'
                )
                continue
            seen.add(n)
            if progress.states[n] == PROCESSING:
                await _store(driver, record, n, answer)
    finally:
        done()


async def _store(driver: Driver, record: SubmissionRecord, n: int, answer: Answer) -> None:
    outcome = answer.outcome
    stopping = driver.folder.header.stopping
    if outcome.state is JobState.CANCELLED and stopping:
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


def _settle_rest(driver: Driver, record: SubmissionRecord) -> None:
    """Jobs of an ended submission that it never answered."""
    progress = driver.progress
    rest = [n for n in ranges.decode(record.jobs) if progress.states[n] == PROCESSING]
    if not rest:
        return
    state, kind, text = _LEFT_OVER.get(
        record.ended_as or "", (JobState.FAILED, "missing", "the backend gave no result for this job")
    )
    if state is JobState.CANCELLED and driver.folder.header.stopping:
        state, kind, text = JobState.FAILED, driver.folder.header.stopping, "the batch was stopped"
    if record.ended_as == "failed":
        text = record.first_error or "the backend refused the whole submission"
    facts: dict[str, Json] = {"jobs": ranges.encode(rest), "state": state}
    if kind:
        facts |= {"error_kind": kind, "error": text}
    driver.writer.record("mark", **facts)
    if state is JobState.FAILED:
        driver.job_failed()


def _keeper(
    driver: Driver, record: SubmissionRecord
) -> tuple[Callable[[str, bytes], None] | None, Callable[[], None]]:
    """What writes the backend's words into raw/, whole files only, and what ends it."""
    if not driver.folder.header.spec.output.raw:
        return None, lambda: None
    raw = driver.folder.path / "raw"
    raw.mkdir(mode=0o700, exist_ok=True)
    files: dict[str, tuple[Path, int]] = {}

    def keep(name: str, chunk: bytes) -> None:
        if name not in files:
            path = raw / f"{record.id}-{name}"
            part = path.with_name(path.name + ".part")
            files[name] = (path, os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        fd, view = files[name][1], memoryview(chunk)
        while view:
            view = view[os.write(fd, view) :]

    def done() -> None:
        for path, fd in files.values():
            os.close(fd)
            path.with_name(path.name + ".part").replace(path)

    return keep, done
