"""Whether what lives at a backend is of a batch, where the backend's list does not tell: by a mark of ours that can be read.

Two things are sure: a token that is told whole, and the id of a row whose 8 hex digits follow from the batch's own id
and whose rest is one of its jobs. All else is a likelihood, and nothing is adopted on one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from batchtui.backends.base import Remote, RemoteBatch
from batchtui.backends.wire.ids import PLANNED_TOKEN, foreign_id, is_mark_of, prefix_of
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.errors import BatchtuiError
from batchtui.model import Json
from batchtui.store.folder import BatchFolder

AnyRemote = Remote[msgspec.Struct]
_BREATH = 50
"""Jobs that are rendered before others on the loop have their turn."""


class Belonging:
    """Tells for one batch."""

    def __init__(self, folder: BatchFolder, renderer: Renderer) -> None:
        self._folder, self._renderer = folder, renderer
        self._called: dict[tuple[str, int], dict[str, list[int]]] = {}
        """By backend and how many jobs there are: the numbers of the jobs by what they are called."""
        self._token = re.compile(rf"{re.escape(folder.id)}-(\d{{1,9}})-[0-9a-f]{{8}}")

    def number(self, token: str | None) -> int | None:
        """Which submission of the batch this token was given to; None for another's."""
        found = self._token.fullmatch(token or "")
        return int(found[1]) if found else None

    async def marked(self, backend: AnyRemote, one: RemoteBatch) -> RemoteBatch | bool:
        """It with its token where it is surely ours, False where it surely is not, True where it may be.

        Raises what reading it raises.
        """
        if one.fits is not None and not self._may_be_asked_for(one.fits, backend):
            return False
        shown = await one.read() if one.read is not None else ""
        if not shown:
            return True
        if found := self._token.search(shown):
            return replace(one, token=found[0], name=shown)
        if not backend.names_jobs:
            return False  # it is called otherwise
        own, place = foreign_id(shown)
        jobs = self._folder.jobs
        fits = jobs.number(own) is not None or (place is not None and place < len(jobs))
        prefix = shown[:8]
        if fits and is_mark_of(prefix, self._folder.id):
            tokens = (record.token for record in self._folder.progress.submissions.values())
            token = next((token for token in tokens if prefix_of(token) == prefix), None)
            return replace(one, token=token or f"{self._folder.id}-0-{prefix}")
        return fits  # without the mark of a batch: older versions drew all of it

    def _may_be_asked_for(self, fits: Callable[[Json], bool], backend: AnyRemote) -> bool:
        """Whether a seed of the batch asks for what fits."""
        header = self._folder.header
        for seed in header.seeds:
            if (seed.backend or header.backend) != backend.name:
                continue
            try:
                if fits(backend.describe(self._renderer.rendered(seed, 1, PLANNED_TOKEN)[1])):
                    return True
            except BatchtuiError:
                return True  # nobody can say what it asked for
        return False

    async def job_called(self, backend: AnyRemote, one: RemoteBatch, numbers: Iterable[int]) -> list[int]:
        """The one job that goes by the name which the backend has of it; empty where that is none, or several."""
        key = (backend.name, len(self._folder.jobs))
        if key not in self._called:
            self._called = {key: await self._labels(backend, numbers)}
        found = self._called[key].get((one.name or "").removesuffix(f" [{one.token}]"), [])
        return found if len(found) == 1 else []

    async def _labels(self, backend: AnyRemote, numbers: Iterable[int]) -> dict[str, list[int]]:
        """None at all where one of them cannot be told: it may be called like another."""
        labels: dict[str, list[int]] = {}
        for count, n in enumerate(numbers):
            if count % _BREATH == 0:
                await asyncio.sleep(0)
            try:
                _, job = self._renderer.job(n, 1, PLANNED_TOKEN)
            except BatchtuiError:
                return {}
            labels.setdefault(backend.label(job) or job.id, []).append(n)
        return labels
