"""A message batch of Anthropic's form, and the paged list of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from batchtui.backends.base import Progress, RemoteBatch, Transient
from batchtui.backends.wire.calls import NO_LIST, Page, ask, server_time, understood
from batchtui.backends.wire.values import iso, unix, usable_id
from batchtui.model import Json, SubmissionState
from batchtui.text import cell, clean

if TYPE_CHECKING:
    from batchtui.backends.http import Http

PAGE = 100
URL_LIMIT = 4000
RESULTS_KEPT = 29 * 86_400
"""Seconds from a batch's creation for which its results are kept; read 2026-11-21."""
_LIVE = {"in_progress": SubmissionState.PROCESSING, "canceling": SubmissionState.CANCELLING}
_COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")


def progress_of(batch: dict[str, Json]) -> Progress:
    """Progress from a batch. Its counts say nothing before the end, so that they are None till then.

    `expires`: when it is given up, and after its end when its results go.
    """
    word, counts = str(batch.get("processing_status") or ""), counts_of(batch)
    address = results_url(batch)
    progress = Progress(
        state=SubmissionState.PROCESSING,
        total=sum(counts.values()) or None,
        expires=iso(batch.get("expires_at")),
        facts={"results_url": address} if address else {},
    )
    if word == "ended":
        progress.state, progress.ended_as = SubmissionState.ENDED, _ended_as(batch, counts)
        created = unix(batch.get("created_at"))
        progress.expires = None if created is None else iso(created + RESULTS_KEPT)
        if progress.total:
            progress.completed = counts["succeeded"]
            progress.failed = progress.total - counts["succeeded"]
    elif word in _LIVE:
        progress.state = _LIVE[word]
    else:
        progress.error = f'the backend calls its status "{cell(word, 40)}", which is not known; asking on'
    return progress


def _ended_as(batch: dict[str, Json], counts: dict[str, int]) -> str:
    if batch.get("cancel_initiated_at"):
        return "cancelled"
    if counts["expired"]:
        return "expired"
    return "failed" if counts["errored"] and not counts["succeeded"] else "completed"


def counts_of(batch: dict[str, Json]) -> dict[str, int]:
    given = batch.get("request_counts")
    counts = given if isinstance(given, dict) else {}
    return {
        name: value if isinstance(value := counts.get(name), int) and value > 0 else 0 for name in _COUNTS
    }


def results_url(batch: dict[str, Json]) -> str | None:
    """Where the results are; None before the end, and once they are kept no longer."""
    address = batch.get("results_url")
    if not isinstance(address, str) or not 0 < len(address) <= URL_LIMIT or batch.get("archived_at"):
        return None
    usable = address.isascii() and address.isprintable() and clean(address) == address
    return address if usable and address.startswith(("https://", "http://")) else None


def remote_batch(batch: dict[str, Json]) -> RemoteBatch | None:
    remote_id = usable_id(batch.get("id"))
    if remote_id is None:
        return None
    status = str(batch.get("processing_status") or "")
    total = sum(counts_of(batch).values()) or None
    return RemoteBatch(remote_id, status, created=iso(batch.get("created_at")), jobs=total, tells=False)


async def pages(http: Http, path: str, most: int) -> AsyncGenerator[Page, None]:
    """At most `most` pages of batches, newest first."""
    after: str | None = None
    for _ in range(most):
        reply = await ask(http, "GET", path, {"limit": PAGE, **({"after_id": after} if after else {})})
        if reply.status in NO_LIST:
            return
        page = understood(reply)
        data = page.get("data")
        if not isinstance(data, list):
            raise Transient("the list of batches holds no data", kind="bad_reply")
        batches = [batch for batch in data if isinstance(batch, dict)]
        following = page.get("last_id") or (batches[-1].get("id") if batches else None)
        more = bool(page.get("has_more"))
        yield Page(batches, server_time(reply), last=not more)
        if not more or not isinstance(following, str) or following == after:
            return
        after = following
