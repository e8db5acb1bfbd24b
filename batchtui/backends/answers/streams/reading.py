"""A reply to a prompt as one JSON value, in whatever pieces it came."""

from __future__ import annotations

from batchtui.backends.answers.streams.forms import Piece, Whole, form_of
from batchtui.backends.answers.streams.values import Values, read_values
from batchtui.backends.wire.replies import NOT_JSON, Reply
from batchtui.model import Json

_ANSWERS = ("choices", "output", "content", "data", "results", "error")


def whole_of(reply: Reply) -> Whole | None:
    """The reply put together where it is a stream, or what it holds beside comments and an end mark.

    None where it cannot be read as one answer.
    """
    if reply.problem is None:
        one = reply.json
        read = Values([("", one)])
        return _joined(read) if isinstance(one, dict) and form_of(one, several=False) else Whole(one)
    if not reply.problem.startswith(NOT_JSON):
        return None
    return _joined(read_values(reply.text))


def _joined(read: Values) -> Whole | None:
    pieces: list[Piece] = [
        (name, _told(name, value)) for name, value in read.values if isinstance(value, dict)
    ]
    forms = (form_of(piece, several=len(pieces) > 1) for _, piece in pieces)
    if form := next((form for form in forms if form is not None), None):
        return form(pieces, read)
    errors = [piece for _, piece in pieces if piece.get("error")]
    if errors:
        return Whole(errors[0])
    answers = [piece for _, piece in pieces if any(key in piece for key in _ANSWERS)]
    if len(answers) == 1:
        return Whole(answers[0])
    return Whole(read.values[0][1]) if len(read.values) == 1 and not read.torn else None


def _told(name: str, value: dict[str, Json]) -> dict[str, Json]:
    """An event that is called an error holds one under that name, whatever its form."""
    if "error" not in (name, value.get("type")) or value.get("error"):
        return value
    return {"type": "error", "error": {key: item for key, item in value.items() if item != "error"}}
