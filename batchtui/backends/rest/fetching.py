"""The reply that holds a result, wherever the way to it leads: a redirect, a file of its own, another host."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batchtui.backends.base import NeedsPerson, Transient
from batchtui.backends.rest.lists import ask, understood
from batchtui.backends.rest.parts import Parts
from batchtui.backends.rest.places import joined
from batchtui.backends.rest.results import ENDINGS, parsed
from batchtui.backends.rest.session import Session
from batchtui.backends.rest.templates import Request
from batchtui.backends.wire.calls import repeatable
from batchtui.backends.wire.pieces import Download, collected
from batchtui.backends.wire.replies import Reply
from batchtui.model import Json
from batchtui.text import cell

if TYPE_CHECKING:
    from collections.abc import Iterator

Keep = Callable[[str, bytes], None]
REDIRECTED = (301, 302, 303, 307, 308)
_ENDING = re.compile(r"[A-Za-z0-9]{1,8}")


class Fetching:
    """The results of one backend. `keep`: None where the batch keeps nothing of what came."""

    def __init__(self, parts: Parts, session: Session, keep: Keep | None) -> None:
        self._parts, self._session, self._keep = parts, session, keep

    async def read(self, request: Request) -> Reply:
        """The result as the API's reply, or as one that its redirect or its `file` leads to. Raises as `ask`."""
        way = await self._way(request)
        if isinstance(way, Reply):
            return way
        with self._judged(way):
            async with self._session.download(way) as got:
                data = bytes(await collected(got.chunks))
        return self._as_reply(got, data)

    async def save(self, request: Request, name: str) -> dict[str, Json]:
        """The result as a file in `raw/`, under that name and what fits it; what the job's output says of it."""
        way = await self._way(request)
        assert self._keep is not None
        if isinstance(way, Reply):
            raise Transient("the reply leads to no file", kind="bad_reply")
        size = 0
        with self._judged(way):
            async with self._session.download(way) as got:
                kind = got.headers.get("content-type", "").partition(";")[0].strip()
                file = f"result{_ending(got.url, kind)}"
                self._keep(file, b"")
                async for chunk in got.chunks:
                    self._keep(file, chunk)
                    size += len(chunk)
        return {"file": f"{name}{file}", "bytes": size, "type": cell(kind, 100)}

    def kept(self, reply: Reply) -> None:
        """Word for word, in the place of what came before."""
        if self._keep is not None:
            name = f"result.{ENDINGS[self._parts.format]}"
            self._keep(name, reply.text.encode("utf-8", "surrogatepass"))

    async def _way(self, request: Request) -> Reply | Request:
        """The reply to the call where that is the result, else the download that gives it."""
        parts, session = self._parts, self._session
        plain = request.method == "GET" and request.body is None
        if plain and not parts.file and (parts.format != "json" or session.is_elsewhere(request)):
            return request
        reply = await ask(session, request)
        if reply.status in REDIRECTED and (there := reply.headers.get("location")):
            return _to(request, joined(reply.url, there))
        if not parts.file or not 200 <= reply.status < 300:
            return reply
        understood(reply)
        address = parts.file.address(reply)
        if address is None:
            raise Transient(f"the reply holds no address at {parts.file}", kind="bad_reply")
        return _to(request, joined(reply.url, address))

    @contextmanager
    def _judged(self, request: Request) -> Iterator[None]:
        """A file that is refused elsewhere says nothing about our key: the address may have run out."""
        try:
            with repeatable():
                yield
        except NeedsPerson as fault:
            if self._session.is_elsewhere(request):
                message = f"the address of the result is refused; it may have run out: {fault.message}"
                raise Transient(message, kind="refused") from None
            raise

    def _as_reply(self, got: Download, data: bytes) -> Reply:
        """Raises Transient for what is not of the format that the table says."""
        text = data.decode("utf-8", "replace")
        reply = Reply(200, got.headers, None, text, url=got.url)
        try:
            return self._session.quiet(replace(reply, json=parsed(self._parts.format, text)))
        except ValueError as fault:
            raise Transient(f"the result is {fault}", kind="bad_reply") from None


def _to(request: Request, address: str) -> Request:
    return Request("GET", address, {}, request.headers, None, given=True)


def _ending(url: str, kind: str) -> str:
    """Such as `.png`: as the address says, else as its type does."""
    _, dot, ending = urlsplit(url).path.rpartition("/")[2].rpartition(".")
    if dot and _ENDING.fullmatch(ending):
        return f".{ending}"
    return mimetypes.guess_extension(kind) or ".bin"
