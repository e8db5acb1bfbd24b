"""Images, sound and files among the parts of a message, read from OpenAI's forms and those of servers like it."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.model import Json

DATA_ADDRESS = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,(?P<data>[A-Za-z0-9+/=_\s-]*)"
)
_ADDRESSES = {"image_url": "image", "audio_url": "audio", "video_url": "video", "document_url": "file"}
TEXTS = ("text", "input_text", "output_text")


@dataclass(frozen=True, slots=True)
class Media:
    """One of `data` (base64), `url` and `file_id` says where it is. `detail` is how closely an image is looked at."""

    form: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    name: str | None = None
    detail: str | None = None

    @property
    def address(self) -> str | None:
        """Its own address, or one that holds its bytes."""
        if self.data is not None:
            return f"data:{self.media_type or 'application/octet-stream'};base64,{self.data}"
        return self.url


def media_of(part: dict[str, Json], place: str) -> Media | None:
    """What this part holds; None for text and for what is no part of OpenAI's. Raises Unfit."""
    kind = part.get("type")
    if kind in _ADDRESSES:
        given = part.get(kind)
        address, detail = (
            (given.get("url"), given.get("detail")) if isinstance(given, dict) else (given, None)
        )
        return _located(_ADDRESSES[kind], address, place, detail=detail, name=part.get("document_name"))
    if kind == "input_image":
        image = part.get("image_url")
        address = image.get("url") if isinstance(image, dict) else image
        return _located("image", address, place, file_id=part.get("file_id"), detail=part.get("detail"))
    if kind == "input_audio":
        return _sound(part.get("input_audio"), place)
    if kind in ("file", "input_file"):
        inner = part.get("file")
        file = inner if isinstance(inner, dict) else part
        address = file.get("file_data") or file.get("file_url")
        return _located("file", address, place, file_id=file.get("file_id"), name=file.get("filename"))
    return None


def _sound(given: Json, place: str) -> Media:
    """`{data, format}`, or (at Mistral) the bytes or the address alone."""
    if isinstance(given, str):
        return _located("audio", given, place)
    data, form = (given.get("data"), given.get("format")) if isinstance(given, dict) else (None, None)
    if not isinstance(data, str) or not data:
        raise Unfit(place, "input_audio holds no data; give its bytes in base64 and its format, wav or mp3")
    if data.startswith("data:"):
        return _located("audio", data, place)
    return Media("audio", f"audio/{form or 'wav'}", data)


def _located(
    form: str,
    address: Json,
    place: str,
    *,
    file_id: Json = None,
    name: Json = None,
    detail: Json = None,
) -> Media:
    beside = {
        "name": name if isinstance(name, str) else None,
        "detail": detail if isinstance(detail, str) else None,
    }
    if isinstance(file_id, str) and file_id and not address:
        return Media(form, file_id=file_id, **beside)
    if not isinstance(address, str) or not address:
        raise Unfit(place, f"the part of type {form} holds no address, no data and no file id")
    if match := DATA_ADDRESS.fullmatch(address):
        return Media(form, match["type"], match["data"], **beside)
    if address.startswith("data:"):
        raise Unfit(place, "a data: address must hold base64, as data:image/png;base64,…")
    if urlsplit(address[:200]).scheme in ("http", "https", "gs"):
        return Media(form, _guessed(urlsplit(address).path), url=address, **beside)
    if form in ("file", "audio"):  # bytes in base64 without a word on what they are
        return Media(form, _guessed(beside["name"] or ""), address, **beside)
    raise Unfit(
        place, "an image is given by its https: address, or by a data: address with its bytes in base64"
    )


def _guessed(path: str) -> str | None:
    return mimetypes.guess_type(path)[0]


def text_of(part: Json) -> str | None:
    """The text of a part that is text in any of the forms; None for another."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or not isinstance(part.get("text"), str):
        return None
    return part["text"] if part.get("type") in (None, *TEXTS) else None


def refuse_other_parts(messages: list[Json], known: tuple[str, ...], who: str) -> None:
    """Raises Unfit for a part of a type that `who` does not know."""
    for place, message in enumerate(messages):
        content = message.get("content") if isinstance(message, dict) else None
        for number, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind not in known:
                words = f'{who} has no part of type "{kind}" in chat completions; it takes {", ".join(known)}'
                raise Unfit(f"messages[{place}].content[{number}]", words)
