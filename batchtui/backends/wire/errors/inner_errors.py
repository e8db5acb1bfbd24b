"""Errors inside a reply of a good status: found, and given the status that they would have had in the status line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from batchtui.backends.wire.loading import is_loading
from batchtui.backends.wire.waits import wait_of
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.wire.reply import Reply

FINAL = 400
"""The status of an error that says nothing of the kind: asking again would not help."""
_NUMBERS = ("code", "status", "status_code", "statusCode", "http_status", "error_code")
_NAMES = ("code", "type", "status", "error_code", "error_type", "reason")
_WORDS = (
    (429, "rate ?limit(?:ed)?|too many requests|resource exhausted|throttl\\w*|insufficient (?:quota|funds|balance|credits)"),
    (529, "overloaded|(?:engine|server|model) (?:busy|overload(?:ed)?)"),
    (503, "(?:service |server )?unavailable|slow down|model (?:is )?(?:loading|not ready)|loading model"),
    (504, "(?:gateway |upstream |request )?(?:timeout|timed out)|deadline exceeded"),
    (502, "bad gateway|(?:upstream|provider) error"),
    (500, "internal(?: server)? error|internal|server error|api ?error"),
    (401, "authentication(?: error)?|unauthenticated|unauthorized|invalid api key"),
    (402, "billing(?: error)?|payment required"),
)  # fmt: skip
"""Words that providers give as a code or type, each whole, and what they stand for."""
_TAIL = re.compile(r" (?:error|exception|exceeded|reached)$")
_TEXTS = ("message", "detail", "msg")
_ANSWERS = ("choices", "output", "content", "data", "results", "candidates")
_ABOUT = frozenset(
    """error errors object type status code message detail success request_id user_id retry_after estimated_time""".split()  # noqa: SIM905
)
"""What stands beside an error in a body that holds nothing else."""


def error_inside(body: Json) -> dict[str, Json] | None:
    """The error that a reply holds in place of an answer, or in its first choice; None where there is none."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not isinstance(body, dict):
        return None
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    for holder in (first, message):
        if isinstance(holder, dict) and (error := _error(holder.get("error"))):
            return error
    error = _error(body.get("error")) or _error(body.get("errors"))
    if error and (body.get("type") == "error" or body.get("status") == "failed"):
        return error
    if any(body.get(key) for key in _ANSWERS):
        return None
    if error:
        outer = {key: body[key] for key in _NUMBERS if _number(body.get(key))}
        return error if _named(error) or not outer else {**error, **outer}
    if body.get("object") == "error" or body.get("type") == "error" or _names_a_failure(body):
        return body
    return None


def only_an_error(body: Json) -> dict[str, Json] | None:
    """The error of a body that holds nothing beside it: no object of the provider that failed by its own account."""
    return error_inside(body) if isinstance(body, dict) and body.keys() <= _ABOUT else None


def as_refused(reply: Reply, error: dict[str, Json]) -> Reply:
    """The reply as it would have come with its error's own status."""
    around = reply.json if isinstance(reply.json, dict) else {}
    return replace(reply, status=status_inside(error), json={**around, "error": error})


def status_inside(error: dict[str, Json]) -> int:
    """The status that its code, type or status stands for; FINAL for one that says nothing of trying again."""
    for number in (_number(error.get(key)) for key in _NUMBERS):
        if number is not None and 400 <= number < 600:
            return number
        if number is not None and number // 100 == 429:  # such as 42901, with two digits of its own
            return 429
        if number is not None and number // 10_000 == 5:
            return 500
    names = [_spaced(error[key]) for key in _NAMES if isinstance(error.get(key), str)]
    for status, pattern in _WORDS:
        if any(re.fullmatch(pattern, form) for name in names for form in (name, _TAIL.sub("", name))):
            return status
    words = next((str(error[key]) for key in _TEXTS if error.get(key)), "")
    if is_loading(words):
        return 503
    return 429 if not _named(error) and wait_of({}, error, words)[0] else FINAL


def _error(value: Json) -> dict[str, Json] | None:
    """An error as an object; None for one that says nothing, as servers put beside good answers."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str) and value.strip():
        return {"message": value}
    return value if isinstance(value, dict) and any(value.values()) else None


def _named(error: dict[str, Json]) -> bool:
    return any(error.get(key) for key in (*_NUMBERS, *_NAMES))


def _names_a_failure(body: dict[str, Json]) -> bool:
    """Whether it is an error that stands by itself, such as `{"code": 429, "message": "…"}`."""
    words = any(isinstance(body.get(key), str) for key in _TEXTS)
    return words and any(400 <= (_number(body.get(key)) or 0) < 600 for key in _NUMBERS)


def _number(value: Json) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) <= 6:
        return int(value)
    whole = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value < 1e6
        and value == int(value)
    )
    return int(value) if whole else None


def _spaced(name: str) -> str:
    """`RESOURCE_EXHAUSTED`, `RateLimitError` and `rate-limit-error` in one form."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:80])
    return re.sub(r"[\s_.\-]+", " ", split).strip().lower()
