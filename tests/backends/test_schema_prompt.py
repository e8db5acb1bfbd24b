"""A schema on its way to a model: natively, by prompt, and again with what was wrong."""

from __future__ import annotations

import json

import pytest

from batchtui.backends.prompts.schema import native_response_format, schema_instructions
from batchtui.backends.prompts.work import ChatWork, request_body, with_correction
from batchtui.model import Json

STRICT = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
WORDS = schema_instructions(STRICT)
USER = {"role": "user", "content": "hi"}


def objects(**inner: Json) -> dict[str, Json]:
    return STRICT | {"properties": {"a": inner}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (STRICT, True),
        (objects(**STRICT), True),
        (STRICT | {"required": ["a"]}, False),
        ({key: value for key, value in STRICT.items() if key != "additionalProperties"}, False),
        (objects(type="string", minLength=1), False),
        (objects(type="integer", default=3), False),
        (objects(type="array", items={"type": "object"}), False),
        (STRICT | {"allOf": [{"type": "object"}]}, False),
        (STRICT | {"$defs": {"x": {"type": "object", "properties": {}}}}, False),
    ],
)
def test_strict_where_the_schema_keeps_to_the_subset(schema: dict[str, Json], strict: bool) -> None:
    asked = native_response_format(schema)
    assert asked == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": strict},
    }


@pytest.mark.parametrize(
    ("title", "name"),
    [("Invoice", "Invoice"), ("Ein Titel (neu)!", "Ein_Titel_neu"), ("é", "answer"), (7, "7")],
)
def test_the_name_fits_the_pattern(title: Json, name: str) -> None:
    assert native_response_format({"title": title})["json_schema"]["name"] == name
    assert len(native_response_format({"title": "x" * 100})["json_schema"]["name"]) == 64


@pytest.mark.parametrize(
    ("work", "native", "sent"),
    [
        ({"prompt": "hi"}, True, {"messages": [USER], "response_format": native_response_format(STRICT)}),
        ({"prompt": "hi"}, False, {"messages": [{"role": "system", "content": WORDS}, USER]}),
        (
            {"prompt": "hi", "system": "Be brief."},
            False,
            {"messages": [{"role": "system", "content": f"Be brief.\n\n{WORDS}"}, USER]},
        ),
        (
            {"messages": [{"role": "developer", "content": [{"type": "text", "text": "x"}]}, USER]},
            False,
            {
                "messages": [
                    {
                        "role": "developer",
                        "content": [{"type": "text", "text": "x"}, {"type": "text", "text": WORDS}],
                    },
                    USER,
                ]
            },
        ),
        (
            {"endpoint": "/v1/responses", "body": {"input": "hi", "text": {"verbosity": "low"}}},
            True,
            {
                "input": "hi",
                "text": {
                    "verbosity": "low",
                    "format": {"type": "json_schema", "name": "answer", "schema": STRICT, "strict": True},
                },
            },
        ),
        (
            {"endpoint": "/v1/responses", "body": {"input": "hi", "instructions": "Be brief."}},
            False,
            {"input": "hi", "instructions": f"Be brief.\n\n{WORDS}"},
        ),
    ],
)
def test_where_it_goes(work: dict[str, Json], native: bool, sent: dict[str, Json]) -> None:
    assert request_body(ChatWork(**work, schema=STRICT), native_schema=native) == sent


def test_a_schema_whose_root_is_no_object_goes_by_prompt() -> None:
    body = request_body(ChatWork(prompt="hi", schema={"type": "array"}))
    assert "response_format" not in body
    assert '{"type":"array"}' in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "work",
    [
        {"prompt": "hi", "system": "Be brief."},
        {"messages": [USER], "system": "Be brief."},
        {"body": {"messages": [USER]}, "system": "Be brief."},
    ],
)
def test_asked_again(work: dict[str, Json]) -> None:
    given = ChatWork(**work, model="m", schema=STRICT, file="a.pdf")
    again = with_correction(given, '{"a": "x"}', "$.a: 'x' is not of type 'integer'")
    assert again.file == "a.pdf"
    messages = request_body(again)["messages"]
    assert messages[:3] == [
        {"role": "system", "content": "Be brief."},
        USER,
        {"role": "assistant", "content": '{"a": "x"}'},
    ]
    assert "$.a: 'x' is not of type 'integer'" in messages[3]["content"]
    assert given == ChatWork(**work, model="m", schema=STRICT, file="a.pdf"), "the batch's own work stays"


def test_asked_again_of_the_responses_api() -> None:
    work = ChatWork(endpoint="/v1/responses", body={"input": "hi"}, schema=STRICT)
    turns = request_body(with_correction(work, "[]", "$: [] is not of type 'object'"))["input"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]


def test_work_without_turns_stays_as_it_is() -> None:
    work = ChatWork(endpoint="/v1/embeddings", body={"input": ["a", "b"]})
    assert with_correction(work, "x", "y") == work
    assert json.loads(json.dumps(request_body(work))) == {"input": ["a", "b"]}
