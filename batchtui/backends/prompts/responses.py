"""A prompt for OpenAI's responses endpoint, from the same fields as for chat completions."""

from __future__ import annotations

from batchtui.backends.prompts.forms.media import Media, media_of, text_of
from batchtui.backends.prompts.forms.tools import Choice, Tool, calls_of, choice_of, older_id, tools_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json

Body = dict[str, Json]
NOT_TAKEN = (
    "stop", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "modalities", "audio", "prediction",
    "web_search_options",
)  # fmt: skip
"""Fields of chat completions for which it has nothing."""
_SYSTEM = ("system", "developer")
_OWN_PARTS = ("input_text", "input_image", "input_file", "output_text", "refusal", "summary_text")


def as_response(body: Body) -> Body:
    """The request with its messages as `input`, and all else under the names that it has there. Raises Unfit."""
    form = dict(body)
    messages = form.pop("messages", None)
    limits = [form.pop(key, None) for key in ("max_completion_tokens", "max_tokens")]
    if isinstance(messages, list) and messages:
        first = messages[0]
        if isinstance(first, dict) and first.get("role") in _SYSTEM:
            form["instructions"], messages = _plain(first.get("content"), "messages[0]"), messages[1:]
        if messages:
            start = len(body["messages"]) - len(messages)
            form["input"] = [item for place, one in enumerate(messages, start) for item in _items(one, place)]
    elif isinstance(form.get("input"), list):
        form["input"] = [
            item for place, one in enumerate(form["input"]) for item in _items(one, place, "input")
        ]
    if any(limits):
        form.setdefault("max_output_tokens", next(limit for limit in limits if limit is not None))
    return _with_tools(_with_answer(form))


def _with_answer(form: Body) -> Body:
    """How the answer is to be: its format, length of words, effort and odds."""
    asked, verbosity = form.pop("response_format", None), form.pop("verbosity", None)
    text: Body = dict(form.get("text") or {})
    if isinstance(asked, dict):
        inner = asked.get("json_schema")
        text["format"] = {"type": asked.get("type"), **(inner if isinstance(inner, dict) else {})}
    if verbosity is not None:
        text["verbosity"] = verbosity
    if text:
        form["text"] = text
    if (effort := form.pop("reasoning_effort", None)) is not None:
        form["reasoning"] = {"effort": effort, **(form.get("reasoning") or {})}
    if form.pop("logprobs", None):
        form["include"] = [*(form.get("include") or []), "message.output_text.logprobs"]
    return form


def _with_tools(form: Body) -> Body:
    if isinstance(form.get("tools"), list):
        form["tools"] = [made for one in form["tools"] for made in _tools(one)]
    choice = form.get("tool_choice")
    if isinstance(choice, dict) and _is_foreign(choice):
        found = choice_of(choice)
        assert found is not None
        form["tool_choice"] = _choice(found)
        if not found.parallel:
            form["parallel_tool_calls"] = False
    return form


def _is_foreign(choice: Body) -> bool:
    return (
        "function" in choice
        or "allowed_tools" in choice
        or choice.get("type") in ("auto", "any", "none", "tool")
    )


def _tools(tool: Json) -> list[Json]:
    """A function in its flat form stays as it is, with all that it says or leaves to the default."""
    if isinstance(tool, dict) and tool.get("type") == "function" and "name" in tool:
        return [tool]
    return [_tool(one) if isinstance(one, Tool) else one for one in tools_of([tool])]


def _tool(tool: Tool) -> Body:
    """Flat there; a function is strict unless it says that it is not."""
    made: Body = {
        "type": "function",
        "name": tool.name,
        "parameters": tool.schema,
        "strict": bool(tool.strict),
    }
    return made if tool.description is None else made | {"description": tool.description}


def _choice(choice: Choice) -> Json:
    if not choice.names:
        return choice.mode
    named = [{"type": "function", "name": name} for name in choice.names]
    return named[0] if len(named) == 1 else {"type": "allowed_tools", "mode": choice.mode, "tools": named}


def _items(message: Json, place: int, key: str = "messages") -> list[Json]:
    """The items of `input` that one message becomes; an item of its own form stays as it is."""
    at = f"{key}[{place}]"
    if not isinstance(message, dict) or "role" not in message or (key == "input" and _is_item(message)):
        return [message]
    role, content = message["role"], message.get("content")
    if role in ("tool", "function"):
        call_id = str(message.get("tool_call_id") or older_id(message.get("name")))
        told = content if isinstance(content, str) else _parts(content, f"{at}.content")
        return [{"type": "function_call_output", "call_id": call_id, "output": told}]
    if role == "assistant":
        calls = [
            {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
            for call in calls_of(message, at)
        ]
        words = _plain(content, at) if not _is_own(content) else content
        return [*([{"role": role, "content": words}] if words or not calls else []), *calls]
    if isinstance(content, list):
        content = _parts(content, f"{at}.content")
    return [
        {"role": role, "content": content} | ({"type": "message"} if message.get("type") == "message" else {})
    ]


def _is_item(message: Body) -> bool:
    """Whether it keeps to the form of an item of `input`."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    known = all(isinstance(part, dict) and part.get("type") in _OWN_PARTS for part in parts)
    return known and not message.keys() & {"tool_calls", "tool_call_id", "function_call"}


def _is_own(content: Json) -> bool:
    """Whether the parts are those of an answer of this endpoint."""
    return isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") in ("output_text", "refusal") and "annotations" in part
        for part in content
    )


def _plain(content: Json, place: str) -> str:
    """Text alone, which is all that an instruction or an answer of the model is."""
    if content is None or isinstance(content, str):
        return content or ""
    texts: list[str] = []
    for number, part in enumerate(content if isinstance(content, list) else [content]):
        refused = part.get("refusal") if isinstance(part, dict) else None
        text = text_of(part) if refused is None else str(refused)
        if text is None:
            raise Unfit(
                f"{place}.content[{number}]", "only text can stand in a turn of the system or the assistant"
            )
        texts.append(text)
    return "".join(texts)


def _parts(content: Json, place: str) -> list[Json]:
    return [_part(part, f"{place}[{number}]") for number, part in enumerate(content or [])]


def _part(part: Json, place: str) -> Json:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in _OWN_PARTS and not (kind == "input_image" and "detail" not in part):
        return part
    if (text := text_of(part)) is not None:
        return {"type": "input_text", "text": text}
    media = media_of(part, place) if isinstance(part, dict) else None
    if media is None:
        raise Unfit(place, f'/v1/responses has no part of type "{kind}"; give text, an image or a file')
    return _media(media, place)


def _media(media: Media, place: str) -> Body:
    if media.form == "image":
        where: Body = {"file_id": media.file_id} if media.file_id else {"image_url": media.address}
        return {"type": "input_image", "detail": media.detail or "auto", **where}
    if media.form != "file":
        raise Unfit(
            place, f"/v1/responses takes no {media.form} in its input; /v1/chat/completions takes sound"
        )
    if media.file_id:
        return {"type": "input_file", "file_id": media.file_id}
    if media.url:
        return {"type": "input_file", "file_url": media.url}
    return {"type": "input_file", "filename": media.name or "document.pdf", "file_data": media.address}


def check_response(given: dict[str, Json], body: Body) -> list[tuple[str, str]]:
    """What is wrong with the fields (those that are set) beside the whole request `body`, as (key, message)."""
    wrong: list[tuple[str, str]] = []
    asked: list[str] = [key for key in ("prompt", "messages") if key in given]
    asked += [f"body.{key}" for key in ("messages", "input") if body.get(key) is not None]
    if not asked:
        wrong.append(("prompt", "missing; give prompt, messages or body.input"))
    elif len(asked) > 1:
        wrong.append((asked[0], f"given together with {' and '.join(asked[1:])}; keep one"))
    elif given.get(asked[0]) in ("", []):
        wrong.append((asked[0], "is empty"))
    return wrong
