"""A prompt for OpenAI's responses endpoint, from the same fields as for chat completions."""

from __future__ import annotations

from batchtui.model import Json

_NOT_TAKEN = ("stop", "seed", "response_format")


def as_response(body: dict[str, Json]) -> dict[str, Json]:
    """The request with its messages as `input`, its system text as `instructions`, its limit by that name."""
    form = dict(body)
    messages, limit = form.pop("messages", None), form.pop("max_tokens", None)
    if isinstance(messages, list) and messages:
        first = messages[0]
        if isinstance(first, dict) and first.get("role") in ("system", "developer"):
            form["instructions"], messages = first.get("content"), messages[1:]
        if messages:
            form["input"] = messages
    if limit is not None:
        form.setdefault("max_output_tokens", limit)
    return form


def check_response(given: dict[str, Json], body: dict[str, Json]) -> list[tuple[str, str]]:
    """What is wrong with the fields (those that are set) beside the whole request `body`, as (key, message)."""
    wrong = [(key, "is a field of chat completions; leave it out") for key in _NOT_TAKEN if key in given]
    asked: list[str] = [key for key in ("prompt", "messages") if key in given]
    if body.get("input") is not None:
        asked.append("body.input")
    if not asked:
        wrong.append(("prompt", "missing; give prompt, messages or body.input"))
    elif len(asked) > 1:
        wrong.append((asked[0], f"given together with {' and '.join(asked[1:])}; keep one"))
    elif given.get(asked[0]) in ("", []):
        wrong.append((asked[0], "is empty"))
    return wrong
