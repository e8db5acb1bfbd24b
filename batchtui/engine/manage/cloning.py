"""A new batch of jobs of another one: the same rows, template, schema and limits, and nothing of what became of them.

It is made paused, so that nothing of it is sent before a person resumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui.amounts import counted
from batchtui.backends.wire.ids import PLANNED_TOKEN
from batchtui.engine.collect.growing import NOT_ALONE
from batchtui.engine.outputs.own_folder import take_folder
from batchtui.engine.plan.compose.attaching import files_folder, found
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.records import record_of
from batchtui.engine.plan.repeats import Repeats, digest_of
from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.pricing import Pricing
from batchtui.errors import BadInput, StoreDamaged
from batchtui.model import JobRecord, Problem, Row
from batchtui.store.disk import clock
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Draft, Library
from batchtui.text import cell

SHOWN = 3
"""Faults that are told word for word."""


@dataclass(slots=True)
class Clone:
    """A clone in the making; `keep` makes it a batch, `discard` leaves no trace."""

    draft: Draft
    header: BatchHeader
    again: Problem | None
    """What a person has to agree to first: paid work that was sent before."""

    @property
    def jobs(self) -> int:
        return self.header.total + len(self.header.seeds)

    def keep(self) -> BatchFolder:
        header = self.header
        if header.own_folder:
            own = take_folder(Path(header.spec.output.dir or "").parent, header.name)
            output = msgspec.structs.replace(header.spec.output, dir=str(own))
            header.spec = msgspec.structs.replace(header.spec, output=output)
        return self.draft.keep(header)

    def discard(self) -> None:
        self.draft.discard()


def clone(
    folder: BatchFolder,
    numbers: Sequence[int] | None,
    library: Library,
    backends: Backends,
    tick: Callable[[int], None] | None = None,
) -> Clone:
    """A new batch of these jobs of `folder`; None: of all of them, and of what starts them where they are born.

    `tick` is called with the number of jobs that were looked at, every 500. Raises BadInput where one of them can no longer
    be sent, ConfigError, StoreDamaged.
    """
    born = folder.born
    seeds = list(folder.header.seeds) if numbers is None else []
    wanted = [n for n in (range(len(folder.jobs)) if numbers is None else numbers) if n not in born]
    if not wanted and not seeds:
        raise BadInput(f"{folder.id}: {NOT_ALONE if born else 'there are no jobs to clone'}")
    draft = library.draft()
    try:
        making = _Making(folder, backends, draft)
        for count, n in enumerate(wanted):
            if tick and count % 500 == 0:
                tick(count)
            making.add(n)
        new_seeds = [making.seed(record, place) for place, record in enumerate(seeds)]
        making.refuse_faults()
        header = _header(folder.header, making, new_seeds, draft.id, library.free_name(folder.header.name))
        again = making.repeats.problem(library, backends, header.name)
        return Clone(draft, header, again)
    except BaseException:
        draft.discard()
        raise


@dataclass
class _Making:
    """Writes the jobs into the draft, each looked at as if it were sent now."""

    folder: BatchFolder
    backends: Backends
    draft: Draft
    repeats: Repeats = field(default_factory=Repeats)
    used: dict[str, str] = field(default_factory=dict)
    """Account by backend."""
    kinds: dict[str, None] = field(default_factory=dict)
    remote: bool = False
    cost: float | None = 0.0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._renderer = Renderer(self.folder, self.backends)
        self._pricing = Pricing(self.backends.config)
        self._files = files_folder(self.folder.header)

    def add(self, n: int) -> None:
        try:
            record = self.folder.jobs.record(n)
        except StoreDamaged as fault:
            self.faults.append(str(fault))
            return
        if new := self._looked_at(record, self.draft.jobs.count):
            self.draft.jobs.add(new)

    def seed(self, record: JobRecord, place: int) -> JobRecord:
        return self._looked_at(record, place) or record

    def _looked_at(self, record: JobRecord, n: int) -> JobRecord | None:
        """The job's line in the new batch; None where it cannot be sent, which is then among the faults."""
        if record.lost:
            self.faults.append(f'"{cell(record.id, 60)}": its row is lost')
            return None
        try:
            backend, job = self._renderer.rendered(record, 1, PLANNED_TOKEN)
            job.files = found(job.work, self._files)
            if wrong := backend.check(job):
                raise BadInput(wrong[0][1])
        except BadInput as fault:
            self.faults.append(f'"{cell(record.id, 60)}": {fault}')
            return None
        job.index = n
        new = record_of(backend, job, Row(n + 1, record.line, record.row), record.sweep)
        new.name, new.backend, new.schema = record.name, record.backend, record.schema
        if backend.name not in self.used:
            self.used[backend.name] = backend.account()
            self.kinds[backend.kind] = None
            self.remote |= backend.remote
        likely = self._pricing.likely(backend, new.model, new)
        self.cost = None if likely is None or self.cost is None else self.cost + likely
        digest = digest_of(backend, job, new, likely)
        self.repeats.add(digest, likely)
        self.draft.digests.append(digest)
        return new

    def refuse_faults(self) -> None:
        if not self.faults:
            return
        more = f"; and {len(self.faults) - SHOWN:,} more" if len(self.faults) > SHOWN else ""
        jobs = counted(len(self.faults), "job")
        raise BadInput(
            f"{jobs} of {self.folder.id} cannot be sent as it stands, so nothing was made: "
            f"{'; '.join(self.faults[:SHOWN])}{more}"
        )


def _header(
    old: BatchHeader, making: _Making, seeds: list[JobRecord], batch_id: str, name: str
) -> BatchHeader:
    """What the batch says of itself stays; what was decided while it ran, and where it ran, does not."""
    output = old.spec.output
    if output.dir and not old.own_folder:  # the other batch's results stay as they are
        place = Path(output.dir)
        output = msgspec.structs.replace(output, dir=str(place.with_name(f"{place.name}-{batch_id}")))
    return BatchHeader(
        id=batch_id,
        name=name,
        backend=old.backend,
        kind=", ".join(making.kinds),
        remote=making.remote,
        created=clock.now(),
        total=making.draft.jobs.count,
        spec=msgspec.structs.replace(old.spec, name=name, output=output),
        own_folder=old.own_folder,
        template=old.template,
        template_hash=old.template_hash,
        base=old.base,
        files=str(making._files),
        accounts=making.used,
        templates=old.templates,
        answer_schema=old.answer_schema,
        answer_schemas=old.answer_schemas,
        estimated_usd=making.cost,
        growing=bool(seeds),
        seeds=seeds,
        paused=True,
    )
