"""What of an answer is JSON, what is mended, and what never is."""

from __future__ import annotations

import json

import pytest

from batchtui.model import Json
from batchtui.results.judging.judge import ERRORS_LIMIT, judge
from batchtui.results.judging.schema import validator_of

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "integer"},
        "b": {"type": "object"},
        "on": {"type": "string", "format": "date"},
    },
    "required": ["a"],
}
VALIDATOR = validator_of(SCHEMA)
FENCE, WORDS, MARK = (
    "the code fence around it was taken off",
    "the words around it were left out",
    "a byte order mark was taken off",
)


@pytest.mark.parametrize(
    ("text", "value", "repaired"),
    [
        ('{"a": 1}', {"a": 1}, None),
        ('\n {"a": 1} \n', {"a": 1}, None),
        ('\ufeff{"a": 1}', {"a": 1}, MARK),
        ('```json\n{"a": 1}\n```', {"a": 1}, FENCE),
        ('Sure!\n\n```\n{"a": 1}\n```\nAnything else?', {"a": 1}, FENCE),
        ('~~~~\n{"a": 1}\n~~~~', {"a": 1}, FENCE),
        ('```json\n{"a": 1}', {"a": 1}, WORDS),
        ('Here it is: {"a": 1}. Bye', {"a": 1}, WORDS),
        ('As said in [1], the answer is {"a": 2}', {"a": 2}, WORDS),
        ('```json\n{"a": 1}\n```\nor\n```json\n{"b": 1}\n```', {"a": 1}, FENCE),
        ('{"a": 1}\n\n{"explanation": "[/nope]"', None, None),
        ('{"a": 1} {"a": 2}', None, None),
        ('{"b": {"a": 1}, "c":', None, None),
        ('{a: {"a": 1}}', None, None),
        ("{'a': 1}", None, None),
        ('[{"a": 1},', None, None),
    ],
)
def test_mended_only_beyond_doubt(text: str, value: Json, repaired: str | None) -> None:
    verdict = judge(text, VALIDATOR)
    assert (verdict.value, verdict.repaired, verdict.fits) == (value, repaired, value is not None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the answer is empty"),
        (" \n\ufeff", "the answer is empty"),
        ("No.", "the answer is not JSON: expecting value (line 1, column 1)"),
        ('{"a": 1', "the answer is not JSON: it ends too early, expecting ',' delimiter (line 1, column 8)"),
        (
            '{"a": "x',
            "the answer is not JSON: it ends too early, unterminated string starting at (line 1, column 7)",
        ),
        ('{"a": NaN}', "the answer is not JSON: NaN is no JSON value"),
        ('{"a": 1e999}', "the answer is not JSON: 1e999 is too large a number"),
        ('{"a": ' + "1" * 5000 + "}", "the answer is not JSON: a number in it has too many digits"),
        ("[" * 100_000, "the answer is nested too deeply"),
        ('{"b":' * 300 + "1" + "}" * 300, "the answer is nested too deeply"),
        ("null", "$: None is not of type 'object'"),
        ('{"a": "x", "b": 1}', "$.a: 'x' is not of type 'integer'; $.b: 1 is not of type 'object'"),
        ('{"a": 1, "on": "yesterday"}', "$.on: 'yesterday' is not a 'date'"),
        ('Well: {"b": {}}', "$: 'a' is a required property"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_said(text: str, error: str) -> None:
    verdict = judge(text, VALIDATOR)
    assert not verdict.fits
    assert verdict.error == error


def test_errors_stay_short_and_clean() -> None:
    validator = validator_of({"type": "object", "additionalProperties": {"type": "integer"}})
    answer = {f"\x1b[31m{n}\n": "y" * 100_000 for n in range(50)}
    verdict = judge(json.dumps(answer), validator)
    assert len(verdict.errors) == ERRORS_LIMIT + 1
    assert verdict.error
    assert len(verdict.error) < ERRORS_LIMIT * 500
    assert verdict.error.isprintable()


def test_a_choice_tells_of_the_branch_that_came_nearest() -> None:
    schema = {"anyOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"type": "null"}]}
    assert judge('{"a": "x"}', validator_of(schema)).error == "$.a: 'x' is not of type 'integer'"


def test_a_check_that_breaks_is_no_answer_that_fits() -> None:
    validator = validator_of({"type": "number", "multipleOf": 1e-320})
    assert not judge("1e308", validator).fits
