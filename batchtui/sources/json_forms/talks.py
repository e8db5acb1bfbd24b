"""Talks as data sets hold them: lists of messages, as text too, with `role` and `content` or `from` and `value`."""

from __future__ import annotations

from batchtui.errors import nearest
from batchtui.model import Json
from batchtui.sources.json_forms.json_cells import from_text, holds_json
from batchtui.sources.json_forms.strict_json import kind_of
from batchtui.text import cell

_ROLES = {
    "human": "user",
    "user": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "assistant": "assistant",
    "system": "system",
}


class TalkFault(Exception):
    """What is wrong with a talk. `at` is the place in it: `[2].from`."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(message)
        self.at = at


def as_messages(value: Json) -> Json:
    """The messages of a talk; what is no talk at all is left to whoever checks messages. Raises TalkFault."""
    if isinstance(value, str):
        try:
            value = from_text(value)
        except ValueError as fault:
            raise TalkFault(f"expected a list of messages, or its JSON as text: {fault}") from None
        if not isinstance(value, list):
            raise TalkFault(f"expected a list of messages, got the JSON text of {kind_of(value)}")
    if not isinstance(value, list):
        return value
    return [_message(turn, f"[{place}]") for place, turn in enumerate(value)]


def _message(turn: Json, at: str) -> Json:
    """A turn of `from` and `value` as a message, anything else as it is."""
    if not isinstance(turn, dict) or "role" in turn or not {"from", "value"} <= turn.keys():
        return turn
    speaker, words = turn["from"], turn["value"]
    role = _ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
    if role is None:
        known = nearest(str(speaker), _ROLES) or f"; known are {', '.join(_ROLES)}"
        raise TalkFault(f'nobody is known as "{cell(speaker, 40)}"{known}', f"{at}.from")
    if not isinstance(words, str):
        raise TalkFault(f"expected a text, got {kind_of(words)}", f"{at}.value")
    return {"role": role, "content": words}


def is_talk(value: Json) -> bool:
    """Whether this is a list of messages, or the text of one."""
    if isinstance(value, str):
        if not holds_json(value):
            return False
        try:
            value = from_text(value)
        except ValueError:
            return False
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(turn, dict)
            and ({"role", "content"} <= turn.keys() or {"from", "value"} <= turn.keys())
            for turn in value
        )
    )
