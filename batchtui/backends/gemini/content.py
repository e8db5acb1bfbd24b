"""Messages in OpenAI's form as Gemini's contents: roles, text and inline data."""

from __future__ import annotations

import re

from batchtui.model import Json

_DATA = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,(?P<data>[A-Za-z0-9+/=\s]*)")
_ROLES = {"user": "user", "assistant": "model", "model": "model"}
SYSTEM = ("system", "developer")
_HOSTED = "https://generativelanguage.googleapis.com/"


class Unfit(ValueError):
    """A message that Gemini has no form for. `place` is its path below `messages`, such as `[0].content[1]`."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place, self.message = place, message


def contents_of(messages: list[Json]) -> tuple[list[Json], list[Json]]:
    """The turns, and the parts of the system instruction. Raises Unfit."""
    turns: list[Json] = []
    system: list[Json] = []
    for number, message in enumerate(messages):
        role = str(message.get("role"))
        parts = _parts(message.get("content"), f"[{number}].content")
        if role in SYSTEM:
            system += parts
        elif role in _ROLES:
            turns.append({"role": _ROLES[role], "parts": parts})
        else:
            raise Unfit(f"[{number}].role", f'Gemini has no role "{role}"; one of system, user, assistant')
    return turns, system


def _parts(content: Json, place: str) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}]
    if not isinstance(content, list):
        raise Unfit(place, "expected text or a list of parts")
    return [_part(part, f"{place}[{number}]") for number, part in enumerate(content)]


def _part(part: Json, place: str) -> Json:
    """One part; one that is in Gemini's own form already stays as it is."""
    if isinstance(part, str):
        return {"text": part}
    if not isinstance(part, dict):
        raise Unfit(place, "expected text or a table")
    kind = part.get("type")
    if kind is None and ("text" in part or "inlineData" in part or "fileData" in part):
        return part
    if kind in ("text", "input_text") and isinstance(part.get("text"), str):
        return {"text": part["text"]}
    if kind in ("image_url", "input_image"):
        image = part.get("image_url")
        return _from_address(image.get("url") if isinstance(image, dict) else image, place)
    if kind in ("file", "input_file"):
        file = part.get("file")
        return _from_address((file if isinstance(file, dict) else part).get("file_data"), place)
    raise Unfit(place, f'Gemini has no part of type "{kind}"; give text, an image or a file')


def _from_address(address: Json, place: str) -> Json:
    if isinstance(address, str):
        if match := _DATA.fullmatch(address):
            return inline(match["type"], match["data"])
        if address.startswith(_HOSTED):
            return {"fileData": {"fileUri": address}}
    raise Unfit(place, "Gemini fetches nothing from elsewhere; give the bytes as a data: address in base64")


def inline(mime_type: str, data: str) -> Json:
    """Bytes (base64) as a part."""
    return {"inlineData": {"mimeType": mime_type, "data": data}}
