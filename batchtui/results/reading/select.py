"""The results of a batch that a query asks for, one at a time, in source order."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from batchtui.errors import StoreDamaged
from batchtui.model import JOB_STATES, LIVE_JOB_STATES, Result
from batchtui.results.reading.query import Query
from batchtui.store.folder import BatchFolder


def select(
    folder: BatchFolder,
    query: Query | None = None,
    *,
    finished: bool = False,
    numbers: Collection[int] | None = None,
    damaged: list[str] | None = None,
) -> Iterator[Result]:
    """One result for every job that matches, unfinished ones with their state unless `finished`.

    With `numbers` only of these jobs, whatever order they are in. Ids of those that are damaged are added to `damaged`.
    """
    states = query.states if query else None
    columns, ids = folder.columns(), folder.jobs.ids
    id_parts = query.simple.id_parts if query and query.simple else ()
    for n in range(len(ids)) if numbers is None else sorted(numbers):
        state = columns.state(n)
        if (finished and state in LIVE_JOB_STATES) or (states is not None and state not in states):
            continue
        if id_parts and not all(part in ids[n].casefold() for part in id_parts):
            continue
        result = result_of(folder, n)
        if damaged is not None and result.error_kind == "damaged" and not _is_given_up(folder, n):
            damaged.append(result.job_id)
        if not query or query.matches(result):
            yield result


def _is_given_up(folder: BatchFolder, n: int) -> bool:
    """Whether its damage was met by a repair that found its result nowhere: it failed of that, as of anything else."""
    return folder.progress.offsets[n] < 0 and folder.progress.errors.get(n, "").startswith("damaged:")


def result_of(folder: BatchFolder, n: int) -> Result:
    """The job's result; one that cannot be read any more says so in its error, of kind `damaged`."""
    try:
        return folder.result(n)
    except StoreDamaged as fault:
        state = JOB_STATES[folder.progress.states[n]]
        return Result(job_id=folder.jobs.ids[n], status=state, error=str(fault), error_kind="damaged")
