"""Signed-in calls of kind `rest`: a token fetched when it is needed, and no secret in what a refusal says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater
from batchtui.backends.rest.places import joined
from batchtui.backends.rest.settings import SignIn
from batchtui.backends.rest.templates import Compiler, Request
from batchtui.backends.wire.elsewhere import is_elsewhere, seen_of
from batchtui.backends.wire.pieces import Download
from batchtui.backends.wire.replies import Reply, hushed, object_of
from batchtui.masking import know
from batchtui.model import Json
from batchtui.sources.templates.filters import as_text

if TYPE_CHECKING:
    from batchtui.backends.http import Http

CALL_TIMEOUT = 60.0
RENEW_BEFORE = 300.0
"""Seconds before a token runs out at which a new one is fetched, or a tenth of its life where that is shorter."""
_SHORT = 8
"""Characters below which a value is no secret worth hiding: it would black out parts of words."""


class Session:
    """Calls of one backend. `connect` makes the transport on first use."""

    def __init__(
        self, compiler: Compiler, sign_in: SignIn | None, timeout: float, connect: Callable[[], Http]
    ) -> None:
        self._secrets = compiler.secrets
        self._timeout = timeout
        self._connect = connect
        self._http: Http | None = None
        self._header: str | None = None
        self._signing = asyncio.Lock()
        self._token: str | None = None
        self._tokens: list[str] = []
        """All that were given, since a server may say back an old one."""
        self._ends = 0.0
        if sign_in is None:
            return
        self._header = sign_in.header
        self._call = compiler.call(sign_in, "sign_in", ())
        self._token_at = compiler.place(sign_in.token, "sign_in.token")
        self._life_at = compiler.place(sign_in.expires_in, "sign_in.expires_in")
        self._value = compiler.template(sign_in.value, "sign_in.value", {"token", "env"})

    @property
    def http(self) -> Http:
        if self._http is None:
            self._http = self._connect()
        return self._http

    @property
    def signs_in(self) -> bool:
        return self._header is not None

    @property
    def env(self) -> dict[str, Json]:
        """What templates see under `env`."""
        return dict(self._secrets)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def sign_in(self) -> None:
        """Raises NeedsPerson where that is refused, TryLater where it cannot be asked now."""
        async with self._signing:
            if self._token is None or time.monotonic() > self._ends:
                await self._fetch_token()

    async def send(self, request: Request, *, create: bool = False, timeout: float | None = None) -> Reply:
        """One call, any status; a 401 is answered by a new token and one more try, for it says that nothing was done.

        Raises TryLater, NeedsPerson, Transient, Refused as `Http.request_json`, and Unsure for a `create`.
        """
        if self.signs_in:
            await self.sign_in()
        used = self._token
        reply = await self._once(request, create, timeout)
        if reply.status == 401 and self.signs_in:
            if self._token == used:
                self._token = None
            await self.sign_in()
            reply = await self._once(request, create, timeout)
        return reply

    @asynccontextmanager
    async def download(self, request: Request) -> AsyncIterator[Download]:
        """What a GET gives, as it comes. Another host, also one that it leads on to, gets nothing that lets us in.

        Raises Refused, TryLater, Transient, NeedsPerson.
        """
        if self.signs_in:
            await self.sign_in()
        address = self.address(request)
        params = {} if self.is_elsewhere(request) else request.params  # they may hold a key
        async with self.http.download(
            address, headers=self._with_token(request), params=params, timeout=self._timeout
        ) as got:
            yield got

    def address(self, request: Request) -> str:
        """Where a call goes: a path under the base, or the whole address that a reply gave."""
        return joined(f"{self.http.base_url}/", request.path) if request.given else request.path

    def is_elsewhere(self, request: Request) -> bool:
        """Whether it goes to another host than ours, as only results may."""
        return request.given and not self.http.is_own(self.address(request))

    def _with_token(self, request: Request) -> dict[str, str]:
        headers = dict(request.headers)
        if self._header is not None:
            headers[self._header] = as_text(self._value.render({"token": self._token, "env": self.env}))
        return headers

    async def _once(self, request: Request, create: bool, timeout: float | None) -> Reply:
        reply = await self._plain(request, self._with_token(request), create, timeout)
        return self.quiet(reply)

    async def _plain(
        self, request: Request, headers: dict[str, str], create: bool, timeout: float | None = None
    ) -> Reply:
        return await self.http.request_json(
            request.method,
            self.address(request),
            json=request.body,
            headers=headers,
            params=request.params,
            timeout=timeout or self._timeout,
            create=create,
        )

    async def _fetch_token(self) -> None:
        request = self._call.render({"env": self.env})
        try:
            told = self._hushed(await self._plain(request, request.headers, False))
            if is_elsewhere(told):
                what = f"nothing at {self.http.place} answers to {request.path} ({seen_of(told)})"
                raise NeedsPerson("address", f"{what}: check base_url and sign_in.path")
            reply = object_of(told)
        except Transient as fault:  # nothing was asked for yet but to be let in
            raise TryLater(f"sign-in: {fault.message}", fault.after, kind=fault.kind, counts=True) from None
        except NeedsPerson as fault:
            raise NeedsPerson(fault.kind, f"sign-in: {fault.message}") from None
        except Refused as fault:
            raise NeedsPerson("key", f"sign-in was refused: {fault.message}; check its keys") from None
        token = self._token_at.secret(reply)
        if token is None:
            raise NeedsPerson("key", f"the reply to sign-in holds no token at {self._token_at}")
        life = self._life_at.number(reply)
        know(token)
        self._tokens.append(token)
        self._token = token
        self._ends = (
            float("inf") if not life else time.monotonic() + max(life - min(RENEW_BEFORE, life / 10), 0.0)
        )

    def quiet(self, reply: Reply) -> Reply:
        """What came, without what lets us in."""
        return self._hushed(reply, self._tokens)

    def _hushed(self, reply: Reply, tokens: Sequence[str] = ()) -> Reply:
        """`tokens` go out of an answer as well; not of that to a sign-in, which may give the same one again."""
        secrets = (*self._secrets.values(), self._token)
        return hushed(reply, (one for one in secrets if isinstance(one, str) and len(one) >= _SHORT), tokens)
