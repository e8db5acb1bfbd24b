"""The paged list of batches of servers that speak OpenAI's form."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from batchtui.backends.base import Transient
from batchtui.backends.wire.calls import NO_LIST, Page, ask, server_time, understood

if TYPE_CHECKING:
    from batchtui.backends.http import Http

PAGE = 100
SMALLEST_PAGE = 20
"""A list that does not say whether more follows is taken for whole below this many batches, the usual page."""


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
