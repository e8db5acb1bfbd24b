"""Fields that jobs ask for and backends leave out, told once for each key and backend however many jobs there are."""

from __future__ import annotations

from collections import Counter

import msgspec

from batchtui.backends.base import Job
from batchtui.engine.shared.pool import AnyBackend
from batchtui.model import Problem
from batchtui.text import cell


class LeftOut:
    def __init__(self, where: str) -> None:
        """`where` is the batch file's name in messages."""
        self._where = where
        self._jobs: Counter[tuple[str, str, str]] = Counter()

    def note(self, backend: AnyBackend, job: Job[msgspec.Struct]) -> None:
        for key, words in backend.left_out(job):
            self._jobs[backend.name, key, words] += 1

    def problems(self) -> list[Problem]:
        """One warning for each key that a backend does not take."""
        return [
            Problem(
                message=f"left out of {jobs:,} job{'s' * (jobs != 1)} for {cell(name)}: it {words}",
                file=self._where,
                key=f"job.{key}",
                fatal=False,
            )
            for (name, key, words), jobs in self._jobs.items()
        ]
