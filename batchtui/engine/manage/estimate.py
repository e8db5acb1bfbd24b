"""What some jobs of a batch are likely to cost if they are sent again."""

from __future__ import annotations

from collections.abc import Sequence

from batchtui.engine.shared.pool import Backends
from batchtui.engine.spend.pricing import Pricing
from batchtui.errors import BatchtuiError
from batchtui.store.folder import BatchFolder

MOST_READ = 2000
"""Jobs that are read for it; of more, so many taken evenly stand for all."""


def likely_cost(folder: BatchFolder, numbers: Sequence[int], backends: Backends) -> float | None:
    """US dollars; 0.0 for work that costs nothing, None where a price is not known. Reads the jobs."""
    chosen = numbers
    if len(numbers) > MOST_READ:
        chosen = [numbers[at * len(numbers) // MOST_READ] for at in range(MOST_READ)]
    pricing, total = Pricing(backends.config), 0.0
    for n in chosen:
        try:
            record = folder.jobs.record(n)
            backend = backends.get(record.backend or folder.header.backend)
        except BatchtuiError:
            return None  # the backend is not configured any more, or the job cannot be read
        cost = pricing.likely(backend, record.model, record)
        if cost is None:
            return None
        total += cost
    return total * len(numbers) / len(chosen) if chosen else 0.0
