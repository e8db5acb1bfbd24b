"""Messages in OpenAI's form as Gemini's contents: roles, text, media, calls of functions and their results."""

from __future__ import annotations

import re

from batchtui.backends.gemini.native import camel_case
from batchtui.backends.prompts.forms.media import Media, media_of, text_of
from batchtui.backends.prompts.forms.tools import Asked
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.backends.wire.replies import parse_json
from batchtui.model import Json

_ROLES = {"user": "user", "assistant": "model", "model": "model"}
SYSTEM = ("system", "developer")
_OWN_PARTS = frozenset(
    """text inlineData fileData functionCall functionResponse executableCode codeExecutionResult thought
    inline_data file_data function_call function_response""".split()  # noqa: SIM905
)
_SIGNED_FROM = 3
"""Versions of Gemini from here on refuse a call without a signature of the thought behind it."""
_VERSION = re.compile(r"gemini-(\d+)")
UNSIGNED = "skip_thought_signature_validator"
"""What stands for it where the call was another model's, as Google's guide to thought signatures has it."""


def contents_of(messages: list[Json], model: str = "") -> tuple[list[Json], list[Json]]:
    """The turns, and the parts of the system instruction. Raises Unfit."""
    turns: list[Json] = []
    system: list[Json] = []
    asked = Asked()
    version = _VERSION.search(model)
    signed = version is not None and int(version[1]) >= _SIGNED_FROM
    together = False  # results of one round of calls stand in one turn
    for number, message in enumerate(messages):
        role, place = str(message.get("role")), f"messages[{number}]"
        is_result = role in ("tool", "function")
        if is_result:
            part = _result(message, place, asked)
            if together:
                turns[-1]["parts"].append(part)
            else:
                turns.append({"role": "user", "parts": [part]})
        elif role in SYSTEM:
            system += _parts(message.get("content"), f"{place}.content")
        elif role in _ROLES:
            calls = _calls(message, place, asked, signed)
            said = _parts(message.get("content") or ([] if calls else ""), f"{place}.content")
            said = [part for part in said if not calls or part != {"text": ""}]
            turns.append({"role": _ROLES[role], "parts": said + calls})
        else:
            raise Unfit(f"{place}.role", f'Gemini has no role "{role}"; one of system, user, assistant, tool')
        together = is_result
    return turns, system


def _calls(message: dict[str, Json], place: str, asked: Asked, signed: bool) -> list[Json]:
    calls = asked.calls(message, place)
    given = message.get("tool_calls") or []
    made: list[Json] = []
    for number, call in enumerate(calls):
        part: Json = {
            "functionCall": {"name": call.name, "args": call.table(f"{place}.tool_calls[{number}]")}
        }
        signature = _signature(given[number]) if number < len(given) else None
        if signature is None and signed and number == 0:
            signature = UNSIGNED
        made.append(part | ({"thoughtSignature": signature} if signature else {}))
    return made


def _signature(call: Json) -> str | None:
    """As Google's own servers hand it out in OpenAI's form."""
    extra = call.get("extra_content") if isinstance(call, dict) else None
    google = extra.get("google") if isinstance(extra, dict) else None
    found = google.get("thought_signature") if isinstance(google, dict) else None
    return found if isinstance(found, str) else None


def _result(message: dict[str, Json], place: str, asked: Asked) -> Json:
    """What a tool answered: a table as it is, anything else as its result."""
    _, name = asked.answered(message, place)
    content = message.get("content")
    texts = [content] if isinstance(content, str) else [text_of(part) for part in content or []]
    if None in texts:
        words = "what a tool answers is text; put images into a turn of the user"
        raise Unfit(f"{place}.content", words)
    text = "".join(text or "" for text in texts)
    try:
        found = parse_json(text)
    except ValueError:
        found = None
    return {
        "functionResponse": {"name": name, "response": found if isinstance(found, dict) else {"result": text}}
    }


def _parts(content: Json, place: str) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}]
    if not isinstance(content, list):
        raise Unfit(place, "expected text or a list of parts")
    return [_part(part, f"{place}[{number}]") for number, part in enumerate(content)]


def _part(part: Json, place: str) -> Json:
    """One part; one that is in Gemini's own form already stays as it is."""
    if not isinstance(part, str | dict):
        raise Unfit(place, "expected text or a table")
    if isinstance(part, dict) and "type" not in part and part.keys() & _OWN_PARTS:
        return camel_case(part)
    if (text := text_of(part)) is not None:
        return {"text": text}
    assert isinstance(part, dict)
    media = media_of(part, place)
    if media is None:
        raise Unfit(
            place, f'Gemini has no part of type "{part.get("type")}"; give text, an image, sound or a file'
        )
    return _medium(media, place)


def _medium(media: Media, place: str) -> Json:
    if media.file_id is not None:
        words = (
            "a file is named by its address at Gemini (https://…/files/…), not by the id of another provider"
        )
        raise Unfit(place, words)
    if media.data is not None:
        if media.media_type is None:
            raise Unfit(place, "the type of these bytes is not said; give them as data:image/png;base64,…")
        return inline(media.media_type, media.data)
    told = {"mimeType": media.media_type} if media.media_type else {}
    return {"fileData": {**told, "fileUri": media.url}}


def inline(mime_type: str, data: str) -> Json:
    """Bytes (base64) as a part."""
    return {"inlineData": {"mimeType": mime_type, "data": data}}
