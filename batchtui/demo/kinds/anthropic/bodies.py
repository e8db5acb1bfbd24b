"""Bodies of Anthropic's messages: what is refused, and what is answered."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from batchtui.demo import answers
from batchtui.demo.faults import Faults
from batchtui.demo.kinds.anthropic.citations import cited_content, uneven
from batchtui.demo.kinds.anthropic.forms import misformed
from batchtui.demo.kinds.base import ApiError
from batchtui.demo.kinds.openai.bodies import question
from batchtui.demo.structured import schema_in_prompt, structured
from batchtui.model import Json

Body = dict[str, Json]

WITHOUT_SAMPLING = "2026-10-21"
_SAMPLING = ("temperature", "top_p", "top_k")
_IN_BATCHES_ONLY_FALSE = ("stream", "speed")
_THOUGHT = "The question is short; what matters is which of its words carries the weight."


def refusal(body: Body, version: str, *, batch: bool = False) -> ApiError | None:
    """Why this body is refused, or None."""
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            return _bad(name, "Field required")
    model, limit, messages = body["model"], body["max_tokens"], body["messages"]
    if not isinstance(model, str):
        return _bad("model", "Input should be a valid string")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        return _bad("max_tokens", "Input should be greater than or equal to 1")
    if not isinstance(messages, list) or not messages:
        return _bad("messages", "at least one message is required")
    for place, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant", "system"):
            return _bad(f"messages.{place}.role", "Input should be 'user', 'assistant' or 'system'")
        if not isinstance(message.get("content"), str | list) or not message["content"]:
            return _bad(f"messages.{place}.content", "Field required")
    if told := misformed(body):
        return ApiError(400, told)
    if version >= WITHOUT_SAMPLING:
        for name in _SAMPLING:
            if name in body:
                return _bad(name, "Extra inputs are not permitted")
    if batch:
        for name in _IN_BATCHES_ONLY_FALSE:
            if body.get(name):
                return _bad(name, "is not supported in a message batch")
    if model == "unknown-model":
        return ApiError(404, f"model: {model}")
    if model == "broke-model":
        return ApiError(402, "Your credit balance is too low to access the Anthropic API.")
    if uneven(messages):
        return ApiError(400, "messages: citations must be enabled on all documents or on none")
    return _format_fault(body) or _asked_to_fail(messages)


def _format_fault(body: Body) -> ApiError | None:
    format_ = _format(body)
    if not format_:
        return None
    if format_.get("type") != "json_schema" or not isinstance(format_.get("schema"), dict):
        return _bad("output_config.format.schema", "Field required")
    if cites(body["messages"]):
        return ApiError(400, "output_config.format: citations and structured output cannot be combined")
    loose = _loose(format_["schema"])
    return _bad("output_config.format.schema", loose) if loose else None


def _loose(schema: Json) -> str | None:
    """What the narrow form of structured output does not take."""
    if isinstance(schema, list):
        return next(filter(None, map(_loose, schema)), None)
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    for name in ("minimum", "maximum", "multipleOf", "minLength", "maxLength", "oneOf"):
        if name in schema and not isinstance(schema[name], dict):
            return f"property '{name}' is not supported"
    return next(filter(None, map(_loose, schema.values())), None)


def cites(messages: list[Json]) -> bool:
    """Whether a document among the messages asks for citations."""
    parts = [
        part
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    return any(
        isinstance(part, dict)
        and isinstance(part.get("citations"), dict)
        and part["citations"].get("enabled")
        for part in parts
    )


def _asked_to_fail(messages: list[Json]) -> ApiError | None:
    if "[[fail]]" in question(messages):
        return ApiError(400, "messages: the prompt asks to be refused: it contains [[fail]]")
    return None


def _bad(where: str, message: str) -> ApiError:
    return ApiError(400, f"{where}: {message}")


def _format(body: Body) -> Body:
    config = body.get("output_config")
    format_ = config.get("format") if isinstance(config, dict) else None
    return format_ if isinstance(format_, dict) else {}


def respond(body: Body, faults: Faults, new_id: Callable[[str], str], *, tier: str = "standard") -> Body:
    """The message to a body that `refusal` lets pass: the same text for the same model, messages and system."""
    key = msgspec.json.encode([body["model"], body["messages"], body.get("system")])
    asked = question(body["messages"])
    refused = "[[refuse]]" in asked
    text, cut = answers.shorten("" if refused else _text(body, asked, key, faults), body["max_tokens"])
    text, stopped_at = _stopped(text, body.get("stop_sequences"))
    thinks = isinstance(body.get("thinking"), dict) and body["thinking"].get("type") in (
        "enabled",
        "adaptive",
    )
    content: list[Body] = [{"type": "text", "text": text, "citations": None}] if text else []
    if text and not cut and not stopped_at and cites(body["messages"]):
        content = cited_content(body, text, key)
        text = "".join(block["text"] for block in content)
    if thinks:
        content.insert(0, {"type": "thinking", "thinking": _THOUGHT, "signature": new_id("sig")})
    reason = "stop_sequence" if stopped_at else "max_tokens" if cut else "end_turn"
    thought = answers.tokens(_THOUGHT) if thinks else 0
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": "refusal" if refused else reason,
        "stop_sequence": stopped_at,
        "stop_details": _REFUSED if refused else None,
        "usage": _usage(body, answers.tokens(text) + thought, thought, tier),
    }


_REFUSED: Body = {"type": "refusal", "category": None, "explanation": "The prompt contains [[refuse]]."}


def _text(body: Body, asked: str, key: bytes, faults: Faults) -> str:
    if "[[hostile]]" in asked or faults.chance("hostile", key):
        return answers.HOSTILE
    by_words = schema_in_prompt(_system(body), asked)
    schema = _format(body)["schema"] if _format(body) else by_words
    return answers.answer(asked, key) if schema is None else structured(schema, asked, key, faults)


def _system(body: Body) -> str:
    system = body.get("system")
    blocks = system if isinstance(system, list) else [{"text": system}]
    return "\n".join(str(block.get("text") or "") for block in blocks if isinstance(block, dict))


def _stopped(text: str, sequences: Json) -> tuple[str, str | None]:
    """The text up to the first stop sequence in it, and which one that was."""
    known = [one for one in sequences if isinstance(one, str) and one] if isinstance(sequences, list) else []
    found = min((one for one in known if one in text), key=text.index, default=None)
    return (text, None) if found is None else (text[: text.index(found)], found)


def tokens_in(body: Body) -> tuple[int, int]:
    """Tokens of the prompt, and how many of them come from the cache: those of parts that ask to be cached."""
    plain = cached = 0
    for part in [body.get("system"), *(message.get("content") for message in body["messages"])]:
        for block in part if isinstance(part, list) else [part]:
            count = 3 + _tokens(block)
            if isinstance(block, dict) and block.get("cache_control"):
                cached += count
            else:
                plain += count
    return plain + cached, cached


def _tokens(value: Json) -> int:
    if isinstance(value, str):
        return answers.tokens(value)
    if isinstance(value, list):
        return sum(map(_tokens, value))
    if not isinstance(value, dict):
        return 0
    source = value.get("source")
    if isinstance(source, dict) and source.get("type") in ("base64", "url", "file"):
        return 1500
    return _tokens(value.get("text", source.get("data") if isinstance(source, dict) else None))


def _usage(body: Body, spent: int, thought: int, tier: str) -> Body:
    given, cached = tokens_in(body)
    return {
        "input_tokens": given - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": spent,
        "output_tokens_details": {"thinking_tokens": thought},
        "server_tool_use": None,
        "service_tier": tier,
    }
