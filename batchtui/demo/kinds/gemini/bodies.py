"""Gemini's requests in OpenAI's form, so that one demo model answers both, and its answers in Gemini's form."""

from __future__ import annotations

from typing import NamedTuple

from batchtui.demo.kinds.base import ApiError
from batchtui.demo.kinds.gemini.forms import misformed, named
from batchtui.demo.kinds.openai import bodies as openai_bodies
from batchtui.demo.kinds.openai import rows as openai_rows
from batchtui.demo.world import World
from batchtui.model import Json

Body = dict[str, Json]

_MISFORMED = "misformed"
"""Where a translated body says what its own form lacks."""
THOUGHTS = 16
"""Tokens of thinking in every answer: billed, and not among the candidates' tokens."""


class Status(NamedTuple):
    """Google's word for a kind of error, and its number inside a row."""

    word: str
    number: int


_STATUSES = {
    400: Status("INVALID_ARGUMENT", 3),
    401: Status("UNAUTHENTICATED", 16),
    403: Status("PERMISSION_DENIED", 7),
    404: Status("NOT_FOUND", 5),
    405: Status("INVALID_ARGUMENT", 3),
    429: Status("RESOURCE_EXHAUSTED", 8),
    503: Status("UNAVAILABLE", 14),
}


def status_of(status: int) -> Status:
    return _STATUSES.get(status, Status("INTERNAL", 13))


def translated(request: Json, model: str) -> Body | None:
    """The request in OpenAI's form, with what is wrong in its own; None where it has no contents."""
    fields = named(request) if isinstance(request, dict) else {}
    contents = fields.get("contents")
    if not isinstance(contents, list) or not contents:
        return None
    config = named(fields.get("generationConfig") or {})
    body: Body = {"model": model, "messages": [_message(turn) for turn in contents]}
    if told := misformed(request):
        body[_MISFORMED] = told
    system = fields.get("systemInstruction")
    if isinstance(system, dict):
        body["messages"].insert(0, {"role": "system", "content": _text(system)})
    for theirs, ours in (("maxOutputTokens", "max_tokens"), ("seed", "seed")):
        if theirs in config:
            body[ours] = config[theirs]
    schema = config.get("responseJsonSchema")
    if config.get("responseMimeType") == "application/json":
        body["response_format"] = (
            {"type": "json_schema", "json_schema": {"schema": schema}} if schema else {"type": "json_object"}
        )
    return body


def refusal(body: Body) -> ApiError | None:
    """Why what was translated is refused, or None."""
    if told := body.get(_MISFORMED):
        return ApiError(400, str(told))
    return openai_bodies.refusal("/v1/chat/completions", body)


def prompt_tokens(request: Json) -> int:
    """Tokens of a request, by which `countTokens` answers."""
    body = translated(request, "")
    return 0 if body is None else openai_bodies.prompt_tokens(body)


def _message(turn: Json) -> Json:
    role = turn.get("role", "user") if isinstance(turn, dict) else None
    return {"role": "assistant" if role == "model" else role, "content": _text(turn)}


def _text(turn: Json) -> str:
    parts = turn.get("parts") if isinstance(turn, dict) else None
    return "".join(str(part.get("text", "")) for part in parts or [] if isinstance(part, dict))


def generated(completion: Body) -> Body:
    """A GenerateContentResponse; a question that asks to be blocked has no candidates."""
    usage, [choice, *_] = completion["usage"], completion["choices"]
    spent_in, spent_out = usage["prompt_tokens"], usage["completion_tokens"]
    reason = {"stop": "STOP", "length": "MAX_TOKENS"}[choice["finish_reason"]]
    content = {"parts": [{"text": choice["message"]["content"]}], "role": "model"}
    return {
        "candidates": [{"content": content, "finishReason": reason, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": spent_in,
            "candidatesTokenCount": spent_out,
            "thoughtsTokenCount": THOUGHTS,
            "totalTokenCount": spent_in + spent_out + THOUGHTS,
        },
        "modelVersion": completion["model"],
        "responseId": completion["id"],
    }


def blocked(model: str, response_id: str) -> Body:
    rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
    return {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": [rating]},
        "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
        "modelVersion": model,
        "responseId": response_id,
    }


class Rows(openai_rows.RowForm):
    """`{key, request}` in, `{key, response}` or `{key, error}` out, all in one file."""

    errors_apart = False
    max_rows, max_bytes = 10_000_000, 2_000_000_000

    def read(self, found: openai_rows.Input, line: dict[str, Json]) -> tuple[Json, Json]:
        return line.get("key"), translated(line.get("request"), found.default_model or "")

    def refusal(self, endpoint: str, body: Body) -> ApiError | None:
        return refusal(body)

    def done(self, world: World, row_id: str, answer: Json) -> Json:
        if "[[blocked]]" in answer["choices"][0]["message"]["content"]:
            return {"key": row_id, "response": blocked(answer["model"], answer["id"])}
        return {"key": row_id, "response": generated(answer)}

    def failed(self, world: World, row_id: str, failure: ApiError) -> Json:
        error = {"code": status_of(failure.status).number, "message": failure.message, "details": []}
        return {"key": row_id, "error": error}

    def undone(self, world: World, row_id: str, ended_as: str) -> Json:
        return None
