"""What each backend of a batch would be given, counted job by job before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from batchtui.backends.base import Job, Remote
from batchtui.engine.plan.packing import Packing
from batchtui.engine.shared.limits import effective
from batchtui.engine.shared.pool import AnyBackend
from batchtui.engine.spend.queues import queue_of
from batchtui.model import JobRecord, LimitsSpec, Problem
from batchtui.preflight import BackendShare

MOST_NEEDS = 20
"""What jobs need beyond that is not told."""


@dataclass(slots=True)
class Share:
    """One backend's jobs. `cost` is the estimate, None once a job's price is unknown."""

    backend: AnyBackend
    packing: Packing | None
    first: Job[msgspec.Struct]
    jobs: int = 0
    cost: float | None = 0.0
    at_once: str = ""
    needs: dict[str, None] = field(default_factory=dict)
    """In the order in which jobs were first found to need them."""

    @property
    def told(self) -> BackendShare:
        return BackendShare(
            backend=self.backend.name,
            kind=self.backend.kind,
            jobs=self.jobs,
            submissions=self.packing.count if self.packing else 0,
            cost_usd=self.cost,
            at_once=self.at_once,
            sent_as=self._sent_as,
            needs=list(self.needs),
        )

    @property
    def _sent_as(self) -> str:
        if self.packing is None or not isinstance(self.backend, Remote):
            return ""
        return self.backend.sent_as(self.first, self.packing.largest, self.packing.count)

    def need(self, job: Job[msgspec.Struct]) -> None:
        for what in self.backend.needs(job):
            if what not in self.needs and len(self.needs) < MOST_NEEDS:
                self.needs[what] = None


@dataclass(slots=True)
class Shares:
    limits: LimitsSpec
    by_name: dict[str, Share] = field(default_factory=dict)
    """In the order in which the backends were first met."""
    seeds: list[JobRecord] = field(default_factory=list)
    """Jobs of backends that grow; they are no jobs of the batch themselves."""

    def add(
        self, backend: AnyBackend, job: Job[msgspec.Struct], record: JobRecord, cost: float | None
    ) -> None:
        share = self.by_name.get(backend.name)
        if share is None:
            share = Share(backend, self._packing(backend), job, at_once=backend.at_once(self.limits))
            self.by_name[backend.name] = share
        share.jobs += 1
        share.need(job)
        share.cost = None if cost is None or share.cost is None else share.cost + cost
        if share.packing:
            share.packing.add(record)

    def _packing(self, backend: AnyBackend) -> Packing | None:
        if not isinstance(backend, Remote):
            return None
        most = effective(self.limits, backend.limits).jobs_per_submission
        return Packing(
            backend.name,
            most_jobs=most,
            most_bytes=backend.limits.bytes_per_submission,
            most_tokens=lambda model: queue_of(backend, model)[1],
        )

    def problems(self, where: str, usual: int | None) -> Iterator[Problem]:
        """Of `concurrency`, where a backend makes nothing of it; not of the `usual` one, which the config has for all."""
        if self.limits.concurrency in (None, usual):
            return
        for share in self.by_name.values():
            takes = "concurrency" in share.backend.Work.__struct_fields__
            if share.backend.remote and not (takes or share.at_once):
                text = f"says nothing to {share.backend.name}, which is sent many jobs at a time; submissions_at_once does"
                yield Problem(message=text, file=where, key="limits.concurrency", fatal=False)

    @property
    def submissions(self) -> int:
        return sum(share.packing.count for share in self.by_name.values() if share.packing)
