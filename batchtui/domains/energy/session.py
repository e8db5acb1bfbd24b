"""Calls to Daly, signed in: one token for all of them, renewed before it ends and once when it is refused."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater
from batchtui.backends.wire.calls import CALL_TIMEOUT
from batchtui.backends.wire.elsewhere import is_elsewhere, seen_of
from batchtui.backends.wire.replies import Reply, hushed, parse_json, provider_words, raise_for
from batchtui.masking import know
from batchtui.model import Json
from batchtui.text import Secret

if TYPE_CHECKING:
    from batchtui.backends.http import Http

LIFE = 86_400.0
"""Seconds that a token lives where nothing tells."""
MARGIN = 3600.0
"""Seconds before its end at which a token is renewed; a tenth of its life where that is less."""
_SIGN_IN = "auth/token"


class Session:
    """`about` names where the keys come from, for messages; `clock` gives seconds, from any start."""

    def __init__(
        self,
        http: Http,
        workspace: Secret,
        user: Secret,
        about: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.http, self.clock = http, clock
        self._workspace, self._user, self._about = workspace, user, about
        self._token = ""
        self._tokens: list[str] = []
        """All that were given, since a server may say back an old one."""
        self._renew_at = 0.0
        self._lock = asyncio.Lock()

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Json = None,
        params: dict[str, str | int] | None = None,
        timeout: float = CALL_TIMEOUT,
        create: bool = False,
    ) -> Reply:
        """One call, whole; any status but 401 is a Reply. Raises as `Http.request_json` does, and NeedsPerson.

        A `create` that could not be signed in raises TryLater: nothing was made.
        """
        refused = ""
        for _ in range(2):
            token = await self._fresh(refused, create)
            headers = {"Authorization": f"Bearer {token}"}
            try:
                reply = await self.http.request_json(
                    method, path, json=json, params=params, headers=headers, timeout=timeout, create=create
                )
            except Refused as fault:
                if create:
                    raise
                raise Transient(
                    fault.message, kind=fault.kind
                ) from None  # a bad moment: it may be asked again
            if reply.status != 401:
                return self._hushed(reply, self._tokens)
            refused = token
        words = provider_words(self._hushed(reply))
        raise NeedsPerson("key", f"a new token is refused as well: {words} (401); check {self._about}")

    async def _fresh(self, refused: str, create: bool) -> str:
        """A token that still lives and is not the `refused` one."""
        async with self._lock:
            if not self._token or self._token == refused or self.clock() >= self._renew_at:
                try:
                    await self._sign_in()
                except (Transient, Refused) as fault:
                    if create:
                        message = f"the sign-in failed: {fault.message}"
                        raise TryLater(message, kind=fault.kind, counts=True) from None
                    raise
            return self._token

    async def _sign_in(self) -> None:
        keys = {"workspace_id": self._workspace.reveal(), "user_id": self._user.reveal()}
        try:
            reply = await self.http.request_json("POST", _SIGN_IN, json=keys, timeout=CALL_TIMEOUT)
        except Refused as fault:
            raise Transient(fault.message, kind=fault.kind) from None
        reply = self._hushed(reply)
        if reply.status == 429 or reply.status >= 500:
            raise_for(reply)
        if is_elsewhere(reply):
            what = f"nothing at {self.http.place} answers to {_SIGN_IN} ({seen_of(reply)})"
            raise NeedsPerson("address", f"{what}: check base_url")
        if reply.status != 200:
            words = provider_words(reply)
            raise NeedsPerson("key", f"the sign-in is refused: {words} ({reply.status}); check {self._about}")
        told = reply.json if isinstance(reply.json, dict) else {}
        token = told.get("access_token") or told.get("token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            raise NeedsPerson("key", f"the sign-in gave no token; check base_url and {self._about}")
        life = _life(told, token)
        know(token)
        self._tokens.append(token)
        self._token, self._renew_at = token, self.clock() + life - min(MARGIN, life / 10)

    def _hushed(self, reply: Reply, tokens: Sequence[str] = ()) -> Reply:
        """`tokens` go out of an answer as well; not of that to a sign-in, which may give the same one again."""
        keys = (self._workspace.reveal(), self._user.reveal(), self._token)
        return hushed(reply, (key for key in keys if len(key) >= 4), tokens)


def _life(told: dict[str, Json], token: str) -> float:
    """Seconds that a token lives: as the reply says, or the token itself."""
    said = told.get("expires_in")
    if isinstance(said, int | float) and not isinstance(said, bool) and said > 0:
        return float(said)
    try:
        claims = parse_json(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        left = float(claims["exp"]) - time.time()
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return LIFE
    return left if 0 < left < 100 * LIFE else LIFE
