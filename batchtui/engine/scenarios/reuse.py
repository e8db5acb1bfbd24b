"""Scenarios whose result stands from an earlier run are taken as they are, before they would go to a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from batchtui.engine.live_batch import LiveBatch
from batchtui.engine.scenarios.check import results_of
from batchtui.engine.scenarios.output import Opened
from batchtui.model import JobState, Outcome


async def reuse(batch: LiveBatch, opened: Opened, remote: Iterable[str]) -> None:
    """`remote` names the backends whose jobs are looked at: our own workers look themselves."""
    folder, renderer = batch.folder, batch.renderer
    mine = [n for name in remote for n in batch.sendable(name)]
    found = await asyncio.to_thread(results_of, folder, renderer, opened.place, opened.earlier, mine)
    for n, value in found:
        outcome = Outcome(state=JobState.COMPLETED, output={**value, "reused": True})
        backend, _ = renderer.job(n, 1, folder.id)
        await batch.keep(n, 1, outcome, backend=backend, model=None)
