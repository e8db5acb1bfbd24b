"""Which schemas are taken, and how the others are refused."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.results.judging.schema import BYTES_LIMIT, check_schema, draft_of, read_schema

DRAFT4, DRAFT7 = "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"
INTEGER = {"type": "integer"}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": INTEGER}},
        {"properties": {"a": {"$ref": "#/definitions/x"}}, "definitions": {"x": INTEGER}},
        {"$schema": DRAFT7, "properties": {"a": {"$ref": "#/definitions/x"}}, "definitions": {"x": INTEGER}},
        {"$schema": DRAFT4, "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}}},
        {
            "$id": "https://example.com/root",
            "properties": {"a": {"$ref": "item"}},
            "$defs": {"i": {"$id": "item", "type": "integer"}},
        },
        {"$anchor": "top", "properties": {"a": {"$ref": "#top"}}},
        {"$dynamicAnchor": "node", "properties": {"child": {"$dynamicRef": "#node"}}},
        {"properties": {"child": {"$ref": "#"}}},
        {"$ref": "https://json-schema.org/draft/2020-12/schema"},
    ],
)
def test_taken(schema: dict[str, Json]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objec"}, "$.type: 'objec' is not valid"),
        ({"required": "a"}, "$.required: 'a' is not of type 'array'"),
        ({"properties": {"a": {"pattern": "(("}}}, "$.properties.a.pattern: '((' is not a 'regex'"),
        ({"$schema": DRAFT4, "properties": {"a": {"exclusiveMinimum": 3}}}, "$.properties.a"),
        ({"$schema": "http://json-schema.org/draft-07/schem"}, "$.$schema: unknown draft http"),
        (
            {"$schema": 5},
            "$.$schema: unknown draft 5; known are https://json-schema.org/draft/2020-12/schema",
        ),
        ({"items": {"$ref": "other.json"}}, "$.items.$ref: other.json is outside this schema"),
        ({"items": {"$ref": "#/$defs/x"}}, "$.items.$ref: #/$defs/x leads nowhere"),
        (
            {"definitions": {"x": {"$ref": "http://a.example/b"}}, "items": {"$ref": "#/definitions/x"}},
            "#/definitions/x.$ref: http://a.example/b is outside",
        ),
        ({"$ref": "#"}, "$.$ref: refers to itself without end"),
        (
            {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}},
            "$.$defs.a.$ref: refers to itself without end",
        ),
    ],
)
def test_refused(schema: dict[str, Json], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_schema(schema)
    assert str(caught.value).startswith(message)


def test_a_schema_too_deep_is_refused() -> None:
    schema: dict[str, Json] = {}
    inner = schema
    for _ in range(5000):
        inner["items"] = {}
        inner = inner["items"]
    with pytest.raises(BadInput, match="cannot be read as a JSON Schema"):
        check_schema(schema)


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it tried to connect")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(BadInput, match="nothing is fetched"):
        check_schema({"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}})


def test_the_newest_draft_where_none_is_named() -> None:
    assert draft_of({}).META_SCHEMA["$id"] == "https://json-schema.org/draft/2020-12/schema"
    assert draft_of({"$schema": DRAFT7}).META_SCHEMA["$id"] == DRAFT7


def test_files(tmp_path: Path) -> None:
    (tmp_path / "ok.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"type": "object"}).encode())
    assert read_schema("ok.json", tmp_path) == {"type": "object"}
    (tmp_path / "large.json").write_text(" " * (BYTES_LIMIT + 1))
    (tmp_path / "latin.json").write_bytes(b'{\n"title": "\xe9"}')
    (tmp_path / "nan.json").write_text('{"const": NaN}')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name, message in {
        "large.json": "large.json: is larger than the 1,000,000 bytes",
        "latin.json": "latin.json:2: not UTF-8",
        "nan.json": "nan.json: not JSON: NaN is no JSON value",
        "deep.json": "deep.json: nested too deeply",
        ".": ".: is no file",
        "none.json": "none.json: cannot be read (No such file or directory)",
        " ": "expected the path of a JSON Schema",
    }.items():
        with pytest.raises(BadInput) as caught:
            read_schema(name, tmp_path)
        assert str(caught.value).startswith(message)
