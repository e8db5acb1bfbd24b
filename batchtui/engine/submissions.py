"""The submissions of one batch, as every step of them needs them: what their backends are told, and which are being worked on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator

import msgspec

from batchtui.backends.base import Remote, Submission
from batchtui.engine.live_batch import LiveBatch
from batchtui.engine.shared.limits import Effective
from batchtui.engine.shared.rests import Rests
from batchtui.store.disk import clock, ranges
from batchtui.store.fold.progress import SubmissionRecord
from batchtui.store.names import SENT_AS


class Submissions:
    """Never are two steps of one submission under way at once."""

    def __init__(self, batch: LiveBatch) -> None:
        self._batch = batch
        self.tasks: dict[int, asyncio.Task[None]] = {}
        """By submission, the step that is under way."""
        self.rests = Rests()

    def __iter__(self) -> Iterator[SubmissionRecord]:
        """Those that the journal knows now: others may join while one looks."""
        return iter(list(self._batch.progress.submissions.values()))

    @property
    def busy(self) -> set[int]:
        """Those that are being sent, looked up or collected this moment."""
        return set(self.tasks)

    # ---- what is told

    def limits(self, backend: str) -> Effective:
        return self._batch.limits(self._batch.services.backends.get(backend))

    def backend(self, record: SubmissionRecord) -> Remote[msgspec.Struct]:
        backend = self._batch.services.backends.get(record.backend)
        assert isinstance(backend, Remote)
        return backend

    def told(self, record: SubmissionRecord) -> Submission:
        """What a backend is told of it."""
        limits = self.limits(record.backend)
        return Submission(
            id=record.id,
            token=record.token,
            batch_name=str(record.facts.get(SENT_AS) or self._batch.folder.header.name),
            created=clock.unix(record.created),
            remote_id=record.remote_id,
            facts=record.facts,
            jobs=ranges.count(record.jobs),
            timeout=limits.timeout,
            retries=limits.retries,
            concurrency=self._batch.folder.header.spec.limits.concurrency,
            answer=self._batch.folder.path / "raw" / record.answer if record.answer else None,
        )

    # ---- steps

    def begin(self, id_: int, step: Coroutine[None, None, None]) -> None:
        """Take this step in the background; a fault of ours on the way is told, and rests."""
        task = asyncio.get_running_loop().create_task(step)
        self.tasks[id_] = task
        task.add_done_callback(lambda task: self._done(id_, task))

    def _done(self, id_: int, task: asyncio.Task[None]) -> None:
        self.tasks.pop(id_, None)
        if not task.cancelled():
            if fault := task.exception():
                self._batch.faults.met(fault, id_)
            else:
                self._batch.faults.over(id_)
        self._batch.wake()
