"""What a protocol of the demo server is made of: routes, handlers, and errors in its own words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from batchtui.demo.world import World
from batchtui.model import Json


class ApiError(Exception):
    """A call that is refused; the protocol gives it its shape. `after`: seconds that a 429 asks to wait."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param, self.after = status, message, code, param, after


@dataclass(slots=True)
class Call:
    """One call under way. Handlers fill in `token`, `remote_id` and `job_ids` for the ledger as they learn them."""

    request: Request
    op: str
    params: dict[str, str]
    token: str | None = None
    remote_id: str | None = None
    job_ids: list[str] = field(default_factory=list)

    async def json(self) -> dict[str, Json]:
        """The body, which must be a JSON object. Raises ApiError (400)."""
        try:
            body = msgspec.json.decode(await self.request.body())
        except (msgspec.DecodeError, RecursionError):
            raise ApiError(400, "We could not parse the JSON body of your request.") from None
        if not isinstance(body, dict):
            raise ApiError(400, "Expected the body of your request to be a JSON object.")
        return body


class Route(NamedTuple):
    """`path` may hold `{names}`; `op` is one of faults.OPS."""

    method: str
    path: str
    op: str
    handler: Callable[[Call], Awaitable[Response]]


class DemoKind(ABC):
    """One protocol. Constructed without I/O; handlers run on the server's event loop."""

    name: ClassVar[str]
    prefix: ClassVar[str] = ""
    """What all its paths begin with, where they would clash with another kind's."""

    def __init__(self, world: World) -> None:
        self.world = world

    @abstractmethod
    def routes(self) -> list[Route]: ...

    def backend(self, url: str) -> dict[str, Json]:
        """The `[backends.NAME]` table that points at this server."""
        base_url = f"{url}{self.prefix}"
        return {"kind": self.name, "base_url": base_url, "settle": self.settle, "poll_interval": 0.2}

    @abstractmethod
    def error(self, fault: ApiError) -> Response:
        """A refusal in the protocol's own shape."""

    def headers(self) -> dict[str, str]:
        """Headers of every reply."""
        return {}

    def reply(self, value: Json) -> Response:
        return json_response(value, headers=self.headers())

    def key(self, request: Request) -> str | None:
        """The key a call came with."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return key if scheme.lower() == "bearer" else None

    async def describe(self, call: Call) -> None:  # noqa: B027
        """Fills in the token of a call that is refused unheard, as far as the call itself says it."""

    def reset(self) -> None:  # noqa: B027
        """Forget everything."""

    @property
    def settle(self) -> float:
        """Seconds after which a create that was lost cannot turn up any more."""
        return self.world.faults.late + 1.5 if self.world.faults.late else 1.0


def take_client_id(call: Call) -> None:
    """What a chat call says of itself in `X-Client-Request-Id: <token>/<percent-encoded job id>`."""
    token, slash, job = call.request.headers.get("x-client-request-id", "").partition("/")
    call.token = token or None
    if slash:
        call.job_ids = [unquote(job)]


def json_response(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")
