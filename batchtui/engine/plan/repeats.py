"""Work that costs money and was sent before: found by what goes over the wire, on the same backend account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from batchtui.amounts import LEAST, counted, dollars
from batchtui.backends.base import Job
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.shared.pool import AnyBackend, Backends
from batchtui.engine.spend.pricing import provider_of
from batchtui.errors import BatchtuiError
from batchtui.model import JobRecord, JobState, Problem
from batchtui.prices.lookup import OWN
from batchtui.store.files import digests, lock
from batchtui.store.files.header import BatchHeader, read_header
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.text import cell

BATCHES_SHOWN = 3
_SENT = frozenset({JobState.PROCESSING, JobState.COMPLETED, JobState.INVALID})
"""States of jobs whose work is paid for, or is about to be. One that failed, expired or was cancelled gave nothing."""


def digest_of(
    backend: AnyBackend, job: Job[msgspec.Struct], record: JobRecord, likely: float | None, account: str = ""
) -> bytes:
    """What stands for a job's work: who pays, what is sent, the files beside it. FREE where it costs nothing."""
    if not backend.paid:
        return digests.FREE
    if record.tokens != (0, 0) and (likely == 0 or (likely is None and provider_of(backend) == OWN)):
        return digests.FREE
    wire = json.dumps(backend.describe(job), sort_keys=True, separators=(",", ":"), default=str)
    return digests.digest(account or backend.account(), record.group, wire, record.files)


@dataclass(slots=True)
class Repeats:
    """The paid work of a batch in the making, and what of it earlier batches sent."""

    jobs: dict[bytes, int] = field(default_factory=dict)
    """How many jobs there are of each paid work."""
    costs: dict[bytes, float] = field(default_factory=dict)
    """What a job of this work is likely to cost, where that is known."""
    total: int = 0

    def add(self, digest: bytes, likely: float | None) -> None:
        self.total += 1
        if digest != digests.FREE:
            self.jobs[digest] = self.jobs.get(digest, 0) + 1
            if likely:
                self.costs[digest] = likely

    def problem(self, library: Library, backends: Backends, where: str) -> Problem | None:
        """What a person has to agree to before such work is sent again; None where all of it is new."""
        left = set(self.jobs)
        if not left:
            return None
        told: list[str] = []
        for folder, found in _batches(library, backends, left):
            known = {digest for digest in found if digest in left}
            if known:
                left -= known
                told.append(_said(folder, sum(self.jobs[one] for one in known)))
            if not left:
                break
        again = set(self.jobs) - left
        if not again:
            return None
        count = sum(self.jobs[one] for one in again)
        cost = sum(self.jobs[one] * self.costs.get(one, 0.0) for one in again)
        paid = f", {'about ' if cost >= LEAST else ''}{dollars(cost)}" if cost else ""
        if len(told) > BATCHES_SHOWN:
            told[BATCHES_SHOWN:] = [counted(len(told) - BATCHES_SHOWN, "more batch", "more batches")]
        new = self.total - count
        rest = "none is new" if not new else "1 is new" if new == 1 else f"{new:,} are new"
        were = "was" if self.total == 1 else "were"
        return Problem(
            message=f"{count:,} of {counted(self.total, 'job')} {were} sent before, in {', '.join(told)}, and would be paid for "
            f"twice{paid}; {rest}",
            file=where,
            fatal=False,
            asks="again",
        )


def _said(folder: BatchFolder, count: int) -> str:
    header = folder.header
    return f'"{cell(header.name, 40)}" ({count:,}, {folder.state()}: `batchtui results {header.id}`)'


def _batches(
    library: Library, backends: Backends, wanted: set[bytes]
) -> Iterator[tuple[BatchFolder, list[bytes]]]:
    """Every batch that holds wanted work which was sent, newest first."""
    headers: list[BatchHeader] = []
    for batch_id in library.ids():
        try:
            headers.append(read_header(library.path(batch_id)))
        except (BatchtuiError, OSError):
            continue
    for header in sorted(headers, key=lambda one: one.created, reverse=True):
        try:
            lines = _lines(header, library, backends)
            if not (numbers := digests.hits(lines, wanted)):
                continue
            folder = library.open(header.id)
            found = [lines[n] for n in _sent(folder, numbers)]
        except (BatchtuiError, OSError):
            continue
        if found:
            yield folder, found


def _sent(folder: BatchFolder, numbers: list[int]) -> list[int]:
    """Those that are paid for, or will be: what a live process has yet to send counts as well."""
    columns, header = folder.columns(), folder.header
    sending = lock.is_held(folder.path) and not header.paused and not header.cancelling
    counting = _SENT | {JobState.PENDING} if sending else _SENT
    return [n for n in numbers if n < folder.progress.total and columns.state(n) in counting]


def _lines(header: BatchHeader, library: Library, backends: Backends) -> list[bytes]:
    """The digests of a batch, made now where it has none or more jobs than those. Raises BatchtuiError."""
    path = library.path(header.id)
    lines = digests.read(path)
    if lines is not None and (len(lines) >= header.total or header.growing):
        return lines
    lines = list(_made(library.open(header.id), backends)) if _may_be_paid(header, backends) else []
    lines += [digests.FREE] * (header.total - len(lines))
    digests.write(path, lines)
    return lines


def _may_be_paid(header: BatchHeader, backends: Backends) -> bool:
    return any(name in backends.names() and backends.get(name).paid for name in header.backends)


def _made(folder: BatchFolder, backends: Backends) -> Iterator[bytes]:
    from batchtui.engine.spend.pricing import Pricing

    renderer, pricing = Renderer(folder, backends), Pricing(backends.config)
    for n in range(len(folder.jobs)):
        try:
            record = folder.jobs.record(n)
            backend, job = renderer.rendered(record, 1, "")
            likely = pricing.likely(backend, record.model, record)
            yield digest_of(backend, job, record, likely, folder.header.accounts.get(backend.name, ""))
        except BatchtuiError:
            yield digests.FREE  # it cannot be sent any more, so not twice either
