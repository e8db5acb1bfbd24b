"""`/__ledger`, `/__reset` and `/__faults`: for tests and scripts, never touched by faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from batchtui.demo.faults import parse_faults
from batchtui.demo.kinds.base import DemoKind
from batchtui.demo.world import World
from batchtui.errors import BadInput

_LINES = 2000
"""Ledger lines written before other calls get their turn."""


class Control:
    def __init__(self, world: World, kinds: Sequence[DemoKind]) -> None:
        self.world, self.kinds = world, kinds

    async def answer(self, request: Request) -> Response:
        """GET /__ledger: JSON Lines. POST /__reset: everything forgotten. POST /__faults: the body is a new spec."""
        match request.method, request.url.path:
            case "GET", "/__ledger":
                return StreamingResponse(self._ledger(), media_type="application/jsonl")
            case "POST", "/__reset":
                self.world.reset()
                for kind in self.kinds:
                    kind.reset()
                return PlainTextResponse("empty\n")
            case "POST", "/__faults":
                try:
                    self.world.faults = parse_faults((await request.body()).decode())
                except (BadInput, UnicodeDecodeError) as fault:
                    return PlainTextResponse(f"{fault}\n", 400)
                return PlainTextResponse("set\n")
        return PlainTextResponse("known: GET /__ledger, POST /__reset, POST /__faults\n", 404)

    async def _ledger(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.world.ledger.entries), _LINES):
            yield self.world.ledger.lines(start, _LINES)
            await asyncio.sleep(0)
