"""A provider's queue of tokens was full: what it refused goes in again as room comes, in parts that fit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from batchtui.engine.spend.queues import is_full, queue_of, size_told
from batchtui.store.disk import ranges
from batchtui.store.fold.progress import SubmissionRecord

if TYPE_CHECKING:
    from batchtui.backends.base import Progress
    from batchtui.engine.live_batch import LiveBatch

FULL_WAIT, FULL_WAIT_MOST = 30.0, 600.0
"""Seconds before a queue that was full is tried again, where nothing tells when it has room."""
_AT_ONCE = 2
"""Refusals that teach us the queue's size, and cost no wait."""


def queue_size(batch: LiveBatch, backend: str, model: str | None) -> int | None:
    """Tokens of this model that the provider takes in at a time, as the config or the provider itself said."""
    name, size = queue_of(batch.services.backends.get(backend), model)
    return size if size is not None else batch.services.spending.file.pools.get(name)


def can_be_fed(batch: LiveBatch, record: SubmissionRecord, progress: Progress) -> bool:
    """Whether the submission failed for nothing but a full queue, into which parts of it would fit."""
    if progress.ended_as != "failed" or not is_full(progress.error) or batch.wants_cancel():
        return False
    told = size_told(progress.error or "")
    if told is None or ranges.count(record.jobs) > 1:
        return True
    return all(batch.renderer.record(n).tokens[0] <= told for n in ranges.decode(record.jobs))


async def feed_later(batch: LiveBatch, record: SubmissionRecord, error: str) -> None:
    """Put its jobs back to pending, and remember the queue's size where it was told."""
    first = batch.renderer.record(next(ranges.decode(record.jobs)))
    name, size = queue_of(batch.services.backends.get(record.backend), first.model)
    fails = batch.services.full_queues[name] = batch.services.full_queues.get(name, 0) + 1
    told = size_told(error) if size is None else None
    if told is not None:
        spending = batch.services.spending
        known = (await asyncio.to_thread(spending.file.read)).pools.get(name)
        # Where it was full though by our count it was not, its tokens are shorter than we think: smaller parts.
        learnt = told if known is None else max(told // 2, known * 4 // 5)
        await asyncio.to_thread(spending.learn, name, max(1, learnt))
    if told is None or fails > _AT_ONCE:
        wait = min(FULL_WAIT * 2 ** max(0, fails - _AT_ONCE - 1), FULL_WAIT_MOST)
        batch.services.gate(record.backend).close_for(wait)
    batch.writer.record("collected", sub=record.id, reason=f"sent again: {error[:200]}", again=True)
    batch.log("info", f"submission {record.id}: {error[:200]}; its jobs are sent again as room comes")
    if batch.lanes:
        batch.lanes.offer(())
