"""The results of a batch that a query asks for, one at a time, in source order."""

from __future__ import annotations

from collections.abc import Iterator

from batchtui.errors import StoreDamaged
from batchtui.model import LIVE_JOB_STATES, Result
from batchtui.results.query import Query
from batchtui.store.folder import BatchFolder


def select(folder: BatchFolder, query: Query | None = None, *, finished: bool = False) -> Iterator[Result]:
    """One result for every job that matches, unfinished ones with their state unless `finished`.

    A result that cannot be read any more says so in its error, of kind `damaged`.
    """
    states = query.states if query else None
    columns, ids = folder.columns(), folder.jobs.ids
    id_parts = query.simple.id_parts if query and query.simple else ()
    for n in range(len(ids)):
        state = columns.state(n)
        if (finished and state in LIVE_JOB_STATES) or (states is not None and state not in states):
            continue
        if id_parts and not all(part in ids[n].casefold() for part in id_parts):
            continue
        try:
            result = folder.result(n)
        except StoreDamaged as fault:
            result = Result(job_id=ids[n], status=state, error=str(fault), error_kind="damaged")
        if not query or query.matches(result):
            yield result
