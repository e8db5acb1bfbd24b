"""Which pending jobs share a submission: same backend, same group, within the backend's counts and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from batchtui.model import JobRecord


@dataclass(slots=True)
class Slice:
    """Jobs for one submission, in source order. `tokens` are estimates (in, out at most)."""

    backend: str
    group: str
    jobs: list[int] = field(default_factory=list)
    size: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seed: int | None = None
    """Which of the header's seeds goes in place of jobs."""


class Packing:
    """Fills the slices of one backend, a group at a time each."""

    def __init__(
        self,
        backend: str,
        *,
        most_jobs: int,
        most_bytes: int,
        most_tokens: Callable[[str | None], int | None] = lambda model: None,
    ) -> None:
        """`most_tokens` tells how many tokens of prompts a model's queue takes; None: no limit is known."""
        self.backend = backend
        self._most_jobs, self._most_bytes, self._most_tokens = most_jobs, most_bytes, most_tokens
        self._filling: dict[str, Slice] = {}
        self.count = 0
        """Slices begun so far."""

    def add(self, record: JobRecord) -> Slice | None:
        """Take a job in; the slice that it no longer fitted into, which is full."""
        current, full = self._filling.get(record.group), None
        if current and (
            len(current.jobs) >= self._most_jobs
            or current.size + record.size > self._most_bytes
            or self._too_many_tokens(current, record)
        ):
            current, full = None, current
        if current is None:
            current = self._filling[record.group] = Slice(self.backend, record.group)
            self.count += 1
        current.jobs.append(record.n)
        current.size += record.size
        current.tokens_in += record.tokens[0]
        current.tokens_out += record.tokens[1]
        return full

    def _too_many_tokens(self, current: Slice, record: JobRecord) -> bool:
        most = self._most_tokens(record.model)
        return most is not None and current.tokens_in + record.tokens[0] > most

    def rest(self) -> list[Slice]:
        """The slices that are not full."""
        return list(self._filling.values())


def pack(
    records: Iterable[JobRecord],
    backend: str,
    *,
    most_jobs: int,
    most_bytes: int,
    most_tokens: Callable[[str | None], int | None] = lambda model: None,
) -> Iterator[Slice]:
    """Full slices as they fill, then the rest."""
    packing = Packing(backend, most_jobs=most_jobs, most_bytes=most_bytes, most_tokens=most_tokens)
    for record in records:
        if full := packing.add(record):
            yield full
    yield from packing.rest()
