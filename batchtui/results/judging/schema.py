"""The JSON Schema of a batch's answers: read, and refused where nothing could ever be judged by it.

`jsonschema` is imported when the first schema is read. Nothing here touches the network: a reference must lead
inside the schema, or to a draft's own meta-schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.errors import BadInput, nearest
from batchtui.model import Json
from batchtui.text import cell

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from referencing import Registry, Resource, Specification
    from referencing._core import Resolver

BYTES_LIMIT = 1_000_000
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_IN_PLACE = ("not", "if", "then", "else", "dependentSchemas", "allOf", "anyOf", "oneOf")
"""Keywords whose schemas look at the same value: a way through these alone, back to its start, has no end."""


def read_schema(value: Json, base: Path) -> dict[str, Json]:
    """The schema that `[job] schema` names, a table or the path of a JSON file from `base`, checked.

    Raises BadInput with file, line or place.
    """
    if isinstance(value, dict):
        check_schema(value)
        return value
    if not isinstance(value, str) or not value.strip():
        raise BadInput("expected the path of a JSON Schema, or the schema as a table")
    path = schema_path(value, base)
    shown = cell(value)
    schema = _json_of(path, shown)
    if not isinstance(schema, dict):
        raise BadInput(f"{shown}: expected a JSON object, got {_word(schema)}")
    try:
        check_schema(schema)
    except BadInput as fault:
        raise BadInput(f"{shown}: {fault}") from None
    return schema


def schema_path(value: str, base: Path) -> Path:
    """Where the schema that a batch file names lies."""
    return base / os.path.expanduser(value)


def _json_of(path: Path, shown: str) -> Json:
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"{shown}: is no file; name a JSON file")
        with path.open("rb") as file:
            data = file.read(BYTES_LIMIT + 1)
    except OSError as fault:
        raise BadInput(f"{shown}: cannot be read ({fault.strerror or fault})") from None
    if len(data) > BYTES_LIMIT:
        raise BadInput(f"{shown}: is larger than the {BYTES_LIMIT:,} bytes that a schema may have")
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        raise BadInput(f"{shown}:{fault.lineno}: not JSON: {fault.msg}") from None
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise BadInput(f"{shown}:{line}: not UTF-8") from None
    except RecursionError:
        raise BadInput(f"{shown}: nested too deeply") from None
    except ValueError as fault:
        raise BadInput(f"{shown}: not JSON: {fault}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _word(value: Json) -> str:
    words = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return words.get(type(value), "a number")


def check_schema(schema: dict[str, Json]) -> None:
    """Refuse what is no JSON Schema of its draft, refers outside itself, or refers to itself without end.

    Raises BadInput whose message begins with the place, as `$.properties.total.type`.
    """
    from jsonschema.exceptions import SchemaError, best_match

    draft = draft_of(schema)
    try:
        checker = draft(draft.META_SCHEMA, registry=_registry(), format_checker=draft.FORMAT_CHECKER)
        fault = best_match(checker.iter_errors(schema))
        if fault is not None:
            raise BadInput(f"{cell(fault.json_path, 200)}: {cell(fault.message, 300)}")
        _check_references(schema, draft)
    except (RecursionError, SchemaError) as broken:
        raise BadInput(f"$: cannot be read as a JSON Schema ({type(broken).__name__})") from None


def draft_of(schema: dict[str, Json]) -> type[Validator]:
    """The validator of the draft that `$schema` names, the newest where it names none. Raises BadInput."""
    from jsonschema import validators

    named = schema.get("$schema")
    if named is None:
        return _drafts()[0]
    found = validators.validator_for(schema, default=None) if isinstance(named, str) else None
    if not isinstance(found, type):
        known = [str(draft.META_SCHEMA.get("$id") or draft.META_SCHEMA.get("id")) for draft in _drafts()]
        hint = nearest(str(named), known) or f"; known are {', '.join(known)}"
        raise BadInput(f"$.$schema: unknown draft {cell(str(named), 120)}{hint}")
    return found


def validator_of(schema: dict[str, Json]) -> Validator:
    """What judges answers by `schema`: formats count, and no reference leaves it."""
    draft = draft_of(schema)
    return draft(schema, registry=_registry(), format_checker=draft.FORMAT_CHECKER)


def _drafts() -> list[type[Validator]]:
    from jsonschema import validators

    return [
        validators.Draft202012Validator,
        validators.Draft201909Validator,
        validators.Draft7Validator,
        validators.Draft6Validator,
        validators.Draft4Validator,
        validators.Draft3Validator,
    ]


def _registry() -> Registry[Json]:
    """The drafts' own meta-schemas; unlike jsonschema's default it never fetches anything."""
    from jsonschema_specifications import REGISTRY

    specifications: Registry[Json] = REGISTRY
    return specifications


# ---- references


class _Walk:
    """Every schema that can be reached from the root, and what each looks at in the same place."""

    def __init__(self, specification: Specification[Json]) -> None:
        self.specification = specification
        self.seen: dict[int, tuple[str, Json]] = {}
        self.same_place: dict[int, list[int]] = {}


def _check_references(schema: dict[str, Json], draft: type[Validator]) -> None:
    """Raises BadInput for a reference that leads nowhere or outside, and for a round without end."""
    from referencing.jsonschema import DRAFT202012, specification_with

    specification = specification_with(str(draft.META_SCHEMA["$schema"]), default=DRAFT202012)
    resource = specification.create_resource(schema)
    resolver = _registry().with_resource(resource.id() or "", resource).resolver_with_root(resource)
    walk = _Walk(specification)
    _visit(resource, resolver, "$", walk)
    _refuse_rounds(walk)


def _visit(resource: Resource[Json], resolver: Resolver[Json], place: str, walk: _Walk) -> None:
    contents = resource.contents
    if id(contents) in walk.seen or not isinstance(contents, dict):
        return
    walk.seen[id(contents)] = (place, contents)
    near = walk.same_place.setdefault(id(contents), [])
    near += (id(inner) for inner in _same_place(contents))
    for key in _REFERENCES:
        reference = contents.get(key)
        if isinstance(reference, str):
            target = _resolved(resolver, reference, f"{place}.{key}")
            if key == "$ref":
                near.append(id(target.contents))
            if not _is_of_a_draft(reference):
                inner = walk.specification.create_resource(target.contents)
                _visit(inner, target.resolver, reference, walk)
    for inner in resource.subresources():
        _visit(inner, resolver.in_subresource(inner), f"{place}.{_name_of(contents, inner.contents)}", walk)


def _resolved(resolver: Resolver[Json], reference: str, place: str) -> Json:
    from referencing.exceptions import Unresolvable

    try:
        return resolver.lookup(reference)
    except (Unresolvable, ValueError, LookupError, AttributeError):
        shown = cell(reference, 200)
        if reference.startswith("#"):
            raise BadInput(f"{place}: {shown} leads nowhere in this schema") from None
        raise BadInput(
            f"{place}: {shown} is outside this schema; put what it names under $defs, nothing is fetched"
        ) from None


def _is_of_a_draft(reference: str) -> bool:
    return reference.startswith(("http://json-schema.org/", "https://json-schema.org/"))


def _same_place(contents: dict[str, Json]) -> Iterator[Json]:
    for key in _IN_PLACE:
        value = contents.get(key)
        if isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield from value.values() if key == "dependentSchemas" else (value,)


def _name_of(contents: dict[str, Json], wanted: Json) -> str:
    """Where in a schema an inner one stands, as `properties.total`."""
    for key, value in contents.items():
        if value is wanted:
            return key
        if isinstance(value, dict):
            for name, inner in value.items():
                if inner is wanted:
                    return f"{key}.{name}"
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                if inner is wanted:
                    return f"{key}[{number}]"
    return "…"


def _refuse_rounds(walk: _Walk) -> None:
    done: set[int] = set()
    for start in walk.seen:
        path: dict[int, Iterator[int]] = {}
        node: int | None = start
        while node is not None:
            if node not in path:
                path[node] = iter(walk.same_place.get(node, ()))
            following = next((n for n in path[node] if n not in done), None)
            if following is None:
                done.add(node)
                del path[node]
                node = next(reversed(path), None)
            elif following in path:
                place, found = walk.seen.get(following, ("$", None))
                key = ".$ref" if isinstance(found, dict) and "$ref" in found else ""
                raise BadInput(f"{cell(place, 200)}{key}: refers to itself without end")
            else:
                node = following
