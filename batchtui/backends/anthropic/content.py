"""Parts of a message in Anthropic's form, whatever form they were written in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from batchtui.backends.attachments.files import Attached
from batchtui.backends.attachments.parts import anthropic, with_files
from batchtui.backends.prompts.forms.media import TEXTS, Media, media_of, text_of
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json

_NOT_THERE = ("input_audio", "audio_url", "video_url", "refusal")
"""Types of OpenAI's parts for which Anthropic has nothing."""


def with_documents(messages: list[Json], files: Sequence[Attached], citations: bool) -> list[Json]:
    """The messages with the job's files before the user's first words."""
    parts = [anthropic(one, citations=citations) for one in files]
    made: list[Json] = with_files(messages, parts)
    return made


def message_content(content: Json, place: str) -> Json:
    """The content of a message, its parts in OpenAI's form turned into Anthropic's. Raises Unfit."""
    if not isinstance(content, list):
        return content
    return [_part(part, f"{place}[{number}]") for number, part in enumerate(content)]


def _part(part: Json, place: str) -> Json:
    """One part; one that is in Anthropic's own form, or in none that is known, stays as it is."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        return part
    if kind in TEXTS or isinstance(part, str):
        return {"type": "text", "text": text_of(part)}
    if kind in _NOT_THERE:
        raise Unfit(place, f'Anthropic has no part of type "{kind}"; give text, an image or a document')
    media = media_of(part, place) if isinstance(part, dict) else None
    if media is None:
        return part
    return {"type": "image", "source": _source(media)} if media.form == "image" else _document(media, place)


def _document(media: Media, place: str) -> Json:
    titled = {"title": media.name} if media.name else {}
    if media.data is None or media.media_type == "application/pdf":
        return {"type": "document", "source": _source(media), **titled}
    if (media.media_type or "").startswith("text/"):
        source = {"type": "text", "media_type": "text/plain", "data": _decoded(media.data, place)}
        return {"type": "document", "source": source, **titled}
    told = media.media_type or "a type that is not said"
    raise Unfit(place, f"Anthropic takes documents as PDF or plain text, not {told}")


def _decoded(data: str, place: str) -> str:
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Unfit(place, "the text of this file is no UTF-8 in base64") from None


def _source(media: Media) -> Json:
    if media.file_id:
        return {"type": "file", "file_id": media.file_id}
    if media.data is None:
        return {"type": "url", "url": media.url}
    return {"type": "base64", "media_type": media.media_type, "data": media.data}
