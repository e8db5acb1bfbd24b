"""Which pending jobs share a submission: same backend, same group, within the backend's counts and bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def pack(records: Iterable[tuple[JobRecord, str]], *, most_jobs: int, most_bytes: int) -> Iterator[Slice]:
    """Full slices as they fill, then the rest. `records` come with the name of their backend."""
    filling: dict[tuple[str, str], Slice] = {}
    for record, backend in records:
        key = (backend, record.group)
        current = filling.get(key)
        if current and (len(current.jobs) >= most_jobs or current.size + record.size > most_bytes):
            yield current
            current = None
        if current is None:
            current = filling[key] = Slice(backend, record.group)
        current.jobs.append(record.n)
        current.size += record.size
        current.tokens_in += record.tokens[0]
        current.tokens_out += record.tokens[1]
    yield from filling.values()
