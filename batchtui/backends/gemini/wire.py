"""A prompt as Gemini takes it: a request in OpenAI's form turned into a GenerateContentRequest, or a native one kept."""

from __future__ import annotations

import msgspec

from batchtui.backends.gemini.content import Unfit, contents_of
from batchtui.backends.prompts.work import ChatWork, check_work, request_body
from batchtui.model import Json

NATIVE = (
    "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig", "cachedContent",
)  # fmt: skip
_CONFIG = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "max_output_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
"""Names in OpenAI's form and in `generationConfig`."""
_OTHERS = ("model", "messages", "stop", "response_format", "stream", "user", "metadata")
"""Fields in OpenAI's form that are turned into something else, or say nothing about the answer."""


def request_of(work: ChatWork, default_model: str | None = None) -> dict[str, Json]:
    """The request of one row, without its model. Raises Unfit for a message that has no form there."""
    asked = request_body(msgspec.structs.replace(work, schema=None), default_model)
    request: dict[str, Json] = {key: asked[key] for key in NATIVE if key in asked}
    config = dict(request.get("generationConfig") or {})
    for name, ours in _CONFIG.items():
        if asked.get(name) is not None:
            config[ours] = asked[name]
    if asked.get("stop"):
        config["stopSequences"] = [asked["stop"]] if isinstance(asked["stop"], str) else asked["stop"]
    config |= _answer_form(asked.get("response_format"))
    if work.schema is not None:
        schema = {key: value for key, value in work.schema.items() if key != "$schema"}
        config |= {"responseMimeType": "application/json", "responseJsonSchema": schema}
    if asked.get("messages"):
        turns, system = contents_of(asked["messages"])
        # Beside native contents only a system prompt of our own can stand here.
        request["contents"] = turns or request.get("contents") or []
        if system:
            request["systemInstruction"] = {"parts": system}
    if config:
        request["generationConfig"] = config
    return request


def with_files(request: dict[str, Json], parts: list[Json]) -> dict[str, Json]:
    """The request with the parts of files at the head of the first turn of the user."""
    contents = request.get("contents") or []
    if not parts:
        return request
    for place, turn in enumerate(contents):
        if isinstance(turn, dict) and turn.get("role", "user") == "user":
            turn = {**turn, "parts": [*parts, *(turn.get("parts") or [])]}
            return {**request, "contents": [*contents[:place], turn, *contents[place + 1 :]]}
    return {**request, "contents": [*contents, {"role": "user", "parts": parts}]}


def _answer_form(response_format: Json) -> dict[str, Json]:
    """`response_format` in Gemini's words."""
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if kind == "json_object":
        return {"responseMimeType": "application/json"}
    if kind == "json_schema":
        inner = response_format.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, dict) else None
        return {"responseMimeType": "application/json", "responseJsonSchema": schema}
    return {}


def check_request(
    work: ChatWork, default_model: str | None, endpoints: tuple[str, ...]
) -> list[tuple[str, str]]:
    """What is wrong with it, as (key, message)."""
    contents = work.body.get("contents", work.extra.get("contents"))
    if contents is None:
        wrong = check_work(work, default_model, endpoints)
    else:
        wrong = _check_native(work, contents, default_model, endpoints)
    known = (*_CONFIG, *_OTHERS, *NATIVE)
    for place, fields in (("body", work.body), ("extra", work.extra)):
        wrong += [
            (f"{place}.{name}", "Gemini has no such field; leave it out, or give it in `generationConfig`")
            for name in fields
            if name not in known
        ]
    if not wrong:
        try:
            request_of(work, default_model)
        except Unfit as fault:
            wrong.append((f"messages{fault.place}", fault.message))
    return wrong


def _check_native(
    work: ChatWork, contents: Json, default_model: str | None, endpoints: tuple[str, ...]
) -> list[tuple[str, str]]:
    if not isinstance(contents, list) or not contents or not all(isinstance(turn, dict) for turn in contents):
        return [("body.contents", "expected a list of turns with a role and parts")]
    if work.prompt is not None or work.messages is not None:
        key = "prompt" if work.prompt is not None else "messages"
        return [(key, "given together with body.contents; keep one")]
    stand_in = msgspec.structs.replace(work, prompt="native", body=_without_contents(work.body))
    return check_work(stand_in, default_model, endpoints)


def _without_contents(body: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in body.items() if key != "contents"}


def asked_text(request: dict[str, Json]) -> dict[str, Json]:
    """The request in the form whose tokens can be estimated: what is asked, and the bound of the answer."""
    turns = [*(request.get("contents") or []), request.get("systemInstruction")]
    texts = [
        part["text"]
        for turn in turns
        if isinstance(turn, dict)
        for part in turn.get("parts") or []
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
    config = request.get("generationConfig") or {}
    most = config.get("maxOutputTokens")
    return {"input": texts} | ({"max_tokens": most} if isinstance(most, int) else {})
