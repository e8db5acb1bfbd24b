"""An instance that fits a simple JSON Schema: what a demo model answers when a structured answer is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from batchtui.model import Json

_WORDS = (
    "amber",
    "birch",
    "coral",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbour",
    "island",
    "juniper",
    "kelp",
    "lagoon",
)
_FORMATS = {
    "date": "2026-03-{0:02}",
    "date-time": "2026-03-{0:02}T09:30:00Z",
    "time": "09:{0:02}:00Z",
    "email": "reader{0}@example.com",
    "uri": "https://example.com/{0}",
    "uuid": "00000000-0000-4000-8000-0000000000{0:02}",
    "hostname": "host{0}.example.com",
    "ipv4": "192.0.2.{0}",
}
_DEPTH, _MOST_ITEMS, _LONGEST = 12, 100, 10_000


def instance(schema: Json, pick: Iterator[int]) -> Json:
    """A value for `schema` (types, enums, bounds, formats, arrays, local references); `pick` makes the choices.

    A schema that makes no sense gets an empty object.
    """
    try:
        return _value(schema, schema, pick, 0)
    except (TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
        return {}


def _value(schema: Json, root: Json, pick: Iterator[int], depth: int) -> Json:
    schema = _resolved(schema, root)
    if not isinstance(schema, dict) or depth > _DEPTH:
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][next(pick) % len(schema["enum"])]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind == "object" or "properties" in schema:
        return _object(schema, root, pick, depth)
    if kind == "array":
        return _array(schema, root, pick, depth)
    if kind in ("integer", "number"):
        return _number(schema, kind == "integer", next(pick))
    if kind == "boolean":
        return next(pick) % 2 == 0
    return _string(schema, pick) if kind == "string" else None


def _resolved(schema: Json, root: Json) -> Json:
    """The schema that references, the first branch of a choice and `allOf` lead to."""
    for _ in range(_DEPTH):
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        branches = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(reference, str) and reference.startswith("#"):
            schema = _follow(root, reference)
        elif branches:
            schema = next((branch for branch in branches if branch != {"type": "null"}), branches[0])
        elif schema.get("allOf"):
            parts = [_resolved(part, root) for part in schema["allOf"]]
            merged = {key: value for key, value in schema.items() if key != "allOf"}
            for part in parts:
                properties = {**merged.get("properties", {}), **part.get("properties", {})}
                merged = {**merged, **part, **({"properties": properties} if properties else {})}
            schema = merged
        else:
            return schema
    return schema


def _follow(root: Json, reference: str) -> Json:
    node = root
    for step in reference.lstrip("#/").split("/") if reference != "#" else ():
        node = node.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
    return node


def _object(schema: Json, root: Json, pick: Iterator[int], depth: int) -> dict[str, Json]:
    properties = schema.get("properties") or {}
    required = schema.get("required", [])
    deep = depth > _DEPTH // 2  # a schema that holds itself must end somewhere
    kept = {name: part for name, part in properties.items() if not deep or name in required}
    made = {name: _value(part, root, pick, depth + 1) for name, part in kept.items()}
    return made | {name: _WORDS[next(pick) % len(_WORDS)] for name in required if name not in made}


def _array(schema: Json, root: Json, pick: Iterator[int], depth: int) -> list[Json]:
    if "prefixItems" in schema:
        return [_value(part, root, pick, depth + 1) for part in schema["prefixItems"]]
    least = min(schema.get("minItems", 0), _MOST_ITEMS)
    count = least if depth > _DEPTH // 2 else max(least, min(1 + next(pick) % 3, schema.get("maxItems", 3)))
    return [_value(schema.get("items", {"type": "string"}), root, pick, depth + 1) for _ in range(count)]


def _number(schema: Json, whole: bool, choice: int) -> int | float:
    step = schema.get("multipleOf", 1 if whole else 0.5)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None:
        low = 0 if high is None or high > 0 else high - 100 * step
    if high is not None and high - low < 2 * step and not whole:
        return round(float(low + (high - low) * (1 + choice % 8) / 10), 4)
    first = -(-low // step) * step
    if first == schema.get("exclusiveMinimum"):
        first += step
    room = 100 if high is None else max(0, int((high - first) // step) - ("exclusiveMaximum" in schema))
    value = first + step * (choice % (room + 1))
    return int(value) if whole else round(float(value), 6)


def _string(schema: Json, pick: Iterator[int]) -> str:
    choice = next(pick)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]].format(1 + choice % 28)
    text = f"{_WORDS[choice % len(_WORDS)]} {_WORDS[next(pick) % len(_WORDS)]}"
    while len(text) < min(schema.get("minLength", 0), _LONGEST):
        text += f" {_WORDS[next(pick) % len(_WORDS)]}"
    return text[: schema.get("maxLength", len(text))]
