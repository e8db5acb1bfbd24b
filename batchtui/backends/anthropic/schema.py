"""A JSON Schema in the narrow form that Anthropic's structured output takes, where it can be said so.

Bounds and patterns it does not take go into descriptions: the answer is held to the whole schema here in any case.
"""

from __future__ import annotations

import json

from batchtui.model import Json

OPTIONAL_LIMIT, UNION_LIMIT, NODE_LIMIT = 24, 16, 2000
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_SCALARS = ("string", "integer", "number", "boolean", "null")
_SAID = frozenset({"$schema", "$id", "$defs", "definitions", "description", "title", "type", "examples"})
"""Keywords that need no words in a description."""
_PLAIN = _SAID | {"anyOf", "oneOf", "allOf", "default", "$ref", "$comment"}
_BROADER = ("patternProperties", "prefixItems", "not", "if", "dependentSchemas", "unevaluatedProperties")


class _Unsayable(Exception):
    pass


def native_schema(schema: dict[str, Json]) -> dict[str, Json] | None:
    """The schema as `output_config.format.schema` takes it; None where it must be asked for in words."""
    try:
        return _Writer(schema).write(schema, ())
    except _Unsayable:
        return None


class _Writer:
    def __init__(self, root: dict[str, Json]) -> None:
        self._root = root
        self._optional = self._unions = self._nodes = 0

    def write(self, schema: Json, within: tuple[str, ...]) -> dict[str, Json]:
        """One schema, references put in place; `within` are those that led here."""
        self._nodes += 1
        if not isinstance(schema, dict) or self._nodes > NODE_LIMIT or any(key in schema for key in _BROADER):
            raise _Unsayable
        if "$ref" in schema:
            reference = schema["$ref"]
            if not isinstance(reference, str) or reference in within:
                raise _Unsayable
            beside = {key: value for key, value in schema.items() if key in ("title", "description")}
            return self.write({**self._target(reference), **beside}, (*within, reference))
        whole = schema.get("allOf")
        if whole is not None:
            if not isinstance(whole, list) or len(whole) != 1 or "properties" in schema:
                raise _Unsayable
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            return self.write({**whole[0], **rest} if isinstance(whole[0], dict) else None, within)
        branches = schema.get("anyOf", schema.get("oneOf"))
        kinds = schema.get("type")
        if branches is None and isinstance(kinds, list) and "enum" not in schema and "const" not in schema:
            inner = {key: value for key, value in schema.items() if key not in ("title", "description")}
            branches = [{**inner, "type": kind} for kind in kinds]
            schema = {key: value for key, value in schema.items() if key in ("title", "description")}
        if branches is not None:
            return self._choice(schema, branches, within)
        return self._typed(schema, within)

    def _target(self, reference: str) -> dict[str, Json]:
        node: Json = self._root
        if not reference.startswith("#"):
            raise _Unsayable
        for step in reference.lstrip("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise _Unsayable
        return node

    def _choice(self, schema: dict[str, Json], branches: Json, within: tuple[str, ...]) -> dict[str, Json]:
        if not isinstance(branches, list) or not branches or not schema.keys() <= _PLAIN:
            raise _Unsayable
        self._unions += 1
        if self._unions > UNION_LIMIT:
            raise _Unsayable
        made: dict[str, Json] = {"anyOf": [self.write(branch, within) for branch in branches]}
        return made | _words(schema, {})

    def _typed(self, schema: dict[str, Json], within: tuple[str, ...]) -> dict[str, Json]:
        fixed = {key: schema[key] for key in ("enum", "const") if key in schema}
        if fixed:
            values = [*(fixed.get("enum") or ()), *([fixed["const"]] if "const" in fixed else ())]
            if not values or any(isinstance(value, dict | list) for value in values):
                raise _Unsayable
            return fixed | _words(schema, {})
        kind = schema.get("type")
        rest = {key: value for key, value in schema.items() if key not in _SAID}
        made: dict[str, Json] = {"type": kind}
        if kind == "object":
            made |= self._object(rest, within)
        elif kind == "array":
            if "items" not in rest:
                raise _Unsayable
            made["items"] = self.write(rest.pop("items"), within)
            if rest.get("minItems") in (0, 1):
                made["minItems"] = rest.pop("minItems")
        elif kind == "string" and rest.get("format") in _FORMATS:
            made["format"] = rest.pop("format")
        elif kind not in _SCALARS:
            raise _Unsayable
        return made | _words(schema, rest)

    def _object(self, rest: dict[str, Json], within: tuple[str, ...]) -> dict[str, Json]:
        """Takes what it says out of `rest`."""
        properties, required = rest.pop("properties", None), rest.pop("required", [])
        others = rest.pop("additionalProperties", True)
        if not isinstance(properties, dict) or not properties or isinstance(others, dict):
            raise _Unsayable  # an open map cannot be asked for
        if not isinstance(required, list) or set(map(str, required)) - properties.keys():
            raise _Unsayable
        self._optional += len(properties) - len(set(required))
        if self._optional > OPTIONAL_LIMIT:
            raise _Unsayable
        made = {name: self.write(part, within) for name, part in properties.items()}
        return {"properties": made, "required": required, "additionalProperties": False}


def _words(schema: dict[str, Json], unsaid: dict[str, Json]) -> dict[str, Json]:
    """Title and description, the latter with the bounds that have no keyword here."""
    words: dict[str, Json] = {"title": schema["title"]} if isinstance(schema.get("title"), str) else {}
    bounds = ", ".join(f"{key}: {json.dumps(value)}" for key, value in unsaid.items())
    given = schema.get("description")
    texts = [given if isinstance(given, str) else "", f"{{{bounds}}}" if bounds else ""]
    description = "\n\n".join(text for text in texts if text)
    return words | ({"description": description} if description else {})
