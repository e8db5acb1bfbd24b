"""Bodies of OpenAI's chat completions, responses and embeddings: what is refused, and what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from batchtui.demo import answers
from batchtui.demo.faults import Faults
from batchtui.demo.kinds.base import ApiError
from batchtui.demo.kinds.openai.forms import misformed
from batchtui.demo.kinds.openai.moderations import moderated
from batchtui.demo.structured import schema_in_prompt, structured
from batchtui.model import Json

Body = dict[str, Json]

_INPUT = {
    "/v1/chat/completions": "messages",
    "/v1/responses": "input",
    "/v1/embeddings": "input",
    "/v1/moderations": "input",
}
ENDPOINTS = tuple(_INPUT)
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def missing(param: str) -> ApiError:
    return ApiError(
        400, f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param
    )


def invalid(param: str, message: str) -> ApiError:
    return ApiError(400, f"Invalid '{param}': {message}", code="invalid_value", param=param)


def refusal(endpoint: str, body: Body) -> ApiError | None:
    """Why this body is refused, or None."""
    model, param = body.get("model"), _INPUT[endpoint]
    if not model:
        return ApiError(400, "you must provide a model parameter", param="model")
    if not isinstance(model, str):
        return invalid("model", "expected a string.")
    if param not in body:
        return missing(param)
    if model == "unknown-model":
        text = f"The model `{model}` does not exist or you do not have access to it."
        return ApiError(404, text, code="model_not_found", param="model")
    if model == "broke-model":
        text = "You exceeded your current quota, please check your plan and billing details."
        return ApiError(429, text, code="insufficient_quota")
    if param == "messages" and not _are_messages(body["messages"]):
        return invalid("messages", "expected an array of at least one message with a role.")
    for name in _LIMITS:
        limit = body.get(name)
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            return invalid(name, "expected an integer of at least 1.")
    if _wants_json(body) and not isinstance(_schema(body), dict):
        return missing("response_format.json_schema" if param == "messages" else "text.format.schema")
    if told := misformed(endpoint, body):
        return told
    if "[[fail]]" in question(body[param]):
        return ApiError(
            400, "The prompt asks to be refused: it contains [[fail]].", code="invalid_prompt", param=param
        )
    return None


def respond(endpoint: str, body: Body, faults: Faults, new_id: Callable[[str], str]) -> Body:
    """The answer to a body that `refusal` lets pass: the same text for the same model, input and seed."""
    if endpoint == "/v1/embeddings":
        return _embeddings(body)
    if endpoint == "/v1/moderations":
        return moderated(body, new_id)
    key = msgspec.json.encode([body["model"], body[_INPUT[endpoint]], body.get("seed")])
    text, cut = answers.shorten(_text(body, question(body[_INPUT[endpoint]]), key, faults), _limit(body))
    spent = answers.tokens(text)
    if endpoint == "/v1/responses":
        return _response(body, text, cut, spent, new_id)
    return _completion(body, text, cut, spent, new_id)


def prompt_tokens(body: Body) -> int:
    """Tokens that a request asks, as its usage will say."""
    return 3 + _tokens_in(body.get("messages") or body.get("input") or body.get("prompt") or "")


def usage_of(answer: Body) -> tuple[int, int]:
    """Tokens in and out that an answer says it took."""
    usage = answer.get("usage") or {}
    spent_in = usage.get("prompt_tokens", usage.get("input_tokens", 0))
    return spent_in, usage.get("completion_tokens", usage.get("output_tokens", 0))


def question(value: Json) -> str:
    """The text of the last message, or of an input that is text itself."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        last = value[-1]
        if isinstance(last, dict):
            return question(last.get("content", last.get("text", "")))
        return question(last)
    if isinstance(value, dict):
        return question(value.get("text", ""))
    return ""


def _are_messages(value: Json) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(m, dict) and m.get("role") for m in value)
    )


def _limit(body: Body) -> int | None:
    return next((body[name] for name in _LIMITS if body.get(name) is not None), None)


def _format(body: Body) -> Body:
    """`response_format`, or `text.format` of the responses API."""
    text = body.get("text")
    asked = body.get("response_format") or (text.get("format") if isinstance(text, dict) else None)
    return asked if isinstance(asked, dict) else {}


def _wants_json(body: Body) -> bool:
    return _format(body).get("type") == "json_schema"


def _schema(body: Body) -> Json:
    asked = _format(body)
    inner = asked.get("json_schema")
    return inner.get("schema") if isinstance(inner, dict) else asked.get("schema")


def _text(body: Body, asked: str, key: bytes, faults: Faults) -> str:
    if "[[hostile]]" in asked or faults.chance("hostile", key):
        return answers.HOSTILE
    kind = _format(body).get("type")
    schema = _schema(body) if kind == "json_schema" else schema_in_prompt(_instructions(body), asked)
    if schema is not None:
        return structured(schema, asked, key, faults)
    text = answers.answer(asked, key)
    return msgspec.json.encode({"answer": text}).decode() if kind == "json_object" else text


def _instructions(body: Body) -> str:
    """What stands above the conversation."""
    first = (body.get("messages") or [{}])[0]
    above = first.get("role") in ("system", "developer")
    return body.get("instructions") or (question(first.get("content")) if above else "")


def _tokens_in(value: Json) -> int:
    """Tokens of all text in an input; an image or a file counts as a flat amount."""
    if isinstance(value, str):
        return answers.tokens(value)
    if isinstance(value, list):
        return sum(map(_tokens_in, value))
    if not isinstance(value, dict):
        return 1
    if value.get("type") in ("image_url", "input_image", "file", "input_file", "document_url"):
        return 255
    return 3 + _tokens_in(value.get("content", value.get("text", "")))


def _completion(body: Body, text: str, cut: bool, spent: int, new_id: Callable[[str], str]) -> Body:
    wanted = body.get("n")
    count = wanted if isinstance(wanted, int) and 1 < wanted <= 8 else 1
    message: Body = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    reason = "length" if cut else "stop"
    spent_in, spent = 3 + _tokens_in(body["messages"]), spent * count
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [
            {"index": n, "message": message, "logprobs": None, "finish_reason": reason} for n in range(count)
        ],
        "usage": {
            "prompt_tokens": spent_in,
            "completion_tokens": spent,
            "total_tokens": spent_in + spent,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def _response(body: Body, text: str, cut: bool, spent: int, new_id: Callable[[str], str]) -> Body:
    spent_in = 3 + _tokens_in(body["input"])
    status = "incomplete" if cut else "completed"
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body["model"],
        "output": [
            {
                "id": new_id("msg_"),
                "type": "message",
                "role": "assistant",
                "status": status,
                "content": [content],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": body.get("metadata") or {},
        "usage": usage_summary(spent_in, spent),
    }


def usage_summary(spent_in: int, spent_out: int) -> Body:
    """Usage as the responses API and the batch object write it."""
    return {
        "input_tokens": spent_in,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": spent_out,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": spent_in + spent_out,
    }


def _embeddings(body: Body) -> Body:
    given = body["input"]
    inputs = given if isinstance(given, list) and given and isinstance(given[0], str | list) else [given]
    data = []
    for index, text in enumerate(inputs):
        pick = answers.picks(msgspec.json.encode([body["model"], text]))
        vector = [next(pick) / 127.5 - 1 for _ in range(16)]
        data.append({"object": "embedding", "index": index, "embedding": vector})
    spent = sum(_tokens_in(text) for text in inputs)
    usage = {"prompt_tokens": spent, "total_tokens": spent}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}
