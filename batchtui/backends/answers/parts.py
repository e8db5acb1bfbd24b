"""The content of a message in OpenAI's manner: a text, or a list of parts of which only some are the answer."""

from __future__ import annotations

from collections.abc import Iterator

from batchtui.backends.answers.said import Said
from batchtui.model import Json

_TEXT = (None, "text", "output_text")
_THINKING = ("thinking", "reasoning", "reasoning_text", "reasoning_content")
_THOUGHT_KEYS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
"""Where servers put thinking beside the content. They may give the same one twice, so the first that is there counts."""
_WORDS = ("text", "thinking", "reasoning", "reasoning_content", "summary", "content")


def take_content(said: Said, content: Json) -> None:
    """Text parts joined, thinking and refusals of parts in their places; no text part leaves the text None."""
    texts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            kind, text = part.get("type"), part.get("text")
            if isinstance(text, dict):  # with notes of its own beside it
                text = text.get("value")
            if kind in _THINKING:
                said.reasoning += [words] if (words := "".join(_words(part))) else []
            elif kind == "refusal" and isinstance(part.get("refusal"), str):
                said.refusal = (said.refusal or "") + part["refusal"]
            elif kind in _TEXT and isinstance(text, str):
                texts.append(text)
    if texts:
        said.text = (said.text or "") + "".join(texts)


def thoughts_beside(message: dict[str, Json]) -> list[str]:
    """The thinking that stands beside the content of a message."""
    for key in _THOUGHT_KEYS:
        if words := "".join(_words(message.get(key))):
            return [words]
    return []


def _words(value: Json, depth: int = 0) -> Iterator[str]:
    """The words inside a piece of thinking, whatever its form: text, parts, parts of parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for one in value:
            yield from _words(one, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        yield from next((found for key in _WORDS if (found := list(_words(value.get(key), depth + 1)))), [])
