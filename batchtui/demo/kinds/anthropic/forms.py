"""What Anthropic refuses in the form of a request: fields, parts and tools that are other providers'."""

from __future__ import annotations

from collections.abc import Iterator

from batchtui.model import Json

_FOREIGN_FIELDS = (
    "seed", "n", "logprobs", "top_logprobs", "logit_bias", "frequency_penalty", "presence_penalty", "response_format",
    "reasoning_effort", "verbosity", "user", "store", "stop", "max_completion_tokens", "parallel_tool_calls",
    "random_seed", "safe_prompt", "contents", "generationConfig",
)  # fmt: skip
_FOREIGN_PARTS = (
    "image_url", "input_text", "input_image", "input_audio", "input_file", "output_text", "file", "document_url",
    "audio_url", "video_url", "refusal",
)  # fmt: skip
_PARTS = "'document', 'image', 'search_result', 'text', 'thinking', 'tool_result', 'tool_use'"
_CHOICES = ("auto", "any", "tool", "none")


def misformed(body: dict[str, Json]) -> str | None:
    """Why this body is refused, or None; its messages have roles and content."""
    for name in _FOREIGN_FIELDS:
        if name in body:
            return f"{name}: Extra inputs are not permitted"
    return _part_fault(body["messages"]) or _tool_fault(body.get("tools"), body.get("tool_choice"))


def _part_fault(messages: list[Json]) -> str | None:
    asked: set[str] = set()
    for place, message in enumerate(messages):
        for name in message:
            if name not in ("role", "content"):
                return f"messages.{place}.{name}: Extra inputs are not permitted"
        now = {str(part.get("id")) for _, part in _parts(message) if part.get("type") == "tool_use"}
        for number, part in _parts(message):
            at, kind = f"messages.{place}.content.{number}", part.get("type")
            if kind is None or kind in _FOREIGN_PARTS:
                return f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {_PARTS}"
            if kind == "tool_result" and part.get("tool_use_id") not in asked:
                return (
                    f"{at}: unexpected `tool_use_id` found in `tool_result` blocks: {part.get('tool_use_id')}. "
                    "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                )
        asked = now or asked if message["role"] != "user" else set()
    return None


def _parts(message: dict[str, Json]) -> Iterator[tuple[int, dict[str, Json]]]:
    content = message.get("content")
    for number, part in enumerate(content if isinstance(content, list) else []):
        if isinstance(part, dict):
            yield number, part


def _tool_fault(tools: Json, choice: Json) -> str | None:
    for place, tool in enumerate(tools if isinstance(tools, list) else []):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind == "function":
            return f"tools.{place}: Input tag 'function' found using 'type' does not match any of the expected tags"
        if kind in (None, "custom"):
            for name in ("name", "input_schema"):
                if not isinstance(tool, dict) or name not in tool:
                    return f"tools.{place}.{name}: Field required"
    if choice is not None and not (isinstance(choice, dict) and choice.get("type") in _CHOICES):
        return "tool_choice: Input should be an object with a type of 'auto', 'any', 'tool' or 'none'"
    return None
