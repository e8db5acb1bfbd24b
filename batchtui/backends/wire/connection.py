"""One connection to one origin: httpx's requests and replies, carried by aiohttp, whose parser is not written in Python.

Nothing here follows, repeats, unpacks or remembers anything. What went wrong comes out as httpx's exceptions, told apart by
whether the request can have arrived, and with words of our own where aiohttp's hold an address or a header.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import lru_cache

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

CONNECT_SECONDS = 5.0
_HEADER_BYTES = 1 << 16
_READ_BYTES = 1 << 18


class Connection:
    """Sends one request at a time. After a fault it is to be closed: only whole replies leave it fit for the next."""

    def __init__(self, tls: ssl.SSLContext | None, proxy: str | None) -> None:
        self._tls: ssl.SSLContext | bool = tls or True
        self._proxy = URL(proxy) if proxy else None
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self._session = self._session or _session()
        stream = request.stream
        sending = None if isinstance(stream, httpx.ByteStream) else _Sending(stream)  # type: ignore[arg-type]
        whole = b"".join(stream) if isinstance(stream, httpx.ByteStream) else None
        with _in_our_terms():
            try:
                response = await session.request(
                    request.method,
                    _address(request.url),
                    headers=[
                        (name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw
                    ],
                    data=whole or sending,
                    ssl=self._tls,
                    proxy=self._proxy,
                    timeout=_timeout(request.extensions["timeout"]["read"]),
                    allow_redirects=False,
                )
            except ValueError as fault:
                if isinstance(fault, aiohttp.ClientError):
                    raise
                raise httpx.LocalProtocolError("a header or the address holds what none may hold") from None
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response, sending))

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Sending(httpx.AsyncByteStream):
    """A body on its way up, and whether all of it has gone."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream, self.done = stream, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece
        self.done = True


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse, sending: _Sending | None) -> None:
        self._response, self._sending = response, sending

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_our_terms():
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        """The connection stays open only where all was said on both sides."""
        if self._response.content.at_eof() and (self._sending is None or self._sending.done):
            self._response.release()
        else:
            self._response.close()


class _Connector(aiohttp.TCPConnector):
    """Gives no connection out again on which something lies that nobody asked for, or that the other side has closed."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[aiohttp.tracing.Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        found = await super().connect(req, traces, timeout)
        if found.protocol is None or not (found.protocol.should_close or _is_readable(found.transport)):
            return found
        # At most one idles here, so the next is new: what TLS says first on it is no reason to close it.
        found.close()
        return await super().connect(req, traces, timeout)


def _is_readable(transport: object) -> bool:
    socket = getattr(transport, "get_extra_info")("socket")  # noqa: B009
    waiting = select.poll()
    waiting.register(socket.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _session() -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=_Connector(limit=0, keepalive_timeout=30, use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
        auto_decompress=False,
        read_bufsize=_READ_BYTES,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
    )
    # It would send a GET or PUT again when an idle connection was closed meanwhile; what is repeated is decided above.
    session._retry_connection = False
    return session


@lru_cache(maxsize=128)
def _address(url: httpx.URL) -> URL:
    """As it stands, escapes and all; a name and password in it are not sent."""
    return URL(str(url.copy_with(userinfo=b"", fragment=None)), encoded=True)


@lru_cache(maxsize=32)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=2 * CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=seconds
    )


@contextmanager
def _in_our_terms() -> Iterator[None]:
    """ConnectError, ConnectTimeout and ProxyError mean that nothing was sent; all else leaves it open."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise httpx.ConnectTimeout("no connection in time") from None
    except aiohttp.ClientHttpProxyError as fault:
        raise httpx.ProxyError(f"its proxy said {fault.status} {fault.message}") from None
    except aiohttp.ClientProxyConnectionError as fault:
        raise httpx.ProxyError(f"its proxy: {fault.os_error}") from None
    except aiohttp.ClientConnectorCertificateError as fault:
        raise httpx.ConnectError(str(fault.certificate_error)) from None
    except aiohttp.ClientConnectorError as fault:
        raise httpx.ConnectError(str(fault.os_error)) from None
    except (aiohttp.SocketTimeoutError, TimeoutError):
        raise httpx.ReadTimeout("nothing came in time") from None
    except aiohttp.NonHttpUrlClientError:
        raise httpx.UnsupportedProtocol("its address is neither http nor https") from None
    except aiohttp.ServerDisconnectedError:
        raise httpx.RemoteProtocolError("it hung up without an answer") from None
    except aiohttp.ClientPayloadError:
        raise httpx.RemoteProtocolError("its answer ended early") from None
    except (aiohttp.ClientResponseError, HttpProcessingError):
        raise httpx.RemoteProtocolError("its answer is no HTTP, or its headers are too long") from None
    except aiohttp.InvalidURL:
        raise httpx.LocalProtocolError("its address cannot be read") from None
    except (aiohttp.ClientError, OSError) as fault:
        raise httpx.NetworkError(str(fault)) from None
