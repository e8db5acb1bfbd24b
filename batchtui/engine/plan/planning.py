"""Before anything is sent: read the source, render and check every job, count what it would come to."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from batchtui.engine.outputs.own_folder import free_folder, take_folder
from batchtui.engine.outputs.result_files import output_dir
from batchtui.engine.plan.checking import JobChecks
from batchtui.engine.plan.compose.composition import Composition
from batchtui.engine.plan.compose.schemas import Schemas
from batchtui.engine.plan.compose.unused import unused_columns
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.plan.refusals import Keep
from batchtui.engine.shared.pool import AnyBackend, Backends
from batchtui.engine.spend.pricing import ASSUMED_ANSWER
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import BatchSpec, JobRecord, Json, Problem, Row
from batchtui.preflight import Preflight
from batchtui.store.disk import clock
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Draft, Library


@dataclass(slots=True)
class Planned:
    """A batch that was checked, and what `create` needs to make it."""

    preflight: Preflight
    spec: BatchSpec
    base: Path
    files: Path
    """Folder that relative paths of jobs start from."""
    template: dict[str, Json] = field(default_factory=dict)
    backend: AnyBackend | None = None
    backends: list[AnyBackend] = field(default_factory=list)
    """Every backend that has a job of it; `backend` is one of them."""
    templates: dict[str, dict[str, Json]] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    own_folders: Path | None = None
    """Where it gets an output folder of its own, made with the batch."""
    schemas: Schemas | None = None
    """What answers must fit."""
    needs_bound: bool = False
    """Whether jobs that name no `max_tokens` are sent with one, where a person agrees, to keep a limit in dollars."""
    seeds: list[JobRecord] = field(default_factory=list)
    """Jobs that only say what their backend is to start; the batch's own are born of them."""


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
    files: Path | None = None,
    tick: Callable[[int], None] | None = None,
    reach: Reach | None = None,
    library: Library | None = None,
    keep: Keep = "none",
) -> Planned:
    """Check every job of `spec`; sends nothing and raises nothing for bad input, `preflight.problems` says it.

    `base` is the folder that paths start from, those of jobs from `files` where that is another (a source without
    a batch file), `where` the batch file's name in messages. With a `draft` the
    jobs are written there for `create`. `tick` is called with the number of rows read now and then; `reach` takes in what
    each job does beyond its words. With a `library`, paid work that one of its batches sent before is among the problems.
    `keep` says which jobs that their backend would refuse go along, to fail by themselves.
    """
    work = Composition(spec, base, backends, stdin, where, files)
    spec = work.spec
    flight = Preflight(name=spec.name, backend=spec.backend, limits=spec.limits)
    if spec.output.dir:
        flight.output = str(output_dir(spec, base.absolute()))
    elif work.own_folders:
        name = spec.name or _name(spec)
        flight.output = str(free_folder(work.own_folders, library.free_name(name) if library else name))
    planned = Planned(flight, spec, base, files or base, schemas=work.schemas, own_folders=work.own_folders)
    if work.ready:
        if reach:
            reach.templates, reach.implied = work.templates, work.implied
        checks = JobChecks(work, flight, draft=draft, reach=reach, library=library, keep=keep)
        for row in work.rows(tick):
            checks.take(row)
        checks.finish()
        shares, planned.needs_bound = checks.shares, checks.costs.needs_bound
        planned.template, planned.backend = work.template, work.backend
        planned.seeds = shares.seeds
        planned.backends = [share.backend for share in shares.by_name.values()]
        planned.templates = {
            name: template for name, template in work.templates.items() if template != work.template
        }
        used = planned.backends or ([work.backend] if work.backend else [])
        planned.accounts = {backend.name: backend.account() for backend in used}
        flight.backend = ", ".join(backend.name for backend in used) or None
        flight.kind = ", ".join(dict.fromkeys(backend.kind for backend in used)) or None
    if work.source:
        flight.columns = work.source.columns
        flight.unused = unused_columns(work)
    flight.problems = work.counted()
    flight.consent = reach.consent if reach else None
    work.files.close()
    return planned


def create(planned: Planned, draft: Draft, *, unpriced_agreed: bool = False) -> BatchFolder:
    """Make the batch that was planned with this draft. Raises BadInput where its problems stop it.

    `unpriced_agreed`: a person lets jobs without a known price go, though a limit in dollars holds, and those whose
    answers have no bound go with one.
    """
    flight = planned.preflight
    if flight.stopped or planned.backend is None:
        draft.discard()
        fatal = [str(problem) for problem in flight.problems if problem.fatal]
        raise BadInput("; ".join(fatal[:5]) or "the batch cannot be sent")
    schema = planned.schemas.fixed if planned.schemas else None
    schemas = planned.schemas.table if planned.schemas else {}
    hashed = [planned.template, planned.templates, schema, *([schemas] if schemas else [])]
    template_text = json.dumps(hashed, sort_keys=True).encode()
    name = draft.free_name(planned.spec.name or _name(planned.spec))
    spec, own = planned.spec, None
    if planned.own_folders:
        own = take_folder(planned.own_folders, name)
        output = msgspec.structs.replace(spec.output, dir=str(own))
        spec = msgspec.structs.replace(spec, output=output)
    header = BatchHeader(
        id=draft.id,
        name=name,
        backend=planned.backend.name,
        kind=flight.kind or planned.backend.kind,
        remote=any(backend.remote for backend in planned.backends),
        created=clock.now(),
        total=flight.jobs - len(planned.seeds),
        growing=bool(planned.seeds),
        seeds=planned.seeds,
        spec=spec,
        own_folder=own is not None,
        template=planned.template,
        templates=planned.templates,
        answer_schema=schema,
        answer_schemas=schemas,
        template_hash=hashlib.sha256(template_text).hexdigest()[:16],
        base=str(planned.base.absolute()),
        files=str(planned.files.absolute()),
        accounts=planned.accounts,
        estimated_usd=flight.cost_usd,
        unpriced_agreed=unpriced_agreed,
        answer_tokens=ASSUMED_ANSWER if unpriced_agreed and planned.needs_bound else None,
    )
    try:
        return draft.keep(header)
    except BaseException:
        if own:
            with contextlib.suppress(OSError):
                own.rmdir()
        raise


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
    if found and work.ready:
        try:
            shown.job_id = work.job_id(found) + (".1" if len(work.combinations) > 1 else "")
            backend, job = work.job(found, work.combinations[0], shown.job_id, row - 1)
            for key, message in work.faults(backend, job):
                work.problem(message, key=key if key.startswith("job") else f"job.{key}", line=found.line)
            for key, message in backend.notices(job):
                work.problem(message, key=f"job.{key}", line=found.line, fatal=False)
            for key, message in backend.left_out(job):
                work.problem(f"left out: it {message}", key=f"job.{key}", line=found.line, fatal=False)
            shown.sent, shown.template = backend.describe(job), work.templates[backend.name]
        except BatchtuiError as fault:
            work.fault(fault, found)
    work.files.close()
    return shown
