"""Before all protocols: finds the handler, lets faults happen and keeps the ledger."""

from __future__ import annotations

import asyncio
import contextlib
import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from batchtui.demo import wire
from batchtui.demo.control import Control
from batchtui.demo.faults import Fate
from batchtui.demo.kinds import kinds
from batchtui.demo.kinds.base import ApiError, Call, DemoKind, Route
from batchtui.demo.ledger import Entry
from batchtui.demo.world import World

WRONG_KEY = "wrong"
"""The one key that is refused."""

Done = tuple[Response, Entry | None]


def owns(kind: DemoKind, path: str) -> bool:
    """Whether a path lies among this kind's."""
    return path.startswith(f"{kind.prefix}/")


class Gateway:
    """The ASGI application."""

    def __init__(self, world: World, connections: wire.Connections) -> None:
        self.world, self.connections = world, connections
        self.kinds = [kind(world) for kind in kinds()]
        self.control = Control(world, self.kinds)
        self._fixed: dict[tuple[str, str], tuple[DemoKind, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], DemoKind, Route]] = []
        for kind in self.kinds:
            for route in kind.routes():
                if "{" in route.path:
                    self._patterns.append((compile_path(route.path)[0], kind, route))
                else:
                    self._fixed[route.method, route.path] = (kind, route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if scope["path"].startswith("/__"):
            await (await self.control.answer(request))(scope, receive, send)
            return
        try:
            kind, route, params = self._find(scope["method"], scope["path"])
        except ApiError as fault:
            kind = max(self.kinds, key=lambda kind: len(kind.prefix) if owns(kind, scope["path"]) else -1)
            await kind.error(fault)(scope, receive, send)
            return
        with contextlib.suppress(ClientDisconnect):
            await self._serve(kind, route, Call(request, route.op, params), send)

    def _find(self, method: str, path: str) -> tuple[DemoKind, Route, dict[str, str]]:
        fixed = self._fixed.get((method, path))
        if fixed:
            return *fixed, {}
        elsewhere = any(known == path for _, known in self._fixed)
        for pattern, kind, route in self._patterns:
            match = pattern.match(path)
            if match and route.method == method:
                return kind, route, match.groupdict()
            elsewhere = elsewhere or match is not None
        if elsewhere:
            raise ApiError(405, f"Not allowed to {method} on {path}.")
        raise ApiError(404, f"Invalid URL ({method} {path})")

    async def _serve(self, kind: DemoKind, route: Route, call: Call, send: Send) -> None:
        faults, scope, receive = self.world.faults, call.request.scope, call.request.receive
        fate = faults.fate(route.op)
        refusal = self._refusal(kind, call, fate)
        if refusal:
            response, entry = await self._refuse(kind, call, refusal)
        elif route.op == "create" and faults.late:
            await call.request.body()  # the client may go now: what it asked for is made all the same
            work = self.world.spawn(self._late(kind, route, call, faults.commit_delay()))
            if fate.drop:
                await self.connections.drop(scope, receive)
                return
            if not await wire.stays(receive, work):
                return
            response, entry = work.result()
        else:
            response, entry = await self._work(kind, route, call)
        if faults.latency and not await wire.pause(receive, faults.latency):
            return
        if fate.drop and not refusal:
            await self.connections.drop(scope, receive)
            return
        if fate.bad_gateway and not refusal:
            response = kind.error(ApiError(502, "The server could not be reached in time."))
        if fate.badjson and response.status_code < 300 and response.media_type == "application/json":
            response = wire.cut(response)
        await response(scope, receive, wire.dripping(send, faults.drip) if fate.slow else send)
        if entry:
            entry.answered = True

    def _refusal(self, kind: DemoKind, call: Call, fate: Fate) -> ApiError | None:
        """Why nothing is done: a key that is not accepted, or a fault that was asked for."""
        if kind.key(call.request) == WRONG_KEY:
            return ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
        if fate.refuse:
            after = self.world.faults.wait()
            return ApiError(
                429,
                f"Rate limit reached; try again in {after:.2f}s.",
                code="rate_limit_exceeded",
                after=after,
            )
        if fate.fail:
            return ApiError(500, "The server had an error while processing your request.")
        return None

    async def _refuse(self, kind: DemoKind, call: Call, refusal: ApiError) -> Done:
        with contextlib.suppress(ApiError):
            await kind.describe(call)
        async for _ in call.request.stream():
            pass  # a client that is still sending would not read the refusal
        return kind.error(refusal), self._record(kind, call, refusal.status)

    async def _work(self, kind: DemoKind, route: Route, call: Call) -> Done:
        try:
            response = await route.handler(call)
        except ApiError as fault:
            response = kind.error(fault)
        return response, self._record(kind, call, response.status_code)

    async def _late(self, kind: DemoKind, route: Route, call: Call, delay: float) -> Done:
        await asyncio.sleep(delay)
        return await self._work(kind, route, call)

    def _record(self, kind: DemoKind, call: Call, status: int) -> Entry | None:
        ledger = self.world.ledger
        if call.op not in ledger.OPS:
            return None
        return ledger.add(kind.name, call.op, status, call.token, call.remote_id, call.job_ids)
