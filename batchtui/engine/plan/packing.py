"""Which pending jobs share a submission: same backend, same group, within the backend's counts and bytes,
and what the limits allow to be spent on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from batchtui.model import JobRecord
from batchtui.prices import nano


@dataclass(slots=True)
class Slice:
    """Jobs for one submission, in source order. `tokens` are estimates (in, out at most)."""

    backend: str
    group: str
    jobs: list[int] = field(default_factory=list)
    size: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    """US dollars at most, where a limit is to be kept."""
    seed: int | None = None
    """Which of the header's seeds goes in place of jobs."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Money: what a job may cost at most (None: unknown, which is asked about as it is sent), and a submission."""

    cost: Callable[[JobRecord], float | None]
    """US dollars."""
    most: Callable[[], float]
    """Billionths of a dollar."""


class Packing:
    """Fills the slices of one backend, a group at a time each."""

    def __init__(
        self,
        backend: str,
        *,
        most_jobs: int,
        most_bytes: int,
        most_tokens: Callable[[str | None], int | None] = lambda model: None,
        allowed: Allowed | None = None,
    ) -> None:
        """`most_tokens` tells how many tokens of prompts a model's queue takes; None: no limit is known.

        `allowed`: what a submission may cost; None: no limit is to be kept.
        """
        self.backend = backend
        self._allowed = allowed
        self._most_jobs, self._most_bytes, self._most_tokens = most_jobs, most_bytes, most_tokens
        self._filling: dict[str, Slice] = {}
        self.count = 0
        """Slices begun so far."""
        self.largest = 0
        """Jobs of the largest of them."""

    def add(self, record: JobRecord) -> Slice | None:
        """Take a job in; the slice that it no longer fitted into, which is full."""
        current, full = self._filling.get(record.group), None
        cost = self._allowed.cost(record) or 0.0 if self._allowed else 0.0
        if current and (
            len(current.jobs) >= self._most_jobs
            or current.size + record.size > self._most_bytes
            or self._too_many_tokens(current, record)
            or (self._allowed and nano(current.cost + cost) > self._allowed.most())
        ):
            current, full = None, current
        if current is None:
            current = self._filling[record.group] = Slice(self.backend, record.group)
            self.count += 1
        current.jobs.append(record.n)
        self.largest = max(self.largest, len(current.jobs))
        current.size += record.size
        current.tokens_in += record.tokens[0]
        current.tokens_out += record.tokens[1]
        current.cost += cost
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
    allowed: Allowed | None = None,
) -> Iterator[Slice]:
    """Full slices as they fill, then the rest."""
    packing = Packing(
        backend, most_jobs=most_jobs, most_bytes=most_bytes, most_tokens=most_tokens, allowed=allowed
    )
    for record in records:
        if full := packing.add(record):
            yield full
    yield from packing.rest()
