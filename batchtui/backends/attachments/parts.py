"""Attached files in the form each provider takes. Whatever text a file holds goes under the file's name."""

from __future__ import annotations

from collections.abc import Sequence

from batchtui.backends.attachments.files import Attached
from batchtui.model import Json

Body = dict[str, Json]


def openai_chat(one: Attached) -> Body:
    if one.form == "image":
        return {"type": "image_url", "image_url": {"url": _data_uri(one)}}
    if one.form == "pdf":
        return {"type": "file", "file": {"filename": one.name, "file_data": _data_uri(one)}}
    return {"type": "text", "text": headed(one)}


def openai_responses(one: Attached) -> Body:
    if one.form == "image":
        return {"type": "input_image", "detail": "auto", "image_url": _data_uri(one)}
    if one.form == "pdf":
        return {"type": "input_file", "filename": one.name, "file_data": _data_uri(one)}
    return {"type": "input_text", "text": headed(one)}


def mistral(one: Attached) -> Body:
    if one.form == "image":
        return {"type": "image_url", "image_url": _data_uri(one)}
    if one.form == "pdf":
        return {"type": "document_url", "document_url": _data_uri(one), "document_name": one.name}
    return {"type": "text", "text": headed(one)}


def gemini(one: Attached) -> Body:
    if one.form in ("image", "pdf"):
        return {"inlineData": {"mimeType": one.media_type, "data": one.content}}
    return {"text": headed(one)}


def anthropic(one: Attached, *, citations: bool = False) -> Body:
    """An image block, or a document block; every document of a request has citations on, or none has."""
    if one.form == "image":
        return {"type": "image", "source": _base64(one)}
    text: Body = {"type": "text", "media_type": "text/plain", "data": one.content}
    source = _base64(one) if one.form == "pdf" else text
    block: Body = {"type": "document", "source": source, "title": one.name}
    if citations:
        block["citations"] = {"enabled": True}
    return block


def headed(one: Attached) -> str:
    return f"{one.name}:\n\n{one.content}\n\n"


def with_files(messages: Json, parts: Sequence[Body], text_type: str = "text") -> Json:
    """The messages with the parts at the head of the first user message, whose text becomes a part of its own."""
    if not parts or not isinstance(messages, list):
        return messages
    for place, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            asked = message.get("content") or []
            rest = [{"type": text_type, "text": asked}] if isinstance(asked, str) else asked
            return [*messages[:place], {**message, "content": [*parts, *rest]}, *messages[place + 1 :]]
    return [*messages, {"role": "user", "content": list(parts)}]


def with_openai_files(body: Body, files: Sequence[Attached], endpoint: str) -> Body:
    """A request in OpenAI's form with its files: of chat completions, or of responses."""
    if not files:
        return body
    if endpoint.endswith("/responses"):
        asked = body.get("input")
        messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        parts = [openai_responses(one) for one in files]
        return {**body, "input": with_files(messages or [], parts, "input_text")}
    return {**body, "messages": with_files(body.get("messages") or [], [openai_chat(one) for one in files])}


def _data_uri(one: Attached) -> str:
    return f"data:{one.media_type};base64,{one.content}"


def _base64(one: Attached) -> Body:
    return {"type": "base64", "media_type": one.media_type, "data": one.content}
