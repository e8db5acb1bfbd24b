"""Which job an answer belongs to: by the id under which the job was sent, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from batchtui.backends.base import Remote
from batchtui.backends.wire.ids import ADOPTED_TOKEN, foreign_id, own_id
from batchtui.store.disk import ranges
from batchtui.store.files.jobs import JobTable
from batchtui.store.fold.progress import SubmissionRecord


class Joiner:
    """The jobs of one submission by the id that the backend has of them.

    Ids are undone rather than all kept, so that 50,000 jobs need no table of their own; one is made only when an id
    comes that cannot be undone.
    """

    def __init__(
        self,
        backend: Remote[msgspec.Struct],
        jobs: JobTable,
        record: SubmissionRecord,
        later: list[SubmissionRecord],
        nameless: Callable[[], list[int]] = list,
    ) -> None:
        """`later` submissions of the batch: a job that was sent again is answered there.

        `nameless` are jobs whose ids were lost here with their lines.
        """
        self._backend, self._jobs, self._token, self._ranges = backend, jobs, record.token, record.jobs
        self._adopted = record.token == ADOPTED_TOKEN
        self._named = self._adopted or record.grows
        self._mine = bytearray(len(jobs))
        for first, end in ranges.spans(record.jobs):
            self._mine[first:end] = b"\1" * (end - first)
        for other in later:
            for first, end in ranges.spans(other.jobs):
                self._mine[first:end] = bytes(end - first)
        self._table: dict[str, int] | None = None
        self._nameless = nameless
        self._unnamed: list[int] | None = None

    def number(self, wire_id: str) -> int | None:
        """The number of the job that was sent under this id; None where no job of this submission was."""
        own, place = own_id(wire_id, self._token)
        for n in (self._jobs.number(own), place):
            if n is not None and self._is_mine(n) and self._sent_as(n) == wire_id:
                return n
        if self._table is None:
            self._table = {self._sent_as(n): n for n in ranges.decode(self._ranges) if self._is_mine(n)}
        if wire_id not in self._table and (n := self._lost(wire_id, own)) is not None:
            self._table[wire_id] = n
        if wire_id in self._table or not self._adopted:
            return self._table.get(wire_id)
        own, place = foreign_id(wire_id)
        found = (n for n in (self._jobs.number(own), place) if n is not None and self._is_mine(n))
        return next(found, None)

    def _lost(self, wire_id: str, own: str) -> int | None:
        """The job of a lost line that this answer is taken to be of, which has the answer's id from then on.

        Which of several it was, nothing tells any more, and nothing depends on it.
        """
        if own == wire_id or not own:  # not under an id that we gave
            return None
        if self._unnamed is None:
            self._unnamed = [n for n in self._nameless() if self._is_mine(n)]
        if not self._unnamed or self._jobs.number(own) is not None:
            return None
        n = self._unnamed.pop(0)
        self._jobs.name(n, own)
        return n

    def _is_mine(self, n: int) -> bool:
        return n < len(self._mine) and self._mine[n] == 1

    def _sent_as(self, n: int) -> str:
        if self._named:
            return self._jobs.record(n).wire or self._jobs.ids[n]
        return self._backend.wire_id(n, self._jobs.ids[n], self._token)
