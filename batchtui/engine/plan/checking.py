"""Every job of a batch, one after another: rendered, checked, weighed and counted, and what all of them come to."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from batchtui.backends.base import Job, Remote
from batchtui.engine.plan.compose.composition import AlreadyTold, Composition
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.plan.costing import Costs
from batchtui.engine.plan.left_out import LeftOut
from batchtui.engine.plan.records import record_of
from batchtui.engine.plan.refusals import Keep, Refusals
from batchtui.engine.plan.repeats import Repeats, digest_of
from batchtui.engine.plan.shares import Shares
from batchtui.engine.scenarios.check import ScenarioPreflight
from batchtui.engine.scenarios.target import Target
from batchtui.engine.shared.pool import AnyBackend
from batchtui.errors import BatchtuiError
from batchtui.model import JobRecord, Json, Row
from batchtui.preflight import Preflight
from batchtui.sources.rows.ids import SeenIds
from batchtui.store.library import Draft, Library
from batchtui.text import cell

MOST_SEEDS = 1000
"""They stand in the batch's header, which is written often."""

Work: TypeAlias = Job[msgspec.Struct]
Place: TypeAlias = dict[str, Json]
"""Where a job comes from, as a problem tells it: file, line, row."""


class JobChecks:
    """Rows go in one by one with `take`; after `finish` the preflight holds what there is to know of them."""

    def __init__(
        self,
        work: Composition,
        flight: Preflight,
        *,
        draft: Draft | None,
        reach: Reach | None,
        library: Library | None,
        keep: Keep,
    ) -> None:
        self._work, self._flight = work, flight
        self._draft, self._reach, self._library = draft, reach, library
        self.shares = Shares(work.spec.limits)
        self.costs = Costs(work.backends.config, work.spec.limits)
        self._repeats = Repeats()
        self._name = work.source.name if work.source else work.where
        self._seen = SeenIds(self._name)
        self._left_out, self._refusals = LeftOut(work.where), Refusals(work, keep)
        self._target = Target(work, flight, library)
        self._scenarios = ScenarioPreflight(self._target.earlier)
        self._longest: tuple[int, AnyBackend, Work] | None = None
        self._last: tuple[AnyBackend, Work] | None = None

    # ---- one row

    def take(self, row: Row) -> None:
        """The jobs of a row: one, or with a sweep one a combination."""
        place: Place = {"file": self._name, "line": row.line, "row": row.number}
        many = len(self._work.combinations) > 1
        for variant, sweep in enumerate(self._work.combinations, 1):
            rendered = self._rendered(row, sweep, f".{variant}" if many else "")
            if rendered is None:
                continue
            backend, job = rendered
            if not self._may_go(backend, job, row, sweep, place):
                continue
            record = self._recorded(backend, job, row, sweep)
            if self._keeps(backend, record, place):
                self._count(backend, job, record)

    def _rendered(self, row: Row, sweep: dict[str, Json], ending: str) -> tuple[AnyBackend, Work] | None:
        """None where it cannot be, which is told."""
        try:
            job_id = self._work.job_id(row) + ending
            return self._work.job(row, sweep, job_id, self._flight.jobs - len(self.shares.seeds))
        except AlreadyTold:
            pass
        except BatchtuiError as fault:
            self._work.fault(fault, row)
        return None

    def _may_go(self, backend: AnyBackend, job: Work, row: Row, sweep: dict[str, Json], place: Place) -> bool:
        """Whether nothing stands against it; what a person should know of it is told as well."""
        if self._refusals.stops(backend, job, place):
            return False
        for key, message in backend.notices(job):
            text = f'"{cell(job.id, 60)}": {message}'
            self._work.problem(text, key=f"job.{key}", fatal=False, **place)
        self._left_out.note(backend, job)
        if self._reach:
            self._reach.look(backend, job.work, sweep)
        if wrong := self._scenarios.fault(job.id, job.work):
            self._work.problem(wrong, key="id", **place)
            return False
        if clash := self._seen.check(job.id, row):
            self._work.add(clash)
            self._flight.duplicates += clash.fatal
            return not clash.fatal
        return True

    def _recorded(self, backend: AnyBackend, job: Work, row: Row, sweep: dict[str, Json]) -> JobRecord:
        record = record_of(backend, job, row, sweep)
        if self._work.schemas and "schema" in backend.Work.__struct_fields__:
            record.schema = self._work.schemas.name(row.values, sweep)
        if backend is not self._work.backend:
            record.backend = backend.name
        return record

    def _keeps(self, backend: AnyBackend, record: JobRecord, place: Place) -> bool:
        """Whether it fits into a submission; then it is one of the batch."""
        if isinstance(backend, Remote):
            room = backend.limits.bytes_per_submission
            if record.size > room:
                text = f"the job has {record.size:,} bytes; {backend.name} takes at most {room:,}"
                self._work.problem(text, **place)
                return False
            if backend.grows:
                self._seed(backend, record, place)
                return True
        if self._draft:
            self._draft.jobs.add(record)
        return True

    def _seed(self, backend: AnyBackend, record: JobRecord, place: Place) -> None:
        seeds = self.shares.seeds
        record.n = len(seeds)
        seeds.append(record)
        if len(seeds) == MOST_SEEDS + 1:
            text = f"more than {MOST_SEEDS:,} jobs of kind {backend.kind} in a batch"
            self._work.problem(text, **place)

    def _count(self, backend: AnyBackend, job: Work, record: JobRecord) -> None:
        flight = self._flight
        likely = self.costs.add(backend, record)
        if self._library:
            digest = digest_of(backend, job, record, likely)
            self._repeats.add(digest, likely)
            if self._draft:
                self._draft.digests.append(digest)
        flight.jobs += 1
        flight.bytes += record.size
        flight.tokens_in += record.tokens[0]
        if flight.jobs == 1:
            flight.first = backend.describe(job)
        if self._longest is None or record.size > self._longest[0]:
            self._longest = (record.size, backend, job)
        self._last = (backend, job)
        self.shares.add(backend, job, record, likely)

    # ---- all of them

    def finish(self) -> None:
        """Tell what the jobs come to, and what is wrong with them together."""
        work, flight = self._work, self._flight
        if self._last and self._longest:
            _, backend, job = self._longest
            flight.longest, flight.last = backend.describe(job), self._last[0].describe(self._last[1])
        for notice in (self._scenarios.notice, self._target.notice(tables=bool(self._scenarios.count))):
            if notice:
                work.problem(notice, file=work.where, key="output.dir", fatal=False)
        work.problems += self._left_out.problems()
        self._refusals.settle(flight.jobs)
        if not flight.jobs and not work.stopped:
            work.problem("there are no jobs in this batch; its source gives no rows", file=work.where)
        flight.backends = [share.told for share in self.shares.by_name.values()]
        flight.submissions = self.shares.submissions
        work.problems += self.shares.problems(work.where, work.backends.config.defaults.limits.concurrency)
        self.costs.tell(flight)
        work.problems += self.costs.problems(work.where)
        if self._library and (problem := self._repeats.problem(self._library, work.backends, work.where)):
            work.problems.append(problem)
