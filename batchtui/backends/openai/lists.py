"""Calls that may be repeated, and the paged list of batches, of servers that speak OpenAI's form."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from batchtui.backends.base import Refused, Transient
from batchtui.backends.prompts.prompts import CALL_TIMEOUT
from batchtui.backends.prompts.replies import Reply, object_of
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http

PAGE = 100
SMALLEST_PAGE = 20
"""A list that does not say whether more follows is taken for whole below this many batches, the usual page."""
NO_LIST = (404, 405, 501)
"""A server that cannot list its batches: nothing can be said, which is not the same as none."""


@dataclass(slots=True)
class Page:
    """Batches as the server lists them, its clock (Unix seconds), and whether nothing follows."""

    batches: list[dict[str, Json]]
    server_time: float
    last: bool


async def ask(http: Http, method: str, path: str, params: dict[str, str | int] | None = None) -> Reply:
    """A call that may be repeated, so a reply that cannot be read is a bad moment: Transient, never Refused."""
    try:
        return await http.request_json(method, path, params=params, timeout=CALL_TIMEOUT)
    except Refused as fault:
        raise Transient(fault.message, kind=fault.kind) from None


def understood(reply: Reply) -> dict[str, Json]:
    """The object of a good reply. Raises Transient, TryLater, NeedsPerson."""
    try:
        return object_of(reply)
    except Refused as fault:
        raise Transient(fault.message, kind=fault.kind) from None


async def pages(http: Http, path: str, most: int) -> AsyncGenerator[Page, None]:
    """At most `most` pages of batches, in the server's order. `path`: of its list."""
    after: str | None = None
    for _ in range(most):
        params: dict[str, str | int] = {"limit": PAGE, **({"after": after} if after else {})}
        reply = await ask(http, "GET", path, params)
        if reply.status in NO_LIST:
            return
        page = understood(reply)
        data = page.get("data", page.get("value"))
        if not isinstance(data, list):
            raise Transient("the list of batches holds no data", kind="bad_reply")
        batches = [batch for batch in data if isinstance(batch, dict)]
        following = page.get("last_id") or (batches[-1].get("id") if batches else None)
        more = bool(page.get("has_more"))
        whole = "has_more" in page or len(data) < SMALLEST_PAGE
        yield Page(batches, server_time(reply), last=whole and not more)
        if not more or not isinstance(following, str) or following == after:
            return
        after = following


def server_time(reply: Reply) -> float:
    """The Unix time by the clock of who answered; our own where it does not say."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()
