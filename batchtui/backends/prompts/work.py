"""A prompt in OpenAI's form: the `[job]` that `chat` and `openai` share, and the request body made from it."""

from __future__ import annotations

import json
import re

import msgspec

from batchtui.backends.prompts.citations import cited_correction_words
from batchtui.backends.prompts.forms.chat import as_chat
from batchtui.backends.prompts.responses import as_response, check_response
from batchtui.backends.prompts.schema import (
    correction_words,
    is_object_schema,
    named_schema,
    native_response_format,
    schema_instructions,
)
from batchtui.model import Json

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
ENDPOINTS = (CHAT, RESPONSES, "/v1/embeddings", "/v1/completions", "/v1/moderations")
_VERSION = re.compile(r"^/?(?:openai/)?(?:v\d+(?:beta\d*)?/)?")
_FIELDS = ("model", "max_tokens", "temperature", "top_p", "seed", "stop", "response_format")
_ALSO_READ = ("instructions", "tools", "functions", "response_format")
"""What a model reads beside the messages."""
_LONGEST = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_OF_TEXTS = ("/v1/embeddings", "/v1/moderations")
"""Endpoints that take a text, or several, as `input`."""
_SILENT = ("embeddings", "moderations", "classifications")
"""Ends of endpoints whose answers hold no tokens that are paid for."""


class ChatWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[job]` of a prompt."""

    model: str | None = None
    """Whom the job is sent to."""
    prompt: str | None = None
    """The user's turn."""
    messages: list[Json] | None = None
    """All turns, in place of `prompt`."""
    system: str | None = None
    """The system's words."""
    max_tokens: int | None = None
    """The most tokens of an answer."""
    temperature: float | None = None
    """As the provider has it."""
    top_p: float | None = None
    """As the provider has it."""
    seed: int | None = None
    """As the provider has it."""
    stop: str | list[str] | None = None
    """As the provider has it."""
    response_format: dict[str, Json] | None = None
    """As the provider has it; `schema` is checked here as well."""
    schema: dict[str, Json] | None = None
    """A JSON Schema that answers must fit: a table, or a file."""
    file: str | list[str] | None = None
    """Files that are sent beside the prompt."""
    citations: bool = False
    """Whether the passages are asked for that an answer rests on."""
    drop_unsupported: bool = False
    """Leave out fields that a backend does not take; `check` names each."""
    body: dict[str, Json] = {}
    """A whole request as a batch line holds it; fields beside it win."""
    endpoint: str | None = None
    """Such as `/v1/responses` or `/v1/embeddings`; left out: chat completions."""
    extra: dict[str, Json] = {}
    """More fields of the request, as they are."""


def endpoint_of(work: ChatWork) -> str:
    """The path in the form a batch line takes, `/v1/…`, whatever prefix the source wrote."""
    if work.endpoint is None:
        return CHAT
    return "/v1/" + _VERSION.sub("", work.endpoint.strip().rstrip("/"))


def request_body(
    work: ChatWork, default_model: str | None = None, *, native_schema: bool = True
) -> dict[str, Json]:
    """The request as it is sent, whatever form its parts and tools came in. Raises Unfit.

    A schema goes by prompt where the server does not take it natively.
    """
    body: dict[str, Json] = {**work.body, **work.extra}
    for name in _FIELDS:
        value = getattr(work, name)
        if value is not None:
            body[name] = value
    if default_model and not body.get("model"):
        body["model"] = default_model
    if work.messages is not None:
        body["messages"] = work.messages
    elif work.prompt is not None:
        body["messages"] = [{"role": "user", "content": work.prompt}]
    if endpoint_of(work) in (CHAT, RESPONSES):
        body = as_chat(body, tools=endpoint_of(work) == CHAT)
    if work.system is not None:
        others = body.get("messages") or []
        if others and isinstance(others[0], dict) and others[0].get("role") in ("system", "developer"):
            others = others[1:]
        body["messages"] = [{"role": "system", "content": work.system}, *others]
    if endpoint_of(work) == RESPONSES:
        body = as_response(body)
    if work.schema is not None:
        _ask_for_schema(body, work.schema, endpoint_of(work), native_schema)
    return body


def _ask_for_schema(body: dict[str, Json], schema: dict[str, Json], endpoint: str, native: bool) -> None:
    native = native and is_object_schema(schema)
    if endpoint == RESPONSES:
        if native:
            given = body.get("text")
            text: dict[str, Json] = given if isinstance(given, dict) else {}
            body["text"] = text | {"format": {"type": "json_schema", **named_schema(schema)}}
        else:
            body["instructions"] = _joined(body.get("instructions"), schema_instructions(schema))
    elif native:
        body["response_format"] = native_response_format(schema)
    else:
        body["messages"] = with_system(body.get("messages") or [], schema_instructions(schema))


def with_system(messages: list[Json], text: str) -> list[Json]:
    """The messages with `text` at the end of the system's, which is made where there is none."""
    first = messages[0] if messages else None
    if not isinstance(first, dict) or first.get("role") not in ("system", "developer"):
        return [{"role": "system", "content": text}, *messages]
    content = first.get("content")
    if isinstance(content, list):
        return [first | {"content": [*content, {"type": "text", "text": text}]}, *messages[1:]]
    return [first | {"content": _joined(content, text)}, *messages[1:]]


def _joined(before: Json, text: str) -> str:
    return f"{before}\n\n{text}" if before else text


def with_correction(work: ChatWork, answer: str, errors: str) -> ChatWork:
    """The same work asked again: its earlier answer and what was wrong with it follow as turns of their own.

    Work without messages (embeddings and the like) stays as it is. `file` belongs to the first user's turn.
    """
    correct = cited_correction_words if work.citations else correction_words
    turns: list[Json] = [
        {"role": "assistant", "content": answer},
        {"role": "user", "content": correct(errors)},
    ]
    if work.prompt is not None:
        asked: list[Json] = [{"role": "user", "content": work.prompt}]
        return msgspec.structs.replace(work, prompt=None, messages=asked + turns)
    if work.messages is not None:
        return msgspec.structs.replace(work, messages=work.messages + turns)
    for key in ("messages", "input"):
        given = work.body.get(key)
        if key == "input" and endpoint_of(work) != RESPONSES:
            continue
        if isinstance(given, str):
            given = [{"role": "user", "content": given}]
        if isinstance(given, list):
            return msgspec.structs.replace(work, body=work.body | {key: given + turns})
    return work


def check_work(
    work: ChatWork, default_model: str | None, endpoints: tuple[str, ...]
) -> list[tuple[str, str]]:
    """What is wrong with it, as (key, message)."""
    endpoint = endpoint_of(work)
    if endpoint not in endpoints:
        return [("endpoint", f"{work.endpoint} is not taken here; give one of {', '.join(endpoints)}")]
    wrong: list[tuple[str, str]] = []
    model = work.model or work.body.get("model") or work.extra.get("model") or default_model
    if not isinstance(model, str) or not model.strip():
        wrong.append(("model", "missing; name the model, here or in the backend's table"))
    if work.max_tokens is not None and work.max_tokens < 1:
        wrong.append(("max_tokens", f"expected at least 1, got {work.max_tokens}"))
    if work.body.get("stream") or work.extra.get("stream"):
        wrong.append(("stream", "answers are taken whole; leave it out"))
    if work.schema is not None and work.response_format is not None:
        wrong.append(("response_format", "given together with schema; keep one"))
    if work.schema is not None and endpoint not in (CHAT, RESPONSES):
        wrong.append(("schema", f"{endpoint} gives no answer that a schema could describe; leave it out"))
    if endpoint == CHAT:
        wrong += _check_messages(work)
    elif endpoint == RESPONSES:
        names = ("prompt", "messages")
        given = {name: value for name in names if (value := getattr(work, name)) is not None}
        wrong += check_response(given, work.body | work.extra)
    elif not (work.body or work.extra):
        hint = "" if endpoint not in _OF_TEXTS else ', such as `body = { input = "…" }`'
        wrong.append(("body", f"{endpoint} needs the whole request as `body`{hint}"))
    elif work.prompt is not None or work.messages is not None or work.system is not None:
        key = next(key for key in ("prompt", "messages", "system") if getattr(work, key) is not None)
        wrong.append((key, f"belongs to {CHAT}; {endpoint} takes `body`"))
    return wrong


def _check_messages(work: ChatWork) -> list[tuple[str, str]]:
    given = [
        key
        for key, value in (
            ("prompt", work.prompt),
            ("messages", work.messages),
            ("body.messages", work.body.get("messages")),
        )
        if value is not None
    ]
    if not given:
        return [("prompt", "missing; give prompt or messages")]
    if len(given) > 1:
        return [(given[0], f"given together with {' and '.join(given[1:])}; keep one")]
    if work.prompt is not None:
        return [] if work.prompt.strip() else [("prompt", "is empty")]
    key = given[0]
    messages = work.messages if key == "messages" else work.body["messages"]
    if not isinstance(messages, list) or not messages:
        return [(key, "expected a list of messages with a role and content")]
    for place, message in enumerate(messages):
        at = f"{key}[{place}]"
        if not isinstance(message, dict):
            return [(at, f"expected a table with role and content, got {type(message).__name__}")]
        if not isinstance(message.get("role"), str):
            return [(f"{at}.role", "missing; one of system, user, assistant, tool")]
        content = message.get("content")
        if not (isinstance(content, str | list) or (content is None and message["role"] == "assistant")):
            return [(f"{at}.content", "expected text or a list of parts")]
    return []


def model_of(work: ChatWork, default_model: str | None) -> str | None:
    model = work.model or work.extra.get("model") or work.body.get("model") or default_model
    return model if isinstance(model, str) else None


def estimate_tokens(body: dict[str, Json]) -> tuple[int, int]:
    """Tokens in, from a quarter of the bytes of what is asked, rounded up; tokens out at most (0: not bounded).

    A budget of thinking that is larger than the answer's own bound cannot be part of it, and is added.
    """
    asked = body.get("messages") or body.get("input") or body.get("prompt") or ""
    text = _texts(asked) + "".join(dumps(body[key]) for key in _ALSO_READ if body.get(key))
    longest = next((body[key] for key in _LONGEST if isinstance(body.get(key), int)), 0)
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if longest and type(budget) is int and budget > longest:
        longest += budget
    return -(-len(text.encode("utf-8", "replace")) // 4), longest * answers_of(body)


def answers_of(body: dict[str, Json]) -> int:
    """How many answers a request asks for, each as long as an answer may be."""
    asked = [int(body[key]) for key in ("n", "best_of") if type(body.get(key)) is int]
    prompts = body.get("prompt") or []
    many = isinstance(prompts, list) and all(isinstance(one, str | list) for one in prompts)
    return max(1, *asked, 1) * (max(1, len(prompts)) if many else 1)


def is_silent(work: ChatWork) -> bool:
    """Whether what comes back is no text that was written for it, such as an embedding: there is nothing to bound."""
    return endpoint_of(work).endswith(_SILENT)


def _texts(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_texts, value))
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if key in ("content", "text")}
        return "".join(map(_texts, kept.values())) if kept else dumps(value)
    return ""


def dumps(value: Json) -> str:
    """Compact ASCII JSON: half an emoji in a prompt cannot break it."""
    return json.dumps(value, separators=(",", ":"))
