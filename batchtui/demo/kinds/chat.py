"""Chat completions, responses, embeddings and models: calls that are answered at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec
from starlette.responses import Response, StreamingResponse

from batchtui.demo.kinds.base import ApiError, Call, Route, take_client_id
from batchtui.demo.kinds.openai import bodies as bodies
from batchtui.demo.kinds.openai.shape import BASES, OpenAIShape
from batchtui.demo.world import MODELS
from batchtui.model import Json

_STARTED = int(time.time())
_SIZE = 40
"""Characters in one piece of a streamed answer."""


class ChatDemo(OpenAIShape):
    name: ClassVar[str] = "chat"

    def routes(self) -> list[Route]:
        return [route for base in BASES for route in self._routes(base.removesuffix("/v1"))]

    def _routes(self, root: str) -> list[Route]:
        asked = [Route("POST", f"{root}{endpoint}", "chat", self.answer) for endpoint in bodies.ENDPOINTS]
        models = [Route("GET", f"{root}/v1/models", "models", self.models)]
        return [*asked, *models, Route("GET", f"{root}/v1/models/{{model}}", "models", self.model)]

    def backend(self, url: str) -> dict[str, Json]:
        return {"kind": "chat", "base_url": f"{url}/v1"}

    async def describe(self, call: Call) -> None:
        take_client_id(call)

    async def answer(self, call: Call) -> Response:
        await self.describe(call)
        body, endpoint = await call.json(), call.request.scope["path"].removeprefix("/openai")
        refused = bodies.refusal(endpoint, body)
        if refused:
            raise refused
        answer = bodies.respond(endpoint, body, self.world.faults, self.world.new_id)
        call.remote_id = answer.get("id")
        if body.get("stream") and endpoint == "/v1/chat/completions":
            options = body.get("stream_options")
            pieces = _events(answer, isinstance(options, dict) and bool(options.get("include_usage")))
            return StreamingResponse(pieces, headers=self.headers(), media_type="text/event-stream")
        return self.reply(answer)

    async def models(self, call: Call) -> Response:
        return self.reply({"object": "list", "data": [_model(name) for name in MODELS]})

    async def model(self, call: Call) -> Response:
        name = call.params["model"]
        if name not in MODELS:
            raise ApiError(404, f"The model '{name}' does not exist", code="model_not_found", param="model")
        return self.reply(_model(name))


def _model(name: str) -> dict[str, Json]:
    return {"id": name, "object": "model", "created": _STARTED, "owned_by": "batchtui"}


async def _events(answer: dict[str, Json], with_usage: bool) -> AsyncIterator[bytes]:
    """A finished answer as the server-sent events of a streamed one."""
    shared = {key: answer[key] for key in ("id", "created", "model", "system_fingerprint")}
    shared["object"] = "chat.completion.chunk"

    def event(choices: list[Json], usage: Json = None) -> bytes:
        chunk = {**shared, "choices": choices, **({"usage": usage} if with_usage else {})}
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"

    for choice in answer["choices"]:
        text, index = choice["message"]["content"], choice["index"]
        pieces = [{"role": "assistant", "content": ""}]
        pieces += [{"content": text[at : at + _SIZE]} for at in range(0, len(text), _SIZE)]
        for piece in pieces:
            yield event([{"index": index, "delta": piece, "finish_reason": None}])
        yield event([{"index": index, "delta": {}, "finish_reason": choice["finish_reason"]}])
    if with_usage:
        yield event([], answer["usage"])
    yield b"data: [DONE]\n\n"
