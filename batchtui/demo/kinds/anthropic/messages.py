"""Anthropic's messages, token counts and models: calls that are answered at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec
from starlette.responses import Response, StreamingResponse

from batchtui.demo.kinds.anthropic import bodies as bodies
from batchtui.demo.kinds.anthropic.shape import PREFIX, AnthropicShape, page, rfc3339, version_of
from batchtui.demo.kinds.base import ApiError, Call, Route, take_client_id
from batchtui.demo.world import MODELS
from batchtui.model import Json

_STARTED = time.time()
_SIZE = 40
"""Characters in one piece of a streamed answer."""


class AnthropicMessagesDemo(AnthropicShape):
    name: ClassVar[str] = "anthropic-chat"

    def routes(self) -> list[Route]:
        return [
            Route("POST", f"{PREFIX}/v1/messages", "chat", self.answer),
            Route("POST", f"{PREFIX}/v1/messages/count_tokens", "read", self.count),
            Route("GET", f"{PREFIX}/v1/models", "models", self.models),
            Route("GET", f"{PREFIX}/v1/models/{{model}}", "models", self.model),
        ]

    def backend(self, url: str) -> dict[str, Json]:
        return {"kind": "chat", "api": "anthropic", "base_url": f"{url}{PREFIX}"}

    async def describe(self, call: Call) -> None:
        take_client_id(call)

    async def answer(self, call: Call) -> Response:
        await self.describe(call)
        version, body = version_of(call), await call.json()
        refused = bodies.refusal(body, version)
        if refused:
            raise refused
        answer = bodies.respond(body, self.world.faults, self.world.new_id)
        call.remote_id = answer["id"]
        if body.get("stream"):
            return StreamingResponse(_events(answer), headers=self.headers(), media_type="text/event-stream")
        return self.reply(answer)

    async def count(self, call: Call) -> Response:
        version, body = version_of(call), await call.json()
        refused = bodies.refusal({"max_tokens": 1, **body}, version)
        if refused:
            raise refused
        return self.reply({"input_tokens": bodies.tokens_in(body)[0]})

    async def models(self, call: Call) -> Response:
        version_of(call)
        return self.reply(page(call.request, [_model(name) for name in MODELS]))

    async def model(self, call: Call) -> Response:
        version_of(call)
        name = call.params["model"]
        if name not in MODELS:
            raise ApiError(404, f"model: {name[:100]}")
        return self.reply(_model(name))


def _model(name: str) -> dict[str, Json]:
    return {
        "id": name,
        "type": "model",
        "display_name": name.replace("-", " ").title(),
        "created_at": rfc3339(_STARTED),
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


async def _events(message: dict[str, Json]) -> AsyncIterator[bytes]:
    """A finished message as the server-sent events of a streamed one."""

    def event(kind: str, **fields: Json) -> bytes:
        return f"event: {kind}\ndata: ".encode() + msgspec.json.encode({"type": kind, **fields}) + b"\n\n"

    begun = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    yield event("message_start", message=begun)
    for index, block in enumerate(message["content"]):
        kind = block["type"]
        text = block[kind]
        empty = {**block, kind: "", **({"signature": ""} if kind == "thinking" else {})}
        yield event("content_block_start", index=index, content_block=empty)
        for at in range(0, len(text), _SIZE):
            delta = {"type": f"{kind}_delta", kind: text[at : at + _SIZE]}
            yield event("content_block_delta", index=index, delta=delta)
        if kind == "thinking":
            signed = {"type": "signature_delta", "signature": block["signature"]}
            yield event("content_block_delta", index=index, delta=signed)
        yield event("content_block_stop", index=index)
    ended = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    yield event("message_delta", delta=ended, usage=message["usage"])
    yield event("message_stop")
