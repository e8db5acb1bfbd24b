"""A JSON Schema as the backends take it: by OpenAI's `response_format`, or in words where there is no field for it."""

from __future__ import annotations

import json
import re

from batchtui.model import Json

_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_NAMED = ("properties", "$defs", "definitions")
_STRICT_KEYS = frozenset(
    """$schema $id $ref $defs definitions title description type enum const properties required additionalProperties
    items anyOf pattern format multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems""".split()  # noqa: SIM905
)
"""What OpenAI's strict subset knows: a strict schema with anything else is refused as a whole."""
_WORDS = (
    "Answer with one JSON value and nothing else: no words around it, no code fence. "
    "It must fit this JSON Schema:\n<json_schema>\n{}\n</json_schema>"
)


def schema_instructions(schema: dict[str, Json]) -> str:
    """What a model without structured output is told; goes behind the system prompt."""
    return _WORDS.format(json.dumps(schema, separators=(",", ":")))


def native_response_format(schema: dict[str, Json]) -> dict[str, Json]:
    """`response_format` of chat completions, strict where the schema keeps to the strict subset."""
    return {"type": "json_schema", "json_schema": named_schema(schema)}


def named_schema(schema: dict[str, Json]) -> dict[str, Json]:
    """`{name, schema, strict}`, as `response_format.json_schema` and the responses API's `text.format` hold it."""
    name = _NAME.sub("_", str(schema.get("title") or "")).strip("_")[:64]
    return {"name": name or "answer", "schema": schema, "strict": _is_strict(schema)}


def is_object_schema(schema: dict[str, Json]) -> bool:
    """Whether the answer is a JSON object at its root, the only thing that OpenAI's field takes."""
    return schema.get("type") == "object"


def correction_words(errors: str) -> str:
    """What a model is told when its answer did not fit: the turn after that answer."""
    return (
        f"That answer does not fit the JSON Schema:\n{errors}\n"
        "Answer again with the corrected JSON value alone, complete and without words around it."
    )


def _is_strict(schema: Json) -> bool:
    """Whether it keeps to the subset, and every object in it requires all it names and admits nothing else."""
    if not isinstance(schema, dict):
        return not isinstance(schema, bool)
    if schema.get("type") == "object" or "properties" in schema:
        named = schema.get("properties", {})
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(named, dict):
            return False
        if not isinstance(required, list) or set(named) - set(map(str, required)):
            return False
    inner = [part for key in _NAMED if isinstance(schema.get(key), dict) for part in schema[key].values()]
    inner += schema.get("anyOf") or []
    if "items" in schema:
        inner.append(schema["items"])
    return schema.keys() <= _STRICT_KEYS and all(map(_is_strict, inner))
