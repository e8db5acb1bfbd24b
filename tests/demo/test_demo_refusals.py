"""What the providers refuse in the form of a request, the demo server refuses; and what they also answer, it answers."""

from __future__ import annotations

import json

import pytest

CLAUDE = {"anthropic-version": "2026-10-21"}
FUNCTION = {"name": "weather", "parameters": {"type": "object"}}
CALLED = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {}}]}


def user(*parts):
    return {"role": "user", "content": list(parts)}


TOOLS = [{"type": "function", "function": FUNCTION}]
HELLO = {"messages": [user({"type": "text", "text": "x"})]}
CONTENTS = {"contents": [{"parts": [{"text": "x"}]}]}
GENERATE = "/gemini/v1beta/models/m:generateContent"
RESULT = user({"type": "tool_result", "tool_use_id": "t1", "content": "sunny"})


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/v1/responses", {"input": [user({"type": "text", "text": "x"})]}, "input_text"),
        ("/v1/responses", {"input": "x", "tools": [{"type": "function", "function": FUNCTION}]}, "tools[0].name"),
        ("/v1/responses", {"input": "x", "seed": 1}, "seed"),
        ("/v1/chat/completions", {"messages": [user({"type": "input_text", "text": "x"})]}, "image_url"),
        ("/v1/chat/completions", {"messages": [user()], "tools": [{"type": "function", **FUNCTION}]}, "tools[0].function"),
        ("/anthropic/v1/messages", {"messages": [user({"type": "image_url", "image_url": {"url": "u"}})]}, "image_url"),
        ("/anthropic/v1/messages", HELLO | {"tools": TOOLS}, "tools.0"),
        ("/anthropic/v1/messages", HELLO | {"seed": 1}, "seed"),
        ("/anthropic/v1/messages", HELLO | {"tool_choice": "auto"}, "tool_choice"),
        ("/anthropic/v1/messages", {"messages": [RESULT]}, "tool_use_id"),
        (GENERATE, CONTENTS | {"tools": TOOLS}, "tools[0]"),
        (GENERATE, {"contents": [{"parts": [{"type": "text", "text": "x"}]}]}, "contents[0].parts[0]"),
        (GENERATE, CONTENTS | {"tool_choice": "auto"}, "tool_choice"),
    ],
)  # fmt: skip
def test_foreign_forms_are_refused(demo, path, body, word):
    model = {} if path.startswith("/gemini") else {"model": "demo-small"}
    limit = {"max_tokens": 9} if path.startswith("/anthropic") else {}
    reply = demo().post(path, json=model | limit | body, headers=CLAUDE)
    assert reply.status_code == 400
    assert word in reply.json()["error"]["message"]


def test_own_forms_pass(demo):
    client = demo()
    turns = [user({"type": "text", "text": "x"}), CALLED, RESULT]
    claude = {
        "model": "m",
        "max_tokens": 9,
        "messages": turns,
        "tools": [{"name": "weather", "input_schema": {}}],
    }
    assert client.post("/anthropic/v1/messages", json=claude, headers=CLAUDE).status_code == 200
    asked = {
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "x"}, {"inline_data": {"mime_type": "image/png", "data": ""}}],
            }
        ],
        "tools": [{"functionDeclarations": [FUNCTION]}, {"googleSearch": {}}],
        "generation_config": {"temperature": 1},
    }
    assert client.post("/gemini/v1/models/m:generateContent", json=asked).status_code == 200
    given = {
        "model": "m",
        "input": [user({"type": "input_text", "text": "x"})],
        "tools": [{"type": "web_search"}],
    }
    assert client.post("/v1/responses", json=given).status_code == 200


def test_a_row_of_a_batch_of_gemini_is_refused_alone(demo):
    from tests.demo.test_demo_gemini import create, until_done, upload

    client = demo("duration=100ms")
    fine = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    lines = [{"key": "a", "request": fine}, {"key": "b", "request": fine | {"tool_choice": "auto"}}]
    name = upload(client, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    done = until_done(client, create(client, name).json()["name"])
    assert done["metadata"]["batchStats"] == {
        "requestCount": "2", "successfulRequestCount": "1", "failedRequestCount": "1",
    }  # fmt: skip


def test_tokens_are_counted_at_gemini_and_anthropic(demo):
    client = demo()
    contents = [{"role": "user", "parts": [{"text": "x" * 400}]}]
    for body in (
        {"contents": contents},
        {"generateContentRequest": {"model": "models/m", "contents": contents}},
    ):
        told = client.post("/gemini/v1beta/models/m:countTokens", json=body).json()
        assert told["totalTokens"] >= 100
    turns = {"model": "m", "messages": [{"role": "user", "content": "x" * 400}]}
    told = client.post("/anthropic/v1/messages/count_tokens", json=turns, headers=CLAUDE).json()
    assert told["input_tokens"] >= 100


def test_moderations_at_once_and_in_a_batch(demo):
    client = demo("duration=100ms")
    body = {"model": "omni-moderation-latest", "input": ["a nice day", "a [[flag]]"]}
    results = client.post("/v1/moderations", json=body).json()["results"]
    assert [one["flagged"] for one in results] == [False, True]
    line = {"custom_id": "r0", "method": "POST", "url": "/v1/moderations", "body": body}
    batch = client.batch(json.dumps(line).encode() + b"\n", endpoint="/v1/moderations")
    [row] = client.lines(client.until(batch["id"])["output_file_id"])
    assert [one["flagged"] for one in row["response"]["body"]["results"]] == [False, True]


def test_what_mistral_has_and_this_server_has_not_is_told(demo):
    asked = {"endpoint": "/v1/ocr", "model": "m", "requests": [{"custom_id": "a", "body": {"document": {}}}]}
    reply = demo().post("/mistral/v1/batch/jobs", json=asked)
    assert reply.status_code == 422
    assert "/v1/ocr" in reply.json()["message"]


SCHEMA = {
    "title": "Person",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
WORDS = f"Answer in json that matches the following json_schema:\n\n{json.dumps(SCHEMA, indent=2)}\n\nNo schema itself."


@pytest.mark.parametrize("place", ["system", "user"])
def test_a_schema_in_words_is_answered_with_json_that_fits(demo, place):
    client = demo()
    system = {"system": WORDS} if place == "system" else {}
    asked = "Who?" if place == "system" else f"Who? {WORDS}"
    claude = {"model": "m", "max_tokens": 200, "messages": [{"role": "user", "content": asked}]}
    text = client.post("/anthropic/v1/messages", json=claude | system, headers=CLAUDE).json()["content"][0][
        "text"
    ]
    assert json.loads(text).keys() == {"name"}
    above = [{"role": "system", "content": WORDS}] if place == "system" else []
    chat = client.chat("", messages=[*above, {"role": "user", "content": asked}]).json()
    assert json.loads(chat["choices"][0]["message"]["content"]).keys() == {"name"}


def test_a_schema_of_a_database_is_no_json_schema(demo):
    text = (
        demo().chat('Explain this schema: {"table": "birds", "type": "heap"}').json()["choices"][0]["message"]
    )
    assert not text["content"].startswith("{")
