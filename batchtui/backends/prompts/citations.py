"""What a model is told when its answer must fit a schema and cite its documents at once: prose that cites, then JSON."""

from __future__ import annotations

import json

from batchtui.model import Json

_WORDS = (
    "First, for each field of the JSON Schema below, write one line `**field name**: value` with the value as the "
    "documents give it, and cite them there; leave out a field that they say nothing about. Then write, in a ```json "
    "fence and with nothing after it, the one JSON value that fits this JSON Schema:\n"
    "<json_schema>\n{}\n</json_schema>"
)


def cited_schema_instructions(schema: dict[str, Json]) -> str:
    """Goes behind the system prompt; Anthropic takes no native schema together with citations."""
    return _WORDS.format(json.dumps(schema, separators=(",", ":")))


def cited_correction_words(errors: str) -> str:
    """The turn after an answer that did not fit."""
    return (
        f"The JSON value in that answer does not fit the JSON Schema:\n{errors}\n"
        "Answer again in the same form, complete: the lines that cite, then the corrected JSON value in its fence."
    )
