"""Jobs that their backend's own check refuses: they stop the batch; given one by one by a program, they fail alone."""

from __future__ import annotations

from typing import Literal

import msgspec

from batchtui.backends.attachments.files import FileFault
from batchtui.backends.base import Job
from batchtui.engine.plan.compose.composition import Composition
from batchtui.engine.shared.pool import AnyBackend
from batchtui.model import Json, Problem

Keep = Literal["none", "some", "any"]
"""Which refused jobs go into the batch, to fail there: of kinds that fail singly all, `some` unless no other is left."""


class Refusals:
    """What is wrong with jobs, and how many of them are kept all the same."""

    def __init__(self, work: Composition, keep: Keep) -> None:
        self._work, self._keep = work, keep
        self._held: list[Problem] = []
        self._kept = 0

    def stops(self, backend: AnyBackend, job: Job[msgspec.Struct], place: dict[str, Json]) -> bool:
        """Whether the job is refused and goes no further."""
        try:
            faults = self._work.faults(backend, job)
        except FileFault as fault:
            faults = [(fault.key, str(fault))]
        if not faults:
            return False
        keeps = self._keep != "none" and backend.fails_singly
        for key, message in faults:
            key = key if key.startswith("job") else f"job.{key}"
            problem = Problem(message=message, key=key, fatal=not keeps, **place)
            if keeps:
                self._held.append(problem)
            else:
                self._work.add(problem)
        self._kept += keeps
        return not keeps

    def settle(self, jobs: int) -> None:
        """Tell of those that are kept, of so many jobs in all; where it is all of them, they stop the batch."""
        alone = self._keep == "some" and self._kept == jobs
        for problem in self._held:
            told = (
                problem
                if alone
                else msgspec.structs.replace(problem, message=f"{problem.message}; it is not sent, and fails")
            )
            self._work.add(msgspec.structs.replace(told, fatal=alone))
