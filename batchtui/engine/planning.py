"""Before anything is sent: read the source, render and check every job, count what it would come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from batchtui.backends.base import Job, Remote
from batchtui.engine.composition import Composition
from batchtui.engine.limits import effective
from batchtui.engine.packing import pack
from batchtui.engine.pool import AnyBackend, Backends
from batchtui.engine.pricing import Pricing
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import BatchSpec, JobRecord, Json, Preflight, Problem, Row
from batchtui.sources.ids import SeenIds
from batchtui.store import clock
from batchtui.store.folder import BatchFolder
from batchtui.store.header import BatchHeader
from batchtui.store.library import Draft
from batchtui.text import cell


@dataclass(slots=True)
class Planned:
    """A batch that was checked, and what `create` needs to make it."""

    preflight: Preflight
    spec: BatchSpec
    base: Path
    template: dict[str, Json] = field(default_factory=dict)
    backend: AnyBackend | None = None
    accounts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Preview:
    """One row as it would be sent, with what is wrong with it."""

    row: Row | None
    sent: Json
    problems: list[Problem]
    columns: list[str]
    rows: int | None
    job_id: str | None = None
    template: dict[str, Json] = field(default_factory=dict)


def plan(
    spec: BatchSpec,
    base: Path,
    backends: Backends,
    *,
    draft: Draft | None = None,
    stdin: BinaryIO | None = None,
    where: str = "batch",
    tick: Callable[[int], None] | None = None,
) -> Planned:
    """Check every job of `spec`; sends nothing and raises nothing for bad input, `preflight.problems` says it.

    `base` is the folder that paths start from, `where` the batch file's name in messages. With a `draft` the
    jobs are written there for `create`. `tick` is called with the number of rows read, every 500.
    """
    work = Composition(spec, base, backends, stdin, where)
    flight = Preflight(name=spec.name, backend=spec.backend, limits=spec.limits)
    planned = Planned(flight, spec, base)
    if work.backend:
        _check_jobs(work, flight, draft, tick)
        planned.template, planned.backend = work.template, work.backend
        planned.accounts = {work.backend.name: work.backend.account()}
        flight.backend, flight.kind = work.backend.name, work.backend.kind
    if work.source:
        flight.columns = work.source.columns
    if work.dropped:
        work.problems.append(Problem(message=f"and {work.dropped:,} more problems", fatal=False))
    flight.problems = work.problems
    return planned


def _check_jobs(
    work: Composition, flight: Preflight, draft: Draft | None, tick: Callable[[int], None] | None
) -> None:
    assert work.backend
    pricing = Pricing(work.backends.config)
    seen = SeenIds(work.source.name if work.source else work.where)
    unpriced: set[str] = set()
    longest: tuple[int, Job[msgspec.Struct] | None] = (-1, None)
    last: Job[msgspec.Struct] | None = None
    sizes: list[JobRecord] = []
    cost = 0.0
    for count, row in enumerate(work.rows()):
        if tick and count % 500 == 0:
            tick(count)
        for variant, sweep in enumerate(work.combinations, 1):
            try:
                job_id = work.job_id(row) + (f".{variant}" if len(work.combinations) > 1 else "")
                backend, job = work.job(row, sweep, job_id, flight.jobs)
                faults = backend.check(job)
            except BatchtuiError as fault:
                work.fault(fault, row)
                continue
            place = {
                "file": work.source.name if work.source else work.where,
                "line": row.line,
                "row": row.number,
            }
            for key, message in faults:
                work.problem(message, key=key if key.startswith("job") else f"job.{key}", **place)
            if faults:
                continue
            if clash := seen.check(job_id, row):
                work.add(clash)
                if clash.fatal:
                    flight.duplicates += 1
                    continue
            record = _record(backend, job, row, sweep)
            if isinstance(backend, Remote) and record.size > backend.limits.bytes_per_submission:
                most = backend.limits.bytes_per_submission
                work.problem(
                    f"the job has {record.size:,} bytes; {backend.name} takes at most {most:,}", **place
                )
                continue
            if draft:
                draft.jobs.add(record)
            upper = pricing.upper(backend, job, record.tokens)
            if upper is None:
                unpriced.add(backend.model(job) or "")
            else:
                cost += upper
            flight.jobs += 1
            flight.bytes += record.size
            flight.tokens_in += record.tokens[0]
            flight.tokens_out_max += record.tokens[1]
            if flight.jobs == 1:
                flight.first = backend.describe(job)
            if record.size > longest[0]:
                longest = (record.size, job)
            last = job
            if isinstance(backend, Remote):
                sizes.append(
                    JobRecord(n=record.n, id="", backend=record.backend, group=record.group, size=record.size)
                )
    if last and longest[1]:
        flight.longest, flight.last = work.backend.describe(longest[1]), work.backend.describe(last)
    if not flight.jobs and not work.stopped:
        work.problem("there are no jobs in this batch", file=work.where)
    limits = effective(work.spec.limits, work.backend.limits)
    if sizes:
        most_bytes = work.backend.limits.bytes_per_submission
        pairs = ((record, record.backend or "") for record in sizes)
        flight.submissions = sum(
            1 for _ in pack(pairs, most_jobs=limits.jobs_per_submission, most_bytes=most_bytes)
        )
    flight.cost_usd = None if unpriced else cost
    if unpriced and work.spec.limits.cost_usd is not None:
        models = ", ".join(f'"{cell(model, 60)}"' for model in sorted(unpriced))
        work.problems.append(
            Problem(
                message=f"the price of {models} is unknown, so limits.cost_usd cannot be kept; "
                f"add [prices.{models.split(', ')[0]}] input = …, output = … to the config",
                file=work.where,
                key="limits.cost_usd",
            )
        )


def _record(backend: AnyBackend, job: Job[msgspec.Struct], row: Row, sweep: dict[str, Json]) -> JobRecord:
    if isinstance(backend, Remote):
        size, group = len(backend.line(job)), backend.group(job)
    else:
        size, group = len(msgspec.json.encode(job.work)), ""
    return JobRecord(
        n=job.index,
        id=job.id,
        row=row.values,
        line=row.line,
        sweep=sweep,
        group=group,
        size=size,
        tokens=backend.tokens(job),
    )


def create(planned: Planned, draft: Draft) -> BatchFolder:
    """Make the batch that was planned with this draft. Raises BadInput where its problems stop it."""
    flight = planned.preflight
    if flight.stopped or planned.backend is None:
        draft.discard()
        fatal = [str(problem) for problem in flight.problems if problem.fatal]
        raise BadInput("; ".join(fatal[:5]) or "the batch cannot be sent")
    defaults = planned.backend.setup.settings
    template_text = json.dumps(planned.template, sort_keys=True).encode()
    name = planned.spec.name or _name(planned.spec)
    header = BatchHeader(
        id=draft.id,
        name=name,
        backend=planned.backend.name,
        kind=defaults.kind,
        remote=planned.backend.remote,
        created=clock.now(),
        total=flight.jobs,
        spec=planned.spec,
        template=planned.template,
        template_hash=hashlib.sha256(template_text).hexdigest()[:16],
        base=str(planned.base.absolute()),
        accounts=planned.accounts,
        estimated_usd=flight.cost_usd,
    )
    return draft.keep(header)


def _name(spec: BatchSpec) -> str:
    if spec.source and spec.source.file != "-":
        return Path(spec.source.file).name.split(".")[0] or "batch"
    return "batch"


def preview(spec: BatchSpec, base: Path, backends: Backends, row: int = 1) -> Preview:
    """Row number `row` (from 1) as it would be sent. Reads no further than that row; never raises for bad input."""
    work = Composition(spec, base, backends, None, "batch")
    found = next(islice(work.rows(), row - 1, None), None)
    shown = Preview(
        row=found,
        sent=None,
        problems=work.problems,
        columns=work.source.columns if work.source else [],
        rows=work.source.count_hint if work.source else 1,
        template=work.template,
    )
    if found and work.backend:
        try:
            shown.job_id = work.job_id(found)
            backend, job = work.job(found, work.combinations[0], shown.job_id, row - 1)
            for key, message in backend.check(job):
                work.problem(message, key=key if key.startswith("job") else f"job.{key}", line=found.line)
            shown.sent = backend.describe(job)
        except BatchtuiError as fault:
            work.fault(fault, found)
    return shown
