"""HTTP for every remote kind: whole JSON replies, streamed lines, uploads from disk. It and `connection` beneath it alone
import an HTTP library.

Nothing here repeats a request. What went wrong comes out as base.py's exceptions: nothing was sent (TryLater), it
may have been carried out (Transient with `maybe_done`, Unsure for a create). No message holds a path, query or header.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from urllib.parse import urljoin

import httpx

from batchtui import __version__
from batchtui.backends.faults import NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.backends.wire.address import environment_proxy, is_link_local, is_loopback
from batchtui.backends.wire.connection import CONNECT_SECONDS, Connection
from batchtui.backends.wire.leases import Leases, inflate
from batchtui.backends.wire.pieces import (
    CHUNK,
    Body,
    Download,
    collected,
    counted,
    form,
    length,
    lines,
    pieces,
    timed,
)
from batchtui.backends.wire.replies import Reply, TooDeep, parse_json, place, raise_for, tidy
from batchtui.backends.wire.rows import LINE_LIMIT
from batchtui.model import Json

for _name in ("httpx", "aiohttp.client"):  # their INFO and DEBUG lines hold addresses and headers
    logging.getLogger(_name).setLevel(logging.WARNING)

REDIRECTS = 3
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Http:
    """Calls under one base address. `headers` may hold keys: they go to that host only and into no message.

    `timeout` is seconds for one whole call, or between two pieces of a download.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        timeout: float = 600.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.place = place(base_url)
        self.timeout = timeout
        self._proxy = proxy
        self._plain = [
            ("User-Agent", f"batchtui/{__version__}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
        ]
        self._own = list((headers or {}).items())
        values = [value.removeprefix("Bearer ") for _, value in self._own]
        self._secrets = [value.encode() for value in values if len(value) >= 8]
        self._origin = _origin(httpx.URL(self.base_url))
        self._leases: Leases[Connection] = Leases(self._connect)
        self._url = lru_cache(maxsize=64)(lambda path: httpx.URL(f"{self.base_url}/{path.lstrip('/')}"))

    async def request_json(
        self,
        method: str,
        path: str,
        *,
        json: Json = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        timeout: float | None = None,
        create: bool = False,
    ) -> Reply:
        """One call, whole; any status is a Reply (see `raise_for`). `path` is under the base, its ids quoted, or a whole
        address that a reply named, on our own host alone.

        Raises TryLater (nothing was sent), Transient, Refused (no reply that can be read), and for a `create`
        Unsure in place of the last two.
        """
        content = None
        extra = list(headers.items()) if headers else []
        if json is not None:
            content = jsonlib.dumps(json, separators=(",", ":")).encode()
            extra.append(("Content-Type", "application/json"))
        url = self._own_url(path)
        request = self._request(
            method, url.copy_merge_params(params) if params else url, extra, content, timeout
        )
        return await self._whole(request, timeout, create)

    async def upload(
        self,
        path: str,
        *,
        fields: Mapping[str, str],
        filename: str,
        source: Path,
        timeout: float | None = None,
    ) -> Reply:
        """POST a file as multipart form data with a known length, read from disk piece by piece. Raises as above."""
        extra, body = form(fields, filename, source)
        request = self._request("POST", self._url(path), extra, body, timeout)
        return await self._whole(request, timeout, create=False)

    async def submit_form(
        self, path: str, *, fields: Mapping[str, str], timeout: float | None = None
    ) -> Reply:
        """POST multipart form data without a file. Raises as above."""
        extra, body = form(fields)
        request = self._request("POST", self._url(path), extra, body, timeout)
        return await self._whole(request, timeout, create=False)

    async def send_file(
        self,
        method: str,
        address: str,
        *,
        source: Path,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """The bytes of a file to an address that the server named for it, which carries its own permission.

        Our own headers stay here. The address must be https, or on loopback where the base is, and so must one that
        it leads on to. Raises as above.
        """
        url = httpx.URL(self.base_url)
        extra = [*(headers or {}).items(), length(source)]
        for _ in range(REDIRECTS + 1):
            url = self._follow(url, address)
            request = self._request(method, url, extra, pieces(b"", source, b""), timeout, own=False)
            reply = await self._whole(request, timeout, create=False)
            address = reply.headers.get("location", "")
            if reply.status not in (307, 308) or not address:
                break
        return reply

    async def post_file(
        self,
        path: str,
        *,
        source: Path,
        content_type: str = "application/json",
        timeout: float | None = None,
        create: bool = False,
    ) -> Reply:
        """POST a file as the whole body, its length known, read from disk piece by piece. Raises as request_json."""
        extra = [("Content-Type", content_type), length(source)]
        request = self._request("POST", self._url(path), extra, pieces(b"", source, b""), timeout)
        return await self._whole(request, timeout, create)

    async def stream_lines(
        self,
        method: str,
        path: str,
        *,
        keep: Callable[[bytes], None] | None = None,
        body: Body | None = None,
        line_limit: int = LINE_LIMIT,
        timeout: float = 60.0,
        total: float = 3600.0,
    ) -> AsyncGenerator[bytes, None]:
        """The lines of a download, each with its LF (a last one without it was cut), in constant memory.

        `path` may be a whole address that the backend named; on another host it is asked without our headers.
        A line over `line_limit` comes as its first bytes only. `keep` gets every piece as it came, `body` is told
        what shows whether it was all; a page of HTML is no download but Transient. At most 3 redirects are followed,
        over https or on loopback, without our headers on another host. Raises Refused,
        NeedsPerson, TryLater, Transient.
        """
        async with self.download(path, timeout=timeout, total=total) as got:
            if got.headers.get("content-type", "").lower().startswith("text/html"):
                message = f"{self.place} answered with a page of HTML in place of the file"
                raise Transient(message, kind="bad_reply")
            if body is not None:
                body.framed = bool({"content-length", "transfer-encoding"} & set(got.headers))
            async for line in lines(counted(got.chunks, body), keep, line_limit):
                yield line

    @contextlib.asynccontextmanager
    async def download(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        timeout: float = 60.0,
        total: float = 3600.0,
    ) -> AsyncIterator[Download]:
        """What stands at a path, or at a whole address that the backend named: its headers, and its bytes as they come.

        On another host it is asked for without our headers and those given here. At most 3 redirects are followed,
        over https or on loopback. Raises as stream_lines.
        """
        url = self._named(path) if "://" in path else self._url(path)
        url = url.copy_merge_params(params) if params else url
        for _ in range(REDIRECTS + 1):
            is_own = _origin(url) == self._origin
            with self._judged(create=False):
                # A connection of its own: what follows a length that lies must not become the next reply.
                extra = [*self._own, *(headers or {}).items()] if is_own else []
                closing = [*extra, ("Connection", "close")]
                request = self._request("GET", url, closing, None, timeout, own=False)
                async with self._exchange(request) as response:
                    if response.has_redirect_location:
                        url = self._follow(url, response.headers["location"])
                        continue
                    if not response.is_success:
                        raise_for(self._reply(response, await collected(_plain(response))))
                    yield Download(str(url), response.headers, timed(_plain(response), total))
                    return
        raise Refused(f"redirect refused: more than {REDIRECTS} from {self.place}", "redirect")

    def _own_url(self, path: str) -> httpx.URL:
        url = self._named(path) if "://" in path else self._url(path)
        if _origin(url) == self._origin:
            return url
        raise Refused(
            f"the address that it gave is at {place(path)}, and keys go to {self.place} alone", "address"
        )

    def is_own(self, address: str) -> bool:
        """Whether a whole address lies on the host that our headers go to."""
        try:
            return _origin(httpx.URL(address)) == self._origin
        except (httpx.InvalidURL, ValueError):
            return False

    async def aclose(self) -> None:
        await self._leases.close()

    # ---- one exchange ---------------------------------------------------------------------------

    async def _whole(self, request: httpx.Request, timeout: float | None, create: bool) -> Reply:
        with self._judged(create):
            async with asyncio.timeout(timeout or self.timeout), self._exchange(request) as response:
                data = await collected(_plain(response))
            return self._reply(response, data, str(request.url))

    def _reply(self, response: httpx.Response, data: bytearray, url: str = "") -> Reply:
        if response.status_code >= 400:
            for secret in self._secrets:
                data = data.replace(secret, "•••".encode())
        text = data.decode("utf-8", "replace")
        value, problem = None, None
        try:
            value = parse_json(data)
        except TooDeep:
            if response.is_success:
                raise
            problem = "nested too deeply"
        except ValueError as fault:
            problem = str(fault) if data else "empty"
        return Reply(response.status_code, response.headers, value, text, problem, url)

    @contextlib.asynccontextmanager
    async def _exchange(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send on a connection of our own; it is used again only when the reply was taken without a fault."""
        origin = _origin(request.url)
        connection = self._leases.take(origin)
        response: httpx.Response | None = None
        try:
            response = await connection.handle_async_request(request)
            yield response
            await response.aclose()
        except BaseException:
            with contextlib.suppress(Exception):
                if response is not None:
                    await response.aclose()
            with contextlib.suppress(Exception):
                await connection.aclose()
            raise
        await self._leases.give_back(origin, connection)

    def _request(
        self,
        method: str,
        url: httpx.URL,
        headers: list[tuple[str, str]],
        content: bytes | AsyncIterator[bytes] | None,
        timeout: float | None,
        own: bool = True,
    ) -> httpx.Request:
        wait = timeout or self.timeout
        given = {name.lower() for name, _ in headers}
        plain = [pair for pair in self._plain if pair[0].lower() not in given]
        return httpx.Request(
            method,
            url,
            headers=[*plain, *(self._own if own else ()), *headers],
            content=content,
            extensions={"timeout": {"connect": CONNECT_SECONDS, "read": wait, "write": wait, "pool": None}},
        )

    @contextlib.contextmanager
    def _judged(self, create: bool) -> Iterator[None]:
        """Faults of the network and of unreadable replies, in our terms."""
        try:
            yield
            return
        except _NOTHING_SENT as fault:
            words = tidy(str(fault)) or type(fault).__name__
            message = f"cannot connect to {self.place} ({words}); is it running, and is base_url right?"
            raise TryLater(message, kind="unreachable", counts=True) from None
        except httpx.LocalProtocolError as fault:
            raise Refused(f"the request cannot be sent: {tidy(str(fault))}", "request") from None
        except (httpx.TimeoutException, TimeoutError):
            kind, message = "timeout", f"{self.place} did not answer in time"
        except httpx.HTTPError as fault:
            kind, message = "connection", f"the connection to {self.place} was cut ({tidy(str(fault))})"
        except ValueError as fault:
            message = f"the reply of {self.place} cannot be read: {tidy(str(fault))}"
            if create:
                raise Unsure(message, answered=True) from None
            raise Refused(message, "bad_reply") from None
        if create:
            raise Unsure(message)
        raise Transient(message, kind=kind, maybe_done=True)

    def _named(self, address: str) -> httpx.URL:
        """An address from a reply: one under our own origin as it is, another by the rules of a redirect.

        One that leads to our own host by http is meant by https where we come by that: many servers behind a proxy do
        not know better.
        """
        with contextlib.suppress(httpx.InvalidURL, ValueError):
            url = httpx.URL(address)
            secure = url.copy_with(scheme="https", port=None)
            for own in (url, secure) if url.scheme == "http" and url.port is None else (url,):
                if _origin(own) == self._origin:
                    return own
        return self._follow(httpx.URL(self.base_url), address)

    def _follow(self, url: httpx.URL, location: str) -> httpx.URL:
        try:
            target = httpx.URL(urljoin(str(url), location))
        except (httpx.InvalidURL, ValueError):
            raise Refused("redirect refused: its address cannot be read", "redirect") from None
        local = is_loopback(url.host) and is_loopback(target.host)
        if not local and (target.scheme != "https" or is_loopback(target.host) or is_link_local(target.host)):
            where = place(str(target))
            raise Refused(f"redirect refused: to {where}, which is not a public https address", "redirect")
        return target

    # ---- connections ----------------------------------------------------------------------------

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def _connect(self, origin: str) -> Connection:
        proxy = self._proxy or environment_proxy(origin)
        if proxy is not None and not proxy.lower().startswith(("http://", "https://")):
            message = f"the proxy {place(proxy)} cannot be used; give an http:// or https:// one"
            raise NeedsPerson("proxy", message)
        # Loading the authorities takes about 17 ms, which plain http need not pay.
        secure = origin.startswith("https:") or proxy is not None
        return Connection(self._tls if secure else None, proxy)


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _plain(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body's bytes. We ask for plain ones; what comes packed all the same is unpacked in bounded steps."""
    body = response.stream
    assert isinstance(body, httpx.AsyncByteStream)
    packing = response.headers.get("content-encoding", "identity").lower()
    if packing in ("", "identity"):
        return aiter(body)
    if packing in ("gzip", "x-gzip", "deflate"):
        return inflate(aiter(body), CHUNK)
    raise ValueError("it is packed although plain bytes were asked for")
