"""Decoding with the place of the fault in every message."""

from __future__ import annotations

import msgspec
import pytest

from batchtui.decode import convert, explain
from batchtui.errors import BadInput, ConfigError
from batchtui.model import BatchSpec, Json


class Inner(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    size: int
    name: str = ""


class Outer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    inner: Inner | None = None
    many: list[Inner] = []
    table: dict[str, Inner] = {}
    renamed: int = msgspec.field(default=0, name="other-name")


def _said(value: Json, type_: type = BatchSpec, prefix: str = "") -> str:
    with pytest.raises(BadInput) as caught:
        convert(value, type_, where="invoices.toml", prefix=prefix)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": 5}, "invoices.toml: name: expected str, got int"),
        ({"limits": {"concurrency": "x"}}, "invoices.toml: limits.concurrency: expected int | null, got str"),
        (
            {"source": {"file": "a.csv", "limit": 1.5}},
            "invoices.toml: source.limit: expected int | null, got float",
        ),
        ({"source": {}}, "invoices.toml: source.file: missing"),
        ({"limits": {"retrys": 1}}, 'invoices.toml: limits.retrys: unknown key; did you mean "retries"?'),
        ({"sorce": {}}, 'invoices.toml: sorce: unknown key; did you mean "source"?'),
        ({"zzzz": 1}, "invoices.toml: zzzz: unknown key"),
        ([], "invoices.toml: expected object, got array"),
        (None, "invoices.toml: expected object, got null"),
    ],
)
def test_what_is_wrong_where_and_what_was_meant(value: Json, words: str) -> None:
    assert _said(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"inner": {}}, "inner.size: missing"),
        ({"inner": {"size": 1, "nmae": ""}}, 'inner.nmae: unknown key; did you mean "name"?'),
        ({"many": [{"size": 1}, {"size": "x"}]}, "many[1].size: expected int, got str"),
        ({"many": [{"size": 1, "siez": 2}]}, 'many[0].siez: unknown key; did you mean "size"?'),
        ({"other-nam": 1}, 'other-nam: unknown key; did you mean "other-name"?'),
        ({"table": {"a": {"size": None}}}, "table.a.size: expected int, got null"),
        ({"table": {5: {"size": 1}}}, "table: expected str, got int"),
    ],
)
def test_deep_places(value: Json, words: str) -> None:
    assert _said(value, Outer) == f"invoices.toml: {words}"


def test_the_prefix_stands_before_the_path() -> None:
    assert _said({"size": "x"}, Inner, "job") == "invoices.toml: job.size: expected int, got str"
    assert (
        _said({"size": 1, "nam": ""}, Inner, "job")
        == 'invoices.toml: job.nam: unknown key; did you mean "name"?'
    )
    assert _said([], Inner, "job") == "invoices.toml: job: expected object, got array"
    assert _said({"many": [5]}, Outer, "job") == "invoices.toml: job.many[0]: expected object, got int"


def test_the_error_is_the_callers() -> None:
    with pytest.raises(ConfigError, match="config"):
        convert({}, Inner, where="config", error=ConfigError)


def test_what_is_right_comes_back_typed() -> None:
    assert convert({"size": 3}, Inner, where="x") == Inner(size=3)
    assert convert(5, int, where="x") == 5


@pytest.mark.parametrize("message", ["", "odd", "odd `tick`", "x - at `$`", "x - at `$.a", "a\nb - at `$.c`"])
def test_any_sentence_is_taken(message: str) -> None:
    said = explain(message, Inner)
    assert "$" not in said or message == "x - at `$.a"
    assert "`" not in said


def test_a_key_full_of_tricks_does_no_harm() -> None:
    for key in ("\x1b[2J", "a.b[0]", "`$.x`", "\ud83d", "x - at `$.y`", ""):
        assert _said({key: 1}).startswith("invoices.toml: ")
