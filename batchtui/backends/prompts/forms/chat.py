"""A request in Anthropic's form as chat completions have it; one that is in that form already stays as it is."""

from __future__ import annotations

import json

from batchtui.backends.prompts.forms.media import text_of
from batchtui.backends.prompts.forms.tools import Choice, Tool, choice_of, tools_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json

Body = dict[str, Json]
_THOUGHTS = ("thinking", "redacted_thinking")
_OWN = ("image", "document", "tool_use", "tool_result", *_THOUGHTS)
"""Types of parts that are Anthropic's alone."""


def as_chat(body: Body, *, tools: bool = True) -> Body:
    """The request with its system prompt, parts, tools and stops where chat completions have them. Raises Unfit.

    `tools` off leaves those as they are.
    """
    made = dict(body)
    made.pop("anthropic_version", None)
    system = made.pop("system", None)
    messages = made.get("messages")
    if isinstance(messages, list):
        made["messages"] = [turn for place, one in enumerate(messages) for turn in _turns(one, place)]
        if system:
            words = system if isinstance(system, str) else "\n\n".join(filter(None, map(text_of, system)))
            made["messages"] = [{"role": "system", "content": words}, *made["messages"]]
    elif system is not None:
        made["system"] = system
    if "stop_sequences" in made:
        made["stop"] = made.pop("stop_sequences")
    if isinstance(made.get("output_config"), dict):
        made |= _answer(made.pop("output_config"))
    return with_chat_tools(made) if tools else made


def _answer(config: Body) -> Body:
    """`output_config` under OpenAI's names."""
    form, made = config.get("format"), dict[str, Json]()
    if isinstance(form, dict) and isinstance(form.get("schema"), dict):
        inner = {"name": "answer", "schema": form["schema"]}
        made["response_format"] = {"type": "json_schema", "json_schema": inner}
    if config.get("effort"):
        made["reasoning_effort"] = config["effort"]
    return made


def with_chat_tools(body: Body) -> Body:
    """The request with its functions, and the choice among them, as chat completions have them."""
    given, choice = body.get("tools"), body.get("tool_choice")
    made = dict(body)
    if isinstance(given, list) and not all(isinstance(one, dict) and "function" in one for one in given):
        made["tools"] = [chat_tool(one) if isinstance(one, Tool) else one for one in tools_of(given)]
    if isinstance(choice, dict) and choice.get("type") in ("auto", "any", "none", "tool"):
        found = choice_of(choice)
        assert found is not None
        made["tool_choice"] = chat_choice(found)
        if not found.parallel:
            made["parallel_tool_calls"] = False
    elif isinstance(choice, dict) and choice.get("type") == "function" and "function" not in choice:
        made["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
    return made


def chat_tool(tool: Tool) -> Body:
    inner: Body = {"name": tool.name}
    if tool.description is not None:
        inner["description"] = tool.description
    inner["parameters"] = tool.schema
    if tool.strict is not None:
        inner["strict"] = tool.strict
    return {"type": "function", "function": inner}


def chat_choice(choice: Choice) -> Json:
    if len(choice.names) == 1:
        return {"type": "function", "function": {"name": choice.names[0]}}
    return choice.mode


def _turns(message: Json, place: int) -> list[Json]:
    """A message, or the messages that stand for it: results of calls are turns of their own."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list) or not any(_is_own(part) for part in content):
        return [message]
    results: list[Json] = []
    calls: list[Json] = []
    parts: list[Json] = []
    for number, part in enumerate(content):
        kind, at = (
            part.get("type") if isinstance(part, dict) else None,
            f"messages[{place}].content[{number}]",
        )
        if kind == "tool_result":
            told = _told(part.get("content"), at)
            results.append({"role": "tool", "tool_call_id": str(part.get("tool_use_id")), "content": told})
        elif kind == "tool_use":
            asked = json.dumps(part.get("input") or {}, separators=(",", ":"))
            function = {"name": part.get("name"), "arguments": asked}
            calls.append({"id": str(part.get("id")), "type": "function", "function": function})
        elif kind not in _THOUGHTS:
            parts.append(_part(part, at))
    if not parts and not calls:
        return results or [message]
    words: Json = parts
    if message.get("role") == "assistant":  # text alone there
        words = "".join(filter(None, map(text_of, parts))) or None
    made = {**message, "content": words}
    return [*results, made | ({"tool_calls": calls} if calls else {})]


def _is_own(part: Json) -> bool:
    return isinstance(part, dict) and part.get("type") in _OWN


def _part(part: Json, place: str) -> Json:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": _address(part.get("source"), place)}}
    if kind != "document":
        return part
    source, name = part.get("source"), part.get("title") or "document"
    if isinstance(source, dict) and source.get("type") == "text":
        return {"type": "text", "text": f"{name}:\n\n{source.get('data')}\n\n"}
    if isinstance(source, dict) and source.get("type") == "file":
        return {"type": "file", "file": {"file_id": source.get("file_id")}}
    address = _address(source, place)
    if address.startswith("data:"):
        return {"type": "file", "file": {"filename": f"{name}", "file_data": address}}
    return {"type": "document_url", "document_url": address}


def _address(source: Json, place: str) -> str:
    """Where the bytes are that an image or a document of Anthropic's form holds."""
    kind = source.get("type") if isinstance(source, dict) else None
    if kind == "base64":
        return f"data:{source.get('media_type')};base64,{source.get('data')}"
    if kind == "url" and isinstance(source.get("url"), str):
        return str(source["url"])
    raise Unfit(
        place, f'a source of type "{kind}" has no form outside of Anthropic; give its bytes in base64'
    )


def _told(content: Json, place: str) -> Json:
    """What a tool answered, which is text in chat completions."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = [text_of(part) for part in content] if isinstance(content, list) else [None]
    if None in texts:
        raise Unfit(
            place, "what a tool answers is text in chat completions; put images into a turn of the user"
        )
    return "".join(text or "" for text in texts)
