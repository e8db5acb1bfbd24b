"""Finding a batch whose create was left without a reply.

A batch of Anthropic's bears no name or metadata; only the ids of its requests are ours, and those come to light with
its results. So every batch of the right age and size that is not known to be another's is a candidate: one that has
ended is known by its first result, one that runs may be ours and must be waited for. Nothing is adopted, and nothing
sent again, on a likelihood. The wait costs nothing: the results come no sooner.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import time
from typing import TYPE_CHECKING

from batchtui.backends.anthropic.answers import custom_id_of
from batchtui.backends.anthropic.objects import counts_of, pages, results_url
from batchtui.backends.base import Forgotten, Found, Submission
from batchtui.backends.wire.ids import prefix_of
from batchtui.backends.wire.values import unix, usable_id
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http

LOOK_BACK = 600.0
"""Seconds before our intent from which a batch could still be ours, were the clocks apart."""
PAGES = 1000
PREFIX = 8
_UNREADABLE = ""

ResultLines = Callable[[str, str], AsyncGenerator[bytes, None]]
"""The result lines of a batch, from its id and the address that it names."""


class Finder:
    """Looks submissions up by the 8 hex digits that begin their requests' ids; remembers the first ids of ended batches."""

    def __init__(self, path: str, results_of: ResultLines) -> None:
        self._path, self._results_of = path, results_of
        self._ids: dict[str, str] = {}

    async def find(self, http: Http, submission: Submission) -> Found:
        """Raises Transient, TryLater, NeedsPerson where the backend cannot be asked."""
        prefix = prefix_of(submission.token)
        if not prefix:
            return Found(reason="its requests bear no mark of ours")
        running: list[str] = []
        unknown: list[str] = []
        read_to_the_end = False
        async with aclosing(_recent(http, self._path, submission)) as batches:
            async for batch in batches:
                if batch is None:
                    read_to_the_end = True
                    break
                remote_id = usable_id(batch.get("id"))
                if remote_id in submission.others or not _may_be(batch, submission):
                    continue
                if remote_id is None:
                    return Found(reason="the backend holds a batch under an id that cannot be used")
                if batch.get("processing_status") != "ended":
                    running.append(remote_id)
                    continue
                found = await self.row_id(remote_id, batch)
                if found[:PREFIX] == prefix:
                    return Found(remote_id=remote_id)
                if found == _UNREADABLE:
                    unknown.append(remote_id)
        if running:
            which = running[0] if len(running) == 1 else f"one of {len(running)} batches"
            return Found(reason=f"it may be {which}, which can be told once that has ended", later=True)
        if unknown:
            return Found(reason=f"it may be {unknown[0]}, whose results are kept no longer")
        if not read_to_the_end:
            return Found(reason="the backend's list of batches could not be read to its end")
        return Found(absent=True)

    async def row_id(self, remote_id: str, batch: dict[str, Json]) -> str:
        """The id of an ended batch's first readable result; `_UNREADABLE` where there is none."""
        if remote_id not in self._ids:
            self._ids[remote_id] = await self._read_id(remote_id, batch)
        return self._ids[remote_id]

    async def _read_id(self, remote_id: str, batch: dict[str, Json]) -> str:
        address = results_url(batch)
        if address is None:
            return _UNREADABLE
        try:
            async with aclosing(self._results_of(remote_id, address)) as lines:
                async for line in lines:
                    custom_id = custom_id_of(line)
                    if custom_id is not None:
                        return custom_id
        except Forgotten:
            pass
        return _UNREADABLE


def _may_be(batch: dict[str, Json], submission: Submission) -> bool:
    """Whether its size fits. Without our count of rows it may be smaller: jobs that do not render are left out."""
    total = sum(counts_of(batch).values())
    rows = submission.facts.get("rows")
    if not total:
        return True
    return total == rows if isinstance(rows, int) else not submission.jobs or total <= submission.jobs


async def _recent(
    http: Http, path: str, submission: Submission
) -> AsyncGenerator[dict[str, Json] | None, None]:
    """Batches made since shortly before the intent, newest first; None once there are no more of them."""
    cutoff: float | None = None
    previous: float | None = None
    newest_first = True
    async with aclosing(pages(http, path, PAGES)) as all_pages:
        async for page in all_pages:
            if cutoff is None:  # by the server's clock, since ours may have been set meanwhile
                by_server = submission.created + page.server_time - time()
                cutoff = min(by_server, submission.created, page.server_time) - LOOK_BACK
            for batch in page.batches:
                created = unix(batch.get("created_at"))
                newest_first &= created is not None and (previous is None or created <= previous)
                previous = created
                if created is None or created >= cutoff:
                    yield batch
            if page.last or (newest_first and previous is not None and previous < cutoff):
                yield None
                return
