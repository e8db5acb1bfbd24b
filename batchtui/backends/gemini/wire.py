"""A prompt as Gemini takes it: a request in OpenAI's form turned into a GenerateContentRequest, or a native one kept."""

from __future__ import annotations

import re

import msgspec

from batchtui.backends.gemini.content import contents_of
from batchtui.backends.gemini.native import camel_case, camel_name
from batchtui.backends.gemini.tools import with_tools
from batchtui.backends.prompts.fields import ADVICE, without_silent
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.backends.prompts.work import ChatWork, check_work, model_of, request_body
from batchtui.model import Json

NATIVE = (
    "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig", "cachedContent",
    "labels", "serviceTier", "store",
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
_OTHERS = (
    "model", "messages", "stop", "response_format", "stream", "user", "metadata", "tools", "tool_choice",
    "reasoning_effort", "logprobs", "top_logprobs", "service_tier", "system", "stop_sequences", "output_config",
    "anthropic_version", "max_completion_tokens", "safety_identifier", "prompt_cache_key",
)  # fmt: skip
"""Fields in OpenAI's and Anthropic's form that are turned into something else, or say nothing about the answer."""
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
"""Tokens of thought that Google's own layer for OpenAI's form gives models before Gemini 3."""
_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_BY_BUDGET = re.compile(r"gemini-(?:[12]\b|[12]\.)")
_TIERS = {
    "auto": "standard",
    "default": "standard",
    "standard": "standard",
    "flex": "flex",
    "priority": "priority",
}


def request_of(work: ChatWork, default_model: str | None = None) -> dict[str, Json]:
    """The request of one row, without its model. Raises Unfit for what has no form there."""
    asked = request_body(msgspec.structs.replace(work, schema=None), default_model)
    own = {camel_name(key): value for key, value in asked.items() if camel_name(key) in NATIVE}
    tools = with_tools(own.pop("tools", None), asked.get("tool_choice"))
    request = {key: value for key, value in (camel_case(own) | tools).items() if key in NATIVE}
    config = dict(request.get("generationConfig") or {})
    for name, ours in _CONFIG.items():
        if asked.get(name) is not None:
            config[ours] = asked[name]
    if asked.get("stop"):
        config["stopSequences"] = [asked["stop"]] if isinstance(asked["stop"], str) else asked["stop"]
    config |= _answer_form(asked.get("response_format"))
    config |= _odds(asked)
    if (thinking := _thinking(asked)) is not None:
        config["thinkingConfig"] = {**thinking, **(config.get("thinkingConfig") or {})}
    if work.schema is not None:
        schema = {key: value for key, value in work.schema.items() if key != "$schema"}
        config |= {"responseMimeType": "application/json", "responseJsonSchema": schema}
    if asked.get("messages"):
        turns, system = contents_of(asked["messages"], str(asked.get("model") or ""))
        # Beside native contents only a system prompt of our own can stand here.
        request["contents"] = turns or request.get("contents") or []
        if system:
            request["systemInstruction"] = {"parts": system}
    if asked.get("service_tier") in _TIERS:
        request["serviceTier"] = _TIERS[asked["service_tier"]]
    if config:
        request["generationConfig"] = config
    return {key: request[key] for key in NATIVE if key in request}


def _odds(asked: dict[str, Json]) -> dict[str, Json]:
    if not asked.get("logprobs"):
        return {}
    most = asked.get("top_logprobs")
    return {"responseLogprobs": True} | ({"logprobs": most} if isinstance(most, int) else {})


def _thinking(asked: dict[str, Json]) -> dict[str, Json] | None:
    """How much the model thinks, in the words of its version; None where nothing, or no such effort, is asked."""
    effort, model = asked.get("reasoning_effort"), str(asked.get("model") or "")
    if not isinstance(effort, str):
        return None
    if _BY_BUDGET.search(model):
        return {"thinkingBudget": _BUDGETS[effort]} if effort in _BUDGETS else None
    return {"thinkingLevel": effort.upper()} if effort in _LEVELS else None


def not_taken(work: ChatWork, default_model: str | None = None) -> dict[str, str]:
    """Keys of `[job]` that say what Gemini does not take, and the words for it."""
    known = (*_CONFIG, *_OTHERS, *NATIVE)
    told = {
        f"{place}.{name}": "is no field of Gemini's (what is new there can go into generationConfig)"
        for place, fields in (("body", work.body), ("extra", work.extra))
        for name in without_silent(fields, frozenset(NATIVE))
        if camel_name(name) not in known and name not in known and name not in _SILENT
    }
    asked = {**work.body, **work.extra}
    asked["model"] = model_of(work, default_model)
    place = {name: f"{'extra' if name in work.extra else 'body'}.{name}" for name in asked}
    if asked.get("reasoning_effort") is not None and _thinking(asked) is None:
        told[place["reasoning_effort"]] = "is no effort that this model knows"
    if asked.get("service_tier") is not None and asked["service_tier"] not in _TIERS:
        told[place["service_tier"]] = f"is one of {', '.join(_TIERS)} at Gemini"
    if asked.get("parallel_tool_calls") is False:
        told[place["parallel_tool_calls"]] = "cannot be turned off at Gemini"
    return told


_SILENT = ("parallel_tool_calls",)
"""Fields that only say what holds at Gemini in any case."""


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
    if not work.drop_unsupported:
        wrong += [(key, words + ADVICE) for key, words in not_taken(work, default_model).items()]
    if not wrong:
        try:
            request_of(work, default_model)
        except Unfit as fault:
            wrong.append((fault.place, fault.message))
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
    """The request in the form whose tokens can be estimated: what is asked, how many answers, and their bound."""
    turns = [*(request.get("contents") or []), request.get("systemInstruction")]
    texts = [
        part["text"]
        for turn in turns
        if isinstance(turn, dict)
        for part in turn.get("parts") or []
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
    config = request.get("generationConfig") or {}
    bounds = {"max_tokens": config.get("maxOutputTokens"), "n": config.get("candidateCount")}
    return {"input": texts} | {name: value for name, value in bounds.items() if isinstance(value, int)}
