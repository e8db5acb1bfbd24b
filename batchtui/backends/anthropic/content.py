"""Parts of a message in Anthropic's form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from batchtui.backends.attachments.files import Attached
from batchtui.backends.attachments.parts import anthropic, with_files
from batchtui.model import Json

_INLINE = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>.*)", re.DOTALL)


def with_documents(messages: list[Json], files: Sequence[Attached], citations: bool) -> list[Json]:
    """The messages with the job's files before the user's first words."""
    parts = [anthropic(one, citations=citations) for one in files]
    made: list[Json] = with_files(messages, parts)
    return made


def message_content(content: Json) -> Json:
    """The content of a message, its parts in OpenAI's form turned into Anthropic's."""
    return [_part(part) for part in content] if isinstance(content, list) else content


def _part(part: Json) -> Json:
    if not isinstance(part, dict):
        return {"type": "text", "text": part} if isinstance(part, str) else part
    if part.get("type") == "input_text":
        return {"type": "text", "text": part.get("text")}
    if part.get("type") != "image_url":
        return part
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    inline = _INLINE.fullmatch(url) if isinstance(url, str) else None
    if inline is None:
        return {"type": "image", "source": {"type": "url", "url": url}}
    source = {"type": "base64", "media_type": inline["type"], "data": inline["data"]}
    return {"type": "image", "source": source}
