"""Taking over a batch that was made elsewhere, by its remote id: followed and collected, never submitted.

It becomes a batch of ours with one submission that has its remote id from the start. Its jobs come from the input
that the provider kept; else from a source that the user joins to it; else from the results, once they are there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec

from batchtui.amounts import counted
from batchtui.backends.base import (
    Forgotten,
    NeedsPerson,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    RemoteJob,
    Submission,
    Transient,
    TryLater,
)
from batchtui.backends.wire.ids import ADOPTED_TOKEN, foreign_id, own_id
from batchtui.engine.adopt.adopted import unique
from batchtui.engine.adopt.records import sized
from batchtui.engine.plan.compose.composition import Composition
from batchtui.engine.plan.compose.rendering import Rendering
from batchtui.engine.shared.asking import ask_one
from batchtui.errors import BadInput, BatchtuiError, NotFound
from batchtui.model import BatchSpec, Json, Row
from batchtui.store.disk import clock
from batchtui.store.files.header import BatchHeader
from batchtui.store.fold.progress import SubmissionRecord
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Draft, Library
from batchtui.text import cell

AnyRemote = Remote[msgspec.Struct]


@dataclass(slots=True)
class Adopted:
    """The batch that was made, and what the person who asked should hear."""

    folder: BatchFolder
    notes: list[str] = field(default_factory=list)


# ---- taking over -------------------------------------------------------------------------------


async def adopt(
    library: Library, backend: AnyRemote, remote_id: str, *, source: Composition | None = None, name: str = ""
) -> Adopted:
    """Make a batch of what lives at `backend` under `remote_id`. Drive it to collect its results.

    `source` is what its jobs are joined to by their ids. Raises BadInput where it is followed already, NotFound,
    and what a backend may say (Transient, TryLater, NeedsPerson, Refused).
    """
    refuse_known(library, backend, remote_id)
    submission = Submission(
        id=1, token=ADOPTED_TOKEN, batch_name="", created=time.time(), remote_id=remote_id
    )
    progress = await ask_one(backend, submission)
    if progress is None or progress.ended_as == "forgotten":
        raise NotFound(
            f'{backend.name} has no batch "{cell(remote_id, 100)}"; `batchtui remote {backend.name}` lists them'
        )
    submission.facts = progress.facts
    listed = await _listed(backend, remote_id)
    if listed and (other := _maker(library, listed)):
        raise BadInput(
            f"{cell(remote_id, 100)} was submitted here: it is of batch {other}, as `batchtui status {other}` shows"
        )
    draft = library.draft()
    try:
        making = _Making(backend, draft, source, (listed.token if listed else None) or "")
        await making.jobs(submission)
        header = _header(backend, remote_id, making, progress, name or (listed.name if listed else "") or "")
        header.id, header.name = draft.id, draft.free_name(header.name)
        return Adopted(draft.keep(header), making.notes)
    except BaseException:
        draft.discard()
        raise


def refuse_known(library: Library, backend: AnyRemote, remote_id: str) -> None:
    """Raises BadInput where a batch of this library has a submission of that id on the same account."""
    for folder, record in submissions(library, backend):
        if remote_id in (record.remote_id, folder.header.adopted):
            raise BadInput(
                f"{cell(remote_id, 100)} is followed already: submission {record.id} of batch {folder.id}"
            )


def submissions(library: Library, backend: AnyRemote) -> Iterator[tuple[BatchFolder, SubmissionRecord]]:
    """Every submission to this account that the library knows of, whatever its backend was called then."""
    account = backend.account()
    for folder in library.folders():
        if not isinstance(folder, BatchFolder):
            continue
        names = {name for name, owner in folder.header.accounts.items() if owner == account}
        with contextlib.suppress(BatchtuiError):
            for record in folder.progress.submissions.values():
                if record.backend in names:
                    yield folder, record
            if names and folder.header.adopted and not folder.progress.submissions:
                yield (
                    folder,
                    SubmissionRecord(1, folder.header.backend, ADOPTED_TOKEN, "", folder.header.created),
                )


async def _listed(backend: AnyRemote, remote_id: str) -> RemoteBatch | None:
    """The batch as the backend lists it; None where it does not, or cannot be asked."""
    try:
        return next((one for one in await backend.list() if one.remote_id == remote_id), None)
    except (Transient, TryLater, Refused, NeedsPerson):
        return None


def _maker(library: Library, listed: RemoteBatch) -> str | None:
    """The batch of this library whose token it carries."""
    batch_id = (listed.token or "").partition("-")[0]
    return batch_id if batch_id and batch_id in library.ids() else None


def _header(
    backend: AnyRemote, remote_id: str, making: _Making, progress: Progress, name: str
) -> BatchHeader:
    return BatchHeader(
        id="",
        name=cell(name, 200) or cell(remote_id, 200),
        backend=backend.name,
        kind=backend.kind,
        remote=True,
        created=clock.now(),
        total=making.count,
        spec=BatchSpec(name=name, backend=backend.name, job=making.template),
        template=making.template,
        template_hash="",
        base=str(making.source.base.absolute()) if making.source else "",
        files=str(making.source.folder.absolute()) if making.source else None,
        accounts={backend.name: backend.account()},
        adopted=remote_id,
        growing=making.growing,
    )


class _Making:
    """Writes the jobs of an adopted batch into its draft, as well as they can be known."""

    def __init__(self, backend: AnyRemote, draft: Draft, source: Composition | None, token: str) -> None:
        """`token` is what the batch carries where a batchtui made it; its jobs then get their own ids back."""
        self._backend, self._draft, self.source, self._token = backend, draft, source, token
        self.template: dict[str, Json] = source.template if source else {}
        self.count = 0
        self.growing = False
        self.notes: list[str] = []
        self._ids: set[str] = set()
        self._rendering: Rendering | None = None

    async def jobs(self, submission: Submission) -> None:
        """Raises what a backend may say, and BadInput for a source that cannot be read."""
        if self._backend.grows:
            self.growing = True
            self.notes.append("its jobs join the batch as the server shows them")
            if self.source:
                self.notes.append("they are the server's own records: the source is left out")
            return
        rows = dict(_rows(self.source)) if self.source else None
        kept: dict[str, RemoteJob] = {}
        try:
            async with aclosing(self._kept(submission)) as jobs:
                async for job in jobs:
                    if rows is None:
                        self._add(own_id(job.wire_id, self._token)[0], job.work, job.wire_id)
                    else:
                        kept[job.wire_id] = job
        except Forgotten as fault:
            if rows is None:
                self.growing = True
                self.notes.append(f"{fault}: its jobs will be known with their results")
                return
            for job_id, (row, sweep) in rows.items():
                self._add(job_id, row.values, None, row, sweep)
            return
        if rows is not None:
            self._join(rows, kept)

    async def _kept(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        async with aclosing(self._backend.jobs(submission)) as jobs:
            async for job in jobs:
                if not self.count:
                    self._take_template(job)
                yield job

    def _take_template(self, job: RemoteJob) -> None:
        """A request that the provider kept says more than a template of ours."""
        if self._rendering is None:
            self.template = {key: "{{ " + key + " }}" for key in job.work}
            self._rendering = Rendering(self.template, self._backend.Work)

    def _join(self, rows: dict[str, tuple[Row, dict[str, Json]]], kept: dict[str, RemoteJob]) -> None:
        """In the source's order; what only the provider knows comes after it."""
        order = list(rows)
        wires: dict[str, str] = {}
        for wire_id in kept:
            own, place = foreign_id(wire_id)
            if wire_id in rows or own in rows:
                wires[wire_id if wire_id in rows else own] = wire_id
            elif place is not None and place < len(order):
                wires[order[place]] = wire_id
        for job_id, (row, sweep) in rows.items():
            if job_id in wires:
                job = kept.pop(wires[job_id])
                self._add(job_id, {**row.values, **job.work}, job.wire_id, row, sweep)
        if missing := len(order) - self.count:
            are = "is no job" if missing == 1 else "are no jobs"
            self.notes.append(f"{counted(missing, 'row')} of the source {are} of this batch")
        if kept:
            have = "has" if len(kept) == 1 else "have"
            self.notes.append(f"{counted(len(kept), 'job')} of this batch {have} no row in the source")
        for job in kept.values():
            self._add(job.wire_id, job.work, job.wire_id)

    def _add(
        self,
        job_id: str,
        values: dict[str, Json],
        wire_id: str | None,
        row: Row | None = None,
        sweep: dict[str, Json] | None = None,
    ) -> None:
        row = Row(self.count + 1, row.line if row else None, values)
        rendering = self._rendering or Rendering(self.template, self._backend.Work)
        record = sized(self._backend, rendering, unique(job_id, self._ids), self.count, row, sweep or {})
        record.wire = wire_id if wire_id != record.id else None
        self._draft.jobs.add(record)
        self.count += 1


def _rows(source: Composition) -> Iterator[tuple[str, tuple[Row, dict[str, Json]]]]:
    """Rows by job id. Raises BadInput for the first thing that is wrong with the source."""
    seen: set[str] = set()
    for row in source.rows():
        for variant, sweep in enumerate(source.combinations, 1):
            job_id = source.job_id(row) + (f".{variant}" if len(source.combinations) > 1 else "")
            if job_id in seen:
                source.problem(f'id "{cell(job_id, 60)}" is there twice', row=row.number, line=row.line)
            seen.add(job_id)
            yield job_id, (row, sweep)
    for problem in source.problems:
        if problem.fatal:
            raise BadInput(str(problem))
