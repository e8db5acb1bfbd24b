"""Lists of kind `rest`, page by page, whatever way an API has of going on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from batchtui.backends.base import Refused, Transient
from batchtui.backends.rest.session import Session
from batchtui.backends.rest.settings import Fetch, Listing
from batchtui.backends.rest.templates import CompiledCall, Compiler, Request
from batchtui.backends.wire.calls import NO_LIST, repeatable
from batchtui.backends.wire.replies import Reply, raise_for
from batchtui.model import Json
from batchtui.sources.templates.template import TemplateError

PAGES = 10_000
PAGING = ("page", "offset", "cursor")
Read = Callable[[Request], Awaitable[Reply]]


@dataclass(slots=True)
class Page:
    """Some items, the reply that held them, and whether with these all were seen."""

    items: list[Json]
    reply: Reply
    complete: bool


class CompiledList:
    """A list that can be read to its end, as far as its table says where that is."""

    def __init__(
        self, compiler: Compiler, listing: Listing | Fetch, key: str, names: Collection[str]
    ) -> None:
        self.call = compiler.call(listing, key, {*names, *PAGING})
        self._items = compiler.place(listing.items or "reply", f"{key}.items")
        self._next = compiler.place(listing.next, f"{key}.next")
        self._cursor = compiler.place(listing.cursor, f"{key}.cursor")
        self._more = compiler.place(listing.more, f"{key}.more")
        self._total = compiler.place(listing.total, f"{key}.total")
        self._first = listing.first_page
        self._whole = isinstance(listing, Fetch) or listing.whole
        used = self.call.names
        if self._next and used & set(PAGING):
            raise compiler.fault(
                f"{key}.next", "the address says which page: take {{ page }} and the like away"
            )
        if self._cursor and "cursor" not in used:
            raise compiler.fault(
                f"{key}.cursor", "nothing of the call takes it: put {{ cursor }} into its query or body"
            )
        if "cursor" in used and not self._cursor:
            raise compiler.fault(
                f"{key}.cursor", "missing: the place of the mark that {{ cursor }} stands for"
            )
        self._numbered = bool(used & {"page", "offset"})

    async def pages(
        self, session: Session, values: Mapping[str, Json], most: int = PAGES, read: Read | None = None
    ) -> AsyncGenerator[Page, None]:
        """At most `most` pages, each by `read`. Raises Transient, TryLater, NeedsPerson; Refused: no such list."""
        cursor: Json = None
        address: str | None = None
        visited: set[str | None] = set()
        seen = 0
        for number in range(self._first, self._first + most):
            here = {**values, "page": number, "offset": seen, "cursor": cursor}
            request = self._request(here, address)
            reply = await (read(request) if read else ask(session, request))
            if reply.status in NO_LIST:
                raise Refused(f"there is no such list ({reply.status})", "no_list")
            understood(reply)
            items = self._items(reply)
            if not isinstance(items, list):
                raise Transient(f"the reply holds no list at {self._items}", kind="bad_reply")
            seen += len(items)
            if self._next:
                visited |= {address, reply.url}
                address = self._next.address(reply)
                complete = address is None
                last = complete or address in visited
            else:
                mark, cursor = cursor, self._cursor(reply)
                last, complete = self._ended(reply, items, seen, mark, cursor)
            yield Page(items, reply, complete)
            if last:
                return

    def _request(self, values: Mapping[str, Json], address: str | None) -> Request:
        """Of the page that these values say, or of that address; the first page has no mark to send."""
        request = request_of(self.call, values)
        if address is not None:
            return replace(request, path=address, params={}, given=True)
        if self._cursor and isinstance(request.body, dict):
            request.body = {name: value for name, value in request.body.items() if value is not None}
        return request

    def _ended(
        self, reply: Reply, items: list[Json], seen: int, before: Json, cursor: Json
    ) -> tuple[bool, bool]:
        """Whether no page follows, and whether all was seen."""
        if self._cursor:
            return (True, True) if cursor in (None, "", False) else (cursor == before, False)
        if self._more:
            done = not self._more(reply)
        elif (total := self._total.count(reply)) is not None:
            done = seen >= total
        elif self._numbered:
            done = not items
        else:
            return True, self._whole
        return done or not items or not self._numbered, done


async def ask(session: Session, request: Request, timeout: float | None = None) -> Reply:
    """A call that may be repeated. Raises Transient, TryLater, NeedsPerson."""
    with repeatable():
        return await session.send(request, timeout=timeout)


def understood(reply: Reply) -> Json:
    """The JSON of a good reply. Raises Transient, TryLater, NeedsPerson."""
    with repeatable():
        raise_for(reply)
    if reply.problem is not None:
        raise Transient(f"the reply ({reply.status}) is {reply.problem}", kind="bad_reply")
    return reply.json


def request_of(call: CompiledCall, values: Mapping[str, Json]) -> Request:
    """Raises Refused where a name that the call needs was never learnt."""
    try:
        return call.render(values)
    except TemplateError as fault:
        raise Refused(f"{fault.key}: {fault.message}", "template") from None
