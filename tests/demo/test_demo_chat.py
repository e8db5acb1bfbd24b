"""Chat completions and their like: what is answered, and what is refused."""

from __future__ import annotations

import json

import jsonschema
import pytest

from batchtui.text import clean

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "amount", "paid", "due", "tags", "kind", "score", "buyer", "note"],
    "properties": {
        "name": {"type": "string", "minLength": 30, "maxLength": 40},
        "amount": {"type": "number", "minimum": 0, "maximum": 0.75},
        "paid": {"type": "boolean"},
        "due": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 4},
        "kind": {"enum": ["invoice", "receipt"]},
        "score": {"type": "integer", "exclusiveMinimum": 0, "maximum": 5},
        "buyer": {"$ref": "#/$defs/buyer"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "$defs": {
        "buyer": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "integer", "minimum": 1000},
                "parent": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/buyer"}]},
            },
        }
    },
}


def asked_for(schema: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def test_the_same_question_gets_the_same_answer(demo) -> None:
    client = demo()
    first, again, other = (
        client.chat("Summarise the invoice"),
        client.chat("Summarise the invoice"),
        client.chat("Other"),
    )
    text = first.json()["choices"][0]["message"]["content"]
    assert text.startswith("On “Summarise the invoice”")
    assert again.json()["choices"][0]["message"]["content"] == text
    assert other.json()["choices"][0]["message"]["content"] != text
    assert first.json()["id"] != again.json()["id"]
    assert client.chat("Summarise the invoice", seed=1).json()["choices"][0]["message"]["content"] != text


def test_usage_follows_the_length_of_the_texts(demo) -> None:
    client = demo()
    short, long = client.chat("a").json()["usage"], client.chat("a " * 400).json()["usage"]
    assert long["prompt_tokens"] - short["prompt_tokens"] == pytest.approx(200, abs=2)
    assert short["total_tokens"] == short["prompt_tokens"] + short["completion_tokens"]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_is_cut_at_the_limit(demo, name: str) -> None:
    body = demo().chat("hello", **{name: 5}).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 5
    assert len(body["choices"][0]["message"]["content"]) == 20


def test_a_structured_answer_fits_its_schema(demo) -> None:
    client = demo()
    for n in range(30):
        reply = client.chat(f"row {n}", response_format=asked_for(SCHEMA))
        jsonschema.validate(json.loads(reply.json()["choices"][0]["message"]["content"]), SCHEMA)


def test_a_structured_answer_breaks_its_schema_on_request(demo) -> None:
    for client, prompt in ((demo("invalid=1"), "x"), (demo(), "[[invalid]]")):
        text = client.chat(prompt, response_format=asked_for(SCHEMA)).json()["choices"][0]["message"][
            "content"
        ]
        assert not isinstance(json.loads(text), dict)


def test_a_hostile_answer_holds_what_a_terminal_must_not_see(demo) -> None:
    for client, prompt in ((demo("hostile=1"), "x"), (demo(), "please be [[hostile]]")):
        text = client.chat(prompt).json()["choices"][0]["message"]["content"]
        for part in ("\x1b]52;", "[/nope]", "[@click=app.quit]", "\u202e"):
            assert part in text
        assert clean(text) != text


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"model": None}, 400, None, "model"),
        ({"messages": []}, 400, "invalid_value", "messages"),
        ({"messages": "hello"}, 400, "invalid_value", "messages"),
        ({"max_tokens": 0}, 400, "invalid_value", "max_tokens"),
        ({"model": "unknown-model"}, 404, "model_not_found", "model"),
        ({"model": "broke-model"}, 429, "insufficient_quota", None),
        (
            {"messages": [{"role": "user", "content": "now [[fail]] please"}]},
            400,
            "invalid_prompt",
            "messages",
        ),
        (
            {"response_format": {"type": "json_schema"}},
            400,
            "missing_required_parameter",
            "response_format.json_schema",
        ),
    ],
)
def test_a_refusal_has_all_four_keys(demo, body, status: int, code: str | None, param: str | None) -> None:
    client = demo()
    reply = client.chat(**body)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)
    assert "retry-after" not in reply.headers
    assert client.ledger()[0]["status"] == status


def test_only_one_key_is_refused(demo) -> None:
    client = demo()
    for key, status in (("wrong", 401), ("right", 200)):
        assert client.get("/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code == status
    assert client.get("/v1/models").status_code == 200


def test_what_is_not_there_or_not_json_is_refused(demo) -> None:
    client = demo()
    assert client.get("/v1/nothing").status_code == 404
    assert client.get("/v1/chat/completions").status_code == 405
    for content in (b"{", b"[]", b"\xff"):
        assert client.post("/v1/chat/completions", content=content).status_code == 400


def test_responses_and_embeddings_are_answered_too(demo) -> None:
    client = demo()
    reply = client.post("/v1/responses", json={"model": "demo-large", "input": "Summarise this"}).json()
    assert reply["output"][0]["content"][0]["text"].startswith("On “Summarise this”")
    assert reply["usage"]["output_tokens"] > 0
    reply = client.post("/v1/embeddings", json={"model": "demo-embed", "input": ["a", "b"]}).json()
    assert [len(item["embedding"]) for item in reply["data"]] == [16, 16]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": "x"},
        {"allOf": [{"$ref": "#"}]},
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**12},
        {"$ref": "#/nowhere"},
    ],
)
def test_a_schema_that_makes_no_sense_is_answered_all_the_same(demo, schema: object) -> None:
    assert demo().chat(response_format=asked_for(schema)).status_code == 200
