"""Errors in Google's form, put into the one that is judged, with a word as the code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.wire.reply import Reply


def plain(reply: Reply) -> Reply:
    """The reply itself, unless its error is `{error: {code: 429, status: "RESOURCE_EXHAUSTED", details: [...]}}`.

    Such an error may stand in a list of one; a refused key comes with the status 400, and leaves here with 401.
    """
    told = reply.json
    told = told[0] if isinstance(told, list) and len(told) == 1 else told
    error = told.get("error") if isinstance(told, dict) else None
    word = error.get("status") if isinstance(error, dict) else None
    if not isinstance(word, str) or not isinstance(error, dict):
        return reply
    details = error.get("details")
    items = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    refused = any(item.get("reason") == "API_KEY_INVALID" for item in items)
    body: Json = {"error": {**error, "code": word.lower()}}
    return replace(reply, status=401 if refused else reply.status, json=body)
