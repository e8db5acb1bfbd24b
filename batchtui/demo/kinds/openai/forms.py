"""What OpenAI refuses in the form of a request: parts and tools that belong to the other endpoint, or to others."""

from __future__ import annotations

from collections.abc import Iterator

from batchtui.demo.kinds.base import ApiError
from batchtui.model import Json

Body = dict[str, Json]
_PARTS = {
    "/v1/chat/completions": (
        "text", "image_url", "input_audio", "file", "refusal", "audio_url", "video_url", "document_url", "thinking",
        "reference",
    ),
    "/v1/responses": (
        "input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot", "summary_text",
    ),
}  # fmt: skip
"""Types of parts. Those of chat completions include what servers like OpenAI's take beside its own."""
_CHAT_ONLY = (
    "stop",
    "seed",
    "n",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "max_tokens",
    "messages",
)


def misformed(endpoint: str, body: Body) -> ApiError | None:
    """Why the parts or tools of this body are refused, or None."""
    known = _PARTS.get(endpoint)
    if known is None:
        return None
    if endpoint == "/v1/responses":
        for name in _CHAT_ONLY:
            if name in body:
                text = f"Unsupported parameter: '{name}' is not supported with the Responses API."
                return ApiError(400, text, code="unsupported_parameter", param=name)
    name = "input" if endpoint == "/v1/responses" else "messages"
    for place, kind in _types(name, body.get(name)):
        if kind not in known:
            words = ", ".join(f"'{one}'" for one in known)
            text = f"Invalid value: '{str(kind)[:40]}'. Supported values are: {words}."
            return ApiError(400, text, code="invalid_value", param=place)
    return _tool_fault(endpoint, body.get("tools"))


def _types(name: str, turns: Json) -> Iterator[tuple[str, Json]]:
    """The type of each part of each turn, with its place."""
    for place, turn in enumerate(turns if isinstance(turns, list) else []):
        content = turn.get("content") if isinstance(turn, dict) else None
        for number, part in enumerate(content if isinstance(content, list) else []):
            if isinstance(part, dict):
                yield f"{name}[{place}].content[{number}]", part.get("type")


def _tool_fault(endpoint: str, tools: Json) -> ApiError | None:
    """A function stands in a table of its own in chat completions, and flat in responses."""
    for place, tool in enumerate(tools if isinstance(tools, list) else []):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind is None:
            return _missing(f"tools[{place}].type")
        if kind != "function":
            continue
        if endpoint == "/v1/responses" and not tool.get("name"):
            return _missing(f"tools[{place}].name")
        inner = tool.get("function")
        if endpoint != "/v1/responses" and not (isinstance(inner, dict) and inner.get("name")):
            return _missing(f"tools[{place}].function")
    return None


def _missing(param: str) -> ApiError:
    text = f"Missing required parameter: '{param}'."
    return ApiError(400, text, code="missing_required_parameter", param=param)
